"""What an SMTP server's refusals mean: try again, give up, or let an administrator mend it."""

import smtplib
import ssl

from daemon.channel import DeliveryFailed, Outcome
from daemon.mail.addresses import one_line

_NO_UTF8 = "the mail server takes no addresses with letters other than A to Z (SMTPUTF8)"
_LOG_IN = frozenset({530, 534, 535, 538})  # log in first; log in otherwise; refused; only when encrypted


def connect_failure(error: Exception) -> DeliveryFailed:
    """Return what it means that a connection could not be made ready: no fault of any recipient."""
    if isinstance(error, ssl.SSLError):
        return _not_encrypted(error)
    if isinstance(error, smtplib.SMTPResponseException):
        outcome: Outcome = "retry" if _is_temporary(error.smtp_code) else "misconfigured"
        what = "refused the log-in" if isinstance(error, smtplib.SMTPAuthenticationError) else "refused us"
        return DeliveryFailed(
            f"the mail server {what}: {_answer(error.smtp_code, error.smtp_error)}", outcome
        )
    if isinstance(error, UnicodeError):
        return DeliveryFailed("user name and password must be ASCII for this mail server", "misconfigured")
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return DeliveryFailed(f"the mail server cannot be reached: {_cause(error)}", "retry")
    return _dropped(error) or DeliveryFailed(f"the mail server: {one_line(str(error), 200)}", "misconfigured")


def _not_encrypted(error: ssl.SSLError) -> DeliveryFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"the mail server's certificate is not trusted: {error.verify_message}"
        return DeliveryFailed(text, "misconfigured")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return DeliveryFailed("the mail server hung up while encrypting", "retry")
    text = f"no encryption with the mail server (is `security` the right one?): {error.reason}"
    return DeliveryFailed(text, "misconfigured")


def send_failure(error: Exception) -> DeliveryFailed:
    """Return what it means that a mail was not taken."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _refused("the recipient", code, text)
    if isinstance(error, smtplib.SMTPSenderRefused):
        # Of our own address: whoever it was for, the next one is refused too.
        failed = _refused("the sender", error.smtp_code, error.smtp_error)
        return DeliveryFailed(str(failed), "retry" if failed.outcome == "retry" else "misconfigured")
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused("the mail", error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return DeliveryFailed(_NO_UTF8, "failed")
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return DeliveryFailed(f"the mail server was lost: {_cause(error)}", "retry")
    return _dropped(error) or DeliveryFailed(
        f"the mail cannot be sent: {one_line(str(error), 200)}", "failed"
    )


def _refused(what: str, code: int, text: bytes | str) -> DeliveryFailed:
    outcome: Outcome = "failed"
    if _is_temporary(code):
        outcome = "retry"
    elif code in _LOG_IN:
        outcome = "misconfigured"
    return DeliveryFailed(f"the mail server refused {what}: {_answer(code, text)}", outcome)


def _dropped(error: Exception) -> DeliveryFailed | None:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return DeliveryFailed(f"the mail server hung up: {one_line(str(error), 200)}", "retry")
    return None


def _is_temporary(code: int) -> bool:
    """Say whether an answer asks to try again. -1 is smtplib's word for an answer that it cannot read."""
    return code < 500


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {words}", 200)


def _cause(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return one_line(error.strerror or str(error), 200)
