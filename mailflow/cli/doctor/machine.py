"""This machine: store, disk, files, clock, templates, the listener's certificate."""

import os
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import disk_usage

from cryptography import x509
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mailflow.cli.doctor.finding import Finding, error, ok, warning
from mailflow.config.secrets import others_can_read
from mailflow.config.section import is_loopback
from mailflow.config.settings import Settings, SmtpSettings
from mailflow.model.errors import BadConfig, Lost, StoreUnavailable
from mailflow.store.engine import open_store

WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time."""


def store_findings(settings: Settings, root: Path) -> Iterator[Finding]:
    """Whether the store can be opened and keeps what it is given. A store that is not there yet is not made."""
    path = _sqlite_path(settings.store.url, root)
    if path is not None and not path.exists():
        yield ok("store", f"{path} is not there yet; it is made at the first start")
        return
    try:
        store = open_store(settings.store, root)
        try:
            for level, text in store.doctor():
                said, _, mend = text.removeprefix("store: ").partition("; ")
                yield ok("store", said) if level == "ok" else (error if level == "error" else warning)("store", said, mend)
        finally:
            store.close()
    except (BadConfig, StoreUnavailable, Lost) as trouble:
        yield error("store", str(trouble), "see store.url, the owner of the file, and whether the database runs")
    except SQLAlchemyError as trouble:
        reason = str(getattr(trouble, "orig", trouble)).partition("\n")[0]
        yield error(
            "store", f"{path or 'the database'} cannot be used: {reason}", "see store.url; restore the file from a backup if it is damaged"
        )


def folder_findings(settings: Settings, root: Path, now: datetime) -> Iterator[Finding]:
    """The folder the store is in: private, with room, and not written in the future."""
    path = _sqlite_path(settings.store.url, root)
    if path is None:
        return
    folder = _existing(path.parent)
    if folder == path.parent and folder.stat().st_mode & 0o077:
        yield error("files", f"{folder} can be read by others, and people's mails are in it", f"chmod 700 {folder}")
    for beside in sorted(folder.glob(f"{path.name}-*")):
        if others_can_read(beside):
            yield error("files", f"{beside} can be read by everybody", f"chmod 600 {beside}")
    if not os.access(folder, os.W_OK | os.X_OK):
        yield error("files", f"{folder} cannot be written by this user", f"make the user of the service the owner of {folder}")
    free, floor = disk_usage(folder).free, settings.store.free_bytes_floor
    room = f"{free // 1_000_000} MB free at {folder}"
    if free < floor:
        yield error("disk", f"{room}: below store.free_bytes_floor, so no mail is accepted", "make room")
    else:
        yield warning("disk", f"{room}: soon no mail is accepted", "make room") if free < 2 * floor else ok("disk", room)
    if path.exists() and datetime.fromtimestamp(path.stat().st_mtime, UTC) > now + timedelta(minutes=5):
        yield warning("clock", f"{path} was last written in the future", "set the clock: timedatectl set-ntp true")


def clock_findings(now: datetime, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the clock can be right, and no test's variable is left over."""
    if now < WRITTEN:
        yield error("clock", f"the clock says {now:%Y-%m-%d %H:%M} UTC, which is past", "set it: timedatectl set-ntp true")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")
    for variable, what in (("MAILFLOW_CLOCK_OFFSET", "shifts the clock"), ("MAILFLOW_CRASH_AT", "makes mailflow crash")):
        if environment.get(variable):
            yield error("environment", f"{variable} {what}; it is for tests", f"unset {variable}")


def user_findings(user: int) -> Iterator[Finding]:
    """Whether the service has more rights than it needs."""
    if user == 0:
        yield warning("user", "this is root", "run mailflow as a user of its own; ports below 1024 by socket or CAP_NET_BIND_SERVICE")


def listener_findings(settings: Settings, root: Path, now: datetime) -> Iterator[Finding]:
    """How the listener shows itself to the world."""
    smtp = settings.smtp
    where = f"{smtp.host} port {smtp.port}"
    if is_loopback(smtp.host):
        yield ok("listener", f"listens on {where}, this machine only")
    elif smtp.tls_certificate is None:
        yield warning("listener", f"listens on {where} without STARTTLS", "set smtp.tls_certificate and smtp.tls_key")
    if not is_loopback(smtp.host) and smtp.hostname == "localhost":
        yield warning("listener", "greets the world as localhost", "set smtp.hostname to the name in your MX record")
    if not is_loopback(smtp.host) and smtp.trust_results:
        yield warning(
            "listener",
            "believes Authentication-Results on an address that anybody reaches",
            "listen on loopback behind the relay that writes them, or clear smtp.trust_results",
        )
    if settings.workers.dns_table is not None:
        yield warning("listener", "workers.dns_table is asked instead of DNS: nothing is proven by it", "take workers.dns_table out")
    yield from _certificate(smtp, root, now)


def _certificate(smtp: SmtpSettings, root: Path, now: datetime) -> Iterator[Finding]:
    if smtp.tls_certificate is None or smtp.tls_key is None:
        return
    certificate, key = root / smtp.tls_certificate, root / smtp.tls_key
    try:
        if others_can_read(key):
            yield error("certificate", f"{key} can be read by everybody", f"chmod 600 {key}")
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as trouble:
        reason = getattr(trouble, "strerror", None) or type(trouble).__name__
        yield error("certificate", f"{certificate} and {key} cannot be used ({reason})", "give a PEM chain and its key")
        return
    if ends < now:
        yield error("certificate", f"{certificate} ran out on {ends:%Y-%m-%d}", "renew it")
    elif ends < now + timedelta(days=14):
        yield warning("certificate", f"{certificate} runs out on {ends:%Y-%m-%d}", "renew it")
    else:
        yield ok("certificate", f"{certificate} is good until {ends:%Y-%m-%d}")


def _sqlite_path(url: str, root: Path) -> Path | None:
    """The file of an SQLite store; ``None`` for anything else, which opening it will judge."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return root / parsed.database if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _existing(folder: Path) -> Path:
    return next(candidate for candidate in (folder, *folder.parents) if candidate.exists())
