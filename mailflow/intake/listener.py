"""The listener: sockets, one sweep a second over all sessions, and a clean end."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailflow.config.settings import LimitSettings, LmtpSettings, SmtpSettings
from mailflow.intake import Keeping
from mailflow.intake.answers import Answers
from mailflow.intake.dataphase import sweep
from mailflow.intake.door import Door, Visit
from mailflow.intake.limits import House, networks
from mailflow.intake.lmtp import LmtpSession, settings_for
from mailflow.intake.paths import canonical
from mailflow.intake.session import SmtpSession
from mailflow.intake.unixsocket import UnixPlace
from mailflow.model.errors import BadConfig
from mailflow.model.outside import Now

log = logging.getLogger("mailflow.intake")

SWEEP_SECONDS = 1.0
LAST_MAILS_SECONDS = 20.0
BACKLOG = 512
"""Connections that may wait to be accepted."""
LARGE_AT_ONCE = 2
"""Mails that waited in a file and are now read back: few at a time, since each is whole in memory for a moment."""


@dataclass(frozen=True)
class _Open:
    """A listener that is open."""

    door: Door
    server: asyncio.AbstractServer


async def serve(
    settings: SmtpSettings,
    campaigns: Mapping[str, str],
    keeper: Keeping,
    now: Now,
    *,
    free_bytes: Callable[[], int],
    free_floor: int,
    spool: Path,
    limits: LimitSettings,
    stop: asyncio.Event,
    sock: socket.socket | None = None,
    lmtp: LmtpSettings | None = None,
) -> None:
    """Listens until ``stop`` is set, then lets running mails finish for at most 20 s.

    ``campaigns`` maps canonical addresses (decide.identity) to slugs. ``sock`` is a bound socket to use
    instead of host and port. ``lmtp`` opens an LMTP listener beside (RFC 2033); of several processes one has its unix
    socket, and another takes it over when that one ends. Raises BadConfig where the certificate or an address cannot be used.
    """
    left = sweep(spool)
    if left:
        log.info("removed %d half-arrived mails of a listener that was killed", left)
    loop = asyncio.get_running_loop()
    house = House(settings, free_bytes, free_floor)
    known = {canonical(address): slug for address, slug in campaigns.items()}
    proxies = networks(settings.proxy_from)
    door = Door(settings, limits, known, keeper, now, house, spool, asyncio.Semaphore(LARGE_AT_ONCE), Answers(loop), proxies)
    beside = _Beside(door, lmtp) if lmtp is not None and lmtp.listen else None
    context = tls_context(settings)
    opened: list[_Open] = []
    try:
        own = sock or bound_socket(settings)
        if beside is not None:
            opened += await beside.open()
        server = await loop.create_server(lambda: SmtpSession(door, tls_context=context, loop=loop), sock=own, backlog=BACKLOG)
        opened.append(_Open(door, server))
        while not stop.is_set():
            if beside is not None and len(opened) == 1:
                opened += await beside.open()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SWEEP_SECONDS)
            for one in opened:
                _sweep_sessions(one.door)
    finally:
        for one in opened:
            one.server.close()
        if beside is not None:
            beside.leave()
        await _finish([one.door for one in opened])


class _Beside:
    """The LMTP listener beside the SMTP listener: its own places and sessions, one count of memory."""

    def __init__(self, door: Door, lmtp: LmtpSettings) -> None:
        settings = settings_for(door.settings, lmtp)
        house = replace(door.house, settings=settings, clients=Counter(), connections=0)
        self._door = replace(
            door, settings=settings, house=house, proxies=(), relays=networks(lmtp.xforward_from), sessions=set(), tasks=set()
        )
        self._lmtp = lmtp
        self._place = UnixPlace(Path(lmtp.unix_path), int(lmtp.mode, 8)) if lmtp.unix_path else None

    async def open(self) -> list[_Open]:
        """Opens the listener; nothing while another process has the unix socket. Raises BadConfig."""
        loop = asyncio.get_running_loop()
        if self._place is None:
            host, port = self._lmtp.address or ("", 0)
            sock = _bound(host, port, "lmtp.listen")
            return [_Open(self._door, await loop.create_server(self._session, sock=sock, backlog=BACKLOG))]
        claimed = self._place.claim()
        if claimed is None:
            return []
        log.info("lmtp: listening on a unix socket")
        return [_Open(self._door, await loop.create_unix_server(self._session, sock=claimed, backlog=BACKLOG))]

    def _session(self) -> LmtpSession:
        return LmtpSession(self._door, loop=asyncio.get_running_loop())

    def leave(self) -> None:
        """Removes the unix socket, if it is ours."""
        if self._place is not None:
            self._place.leave()


def _sweep_sessions(door: Door) -> None:
    for session in list(door.sessions):
        if why := session.overdue():
            log.info("a session is closed: %s", why)
            session.dismiss()


async def _finish(doors: Sequence[Door]) -> None:
    """Idle sessions hear 421; those in the middle of a mail get their answer first."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LAST_MAILS_SECONDS
    while any(door.sessions or door.tasks for door in doors) and loop.time() < until:
        for session in _all_sessions(doors):
            if not session.busy:
                session.dismiss()
        await asyncio.sleep(0.02)
    for session in _all_sessions(doors):
        session.dismiss()
    await asyncio.sleep(0)


def _all_sessions(doors: Sequence[Door]) -> list[Visit]:
    return [session for door in doors for session in door.sessions]


def bound_socket(settings: SmtpSettings) -> socket.socket:
    """A socket for the listener that several processes may share (SO_REUSEPORT). Raises BadConfig."""
    return _bound(settings.host, settings.port, "smtp.host/port")


def _bound(host: str, port: int, key: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise BadConfig(f"{key}: cannot listen on {host} port {port}: {error.strerror}") from error
    sock.setblocking(False)
    return sock


@contextlib.contextmanager
def reserve_port(settings: SmtpSettings) -> Iterator[int]:
    """The port the listeners will share; with port 0, one that is free, held while the block runs. Raises BadConfig."""
    with contextlib.closing(bound_socket(settings)) as sock:
        yield sock.getsockname()[1]


def tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    """The context for STARTTLS, ``None`` where no certificate is configured. Raises BadConfig."""
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise BadConfig(f"smtp.tls_certificate/tls_key: cannot be used ({type(error).__name__}); give PEM files") from error
    return context


def loop_factory(settings: SmtpSettings) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where it is wanted and installed, else asyncio's own loop."""
    if settings.uvloop:
        try:
            import uvloop  # noqa: PLC0415  # optional on platforms other than Linux
        except ImportError:
            return asyncio.new_event_loop
        return uvloop.new_event_loop
    return asyncio.new_event_loop
