"""What each class of a driver's errors means, by the exceptions themselves."""

import errno
import socket
import ssl

import oracledb
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from daemon.clients.erp_trouble import trouble_of
from daemon.clients.erp_values import Trouble

ENCRYPTED = "the database demands native network encryption, which this driver does not have; use tcps"


class _Fault:
    """What oracledb puts into its exceptions."""

    def __init__(self, code: str) -> None:
        self.full_code = code

    def __str__(self) -> str:
        return (
            f"{self.full_code}: secret text (CONNECTION_ID=abc)\nHelp: https://example.test/{self.full_code}"
        )


def oracle(code: str, kind: type[oracledb.Error] = oracledb.DatabaseError) -> oracledb.Error:
    return kind(_Fault(code))


def caused(cause: BaseException) -> oracledb.Error:
    """Return the "cannot connect" that hides its reason."""
    error = oracle("DPY-6005", oracledb.OperationalError)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (
            oracle("ORA-01017"),
            ("credentials", "the name or password of our own account is wrong (ORA-01017)"),
        ),
        (oracle("ORA-28000"), ("credentials", "our own account is locked (ORA-28000)")),
        (oracle("ORA-28001"), ("credentials", "the password of our own account has expired (ORA-28001)")),
        (
            caused(oracle("DPY-6001")),
            ("unavailable", "the listener does not know this service_name (DPY-6001)"),
        ),
        (caused(oracle("DPY-6003")), ("unavailable", "the listener does not know this SID (DPY-6003)")),
        (caused(oracle("DPY-6000")), ("unavailable", "the listener refuses connections (DPY-6000)")),
        (
            caused(oracle("DPY-3010")),
            ("refused", "the database is older than 12.1, which this driver cannot use (DPY-3010)"),
        ),
        (
            caused(oracle("DPY-3001")),
            ("refused", f"{ENCRYPTED} (DPY-3001)"),
        ),
        (caused(oracle("DPY-6006")), ("refused", "the certificate is for another host name (DPY-6006)")),
        (
            caused(ConnectionRefusedError(errno.ECONNREFUSED, "x")),
            ("unavailable", "nobody listens at this host and port"),
        ),
        (caused(OSError(errno.EHOSTUNREACH, "x")), ("unavailable", "there is no way to the host")),
        (caused(TimeoutError()), ("unavailable", "it did not answer in time")),
        (caused(ssl.SSLCertVerificationError("x")), ("refused", "its certificate is not trusted")),
        (socket.gaierror(-2, "unknown"), ("unavailable", "the name of the host is not known")),
        (oracle("DPY-4011"), ("unavailable", "the connection was cut (DPY-4011)")),
        (oracle("DPY-4024"), ("unavailable", "it did not answer in time (DPY-4024)")),
        (
            oracle("DPY-5000", oracledb.InternalError),
            ("unavailable", "what answered does not speak Oracle's protocol (DPY-5000)"),
        ),
        (
            oracle("ORA-00942"),
            ("refused", "the view or table does not exist, or our account may not read it (ORA-00942)"),
        ),
        (oracle("ORA-00904"), ("refused", "the query names a column that does not exist (ORA-00904)")),
        (
            oracle("DPY-3022"),
            ("refused", "a column is a time with a named zone: let the query cast it (DPY-3022)"),
        ),
        (oracle("ORA-01033"), ("unavailable", "the database is starting or stopping (ORA-01033)")),
        (oracle("ORA-12345"), ("wrong_answer", "the query failed (ORA-12345)")),
        (
            DatabaseError("select secret", {"password": "secret"}, oracle("ORA-01017")),
            ("credentials", "the name or password of our own account is wrong (ORA-01017)"),
        ),
        (RuntimeError("secret"), ("wrong_answer", "the query failed (RuntimeError)")),
        (sa.exc.ResourceClosedError("secret"), ("wrong_answer", "the query failed (ResourceClosedError)")),
    ],
    ids=lambda value: value[1][:40] if isinstance(value, tuple) else "",
)
def test_each_error_has_a_text_of_its_own_and_tells_nothing_more(
    error: BaseException, trouble: tuple[str, str]
) -> None:
    found = trouble_of(error)
    assert found == Trouble(*trouble)
    assert "secret" not in found.text
    assert "CONNECTION_ID" not in found.text
