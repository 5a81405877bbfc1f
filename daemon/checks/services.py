"""Whether what else we ask, and what we send by, can be used."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from daemon import vapid
from daemon.checks.rows import Row, fault, off, warning, well
from daemon.clients.erp import ErpClient
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.errors import NotFound, SourceError
from daemon.clients.finesse import FinesseClient
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.settings import SettingsError
from daemon.config import ChannelConfig, Config
from daemon.service import vapid_file

CURES = {
    "erp": "correct [erp], or ask its administrator whether our account may read people",
    "finesse": "correct [finesse]: address, user and password, and the certificate in ca_file",
    "email": "correct [channel.email]: server, port, security, user and password",
}


def service_rows(config: Config) -> Iterator[Row]:
    """Look at the ERP, Finesse, and at the channels."""
    yield _row("erp", None if config.erp is None else erp_fault(config.erp))
    yield _row("finesse", None if config.finesse is None else finesse_fault(config.finesse))
    channels = {channel.name: channel for channel in config.channels}
    yield from push_rows(config, is_on="webpush" in channels)
    yield _row("email", _channel_fault(channels.get("email")))


def _row(name: str, found: str | None) -> Row:
    if found is None:
        return off(name, "not configured")
    return fault(name, found, CURES[name]) if found else well(name, "answers")


def _channel_fault(channel: ChannelConfig | None) -> str | None:
    return None if channel is None else str(getattr(channel.module, "fault")(channel.options))  # noqa: B009


def push_rows(config: Config, *, is_on: bool) -> Iterator[Row]:
    """Look at the key pair of Web Push, and at the address that browsers see."""
    if not is_on:
        yield off("webpush.key", "[channel.webpush] is switched off")
        yield off("webpush.address", "[channel.webpush] is switched off")
        return
    yield _key_row(config)
    yield address_row(config.public_url)


def _key_row(config: Config) -> Row:
    name, file = "webpush.key", vapid_file(config)
    if not file.exists():
        return well(name, f"{file} is made on the first start")
    cure = (
        "chmod 600 it for the user of the service; as a last resort `helpdesk vapid --force` makes a new one"
    )
    try:
        key = vapid.public_key(vapid.read(file))
    except SettingsError as e:
        return fault(name, str(e), cure)
    return well(name, f"public key {key[:12]}…")


def address_row(public_url: str) -> Row:
    """Say whether browsers will offer Web Push on pages of this address."""
    parts = urlsplit(public_url)
    if parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        return well("webpush.address", public_url)
    found = f"{public_url}: browsers allow Web Push on https addresses only"
    return warning("webpush.address", found, "serve the viewer over https and say so in [web] public_url")


def finesse_fault(settings: FinesseSettings) -> str:
    """Return why Finesse cannot be asked, "" where it can."""
    client = None
    try:
        client = FinesseClient(settings)
        client.agent(settings.username)
    except NotFound:
        return ""  # an administrator of Finesse need not be anybody's agent
    except (SourceError, SettingsError) as e:
        return str(e)
    finally:
        if client is not None:
            client.close()
    return ""


def erp_fault(settings: ErpSettings) -> str:
    """Return why the ERP's people cannot be read, "" where they can."""
    if not settings.has_reader:
        return ""  # people log in by their own accounts, and nobody is polled
    client = None
    try:
        client = ErpClient(settings)
        client.person("helpdesk-check")
    except (SourceError, SettingsError) as e:
        return str(e)
    finally:
        if client is not None:
            client.close()
    return ""
