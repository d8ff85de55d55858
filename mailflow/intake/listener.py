"""The listener: sockets, one sweep a second over all sessions, and a clean end."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mailflow.config.settings import LimitSettings, SmtpSettings
from mailflow.intake import Keeping
from mailflow.intake.answers import Answers
from mailflow.intake.connection import Door
from mailflow.intake.dataphase import sweep
from mailflow.intake.limits import House
from mailflow.intake.session import SmtpSession
from mailflow.model.errors import BadConfig
from mailflow.model.outside import Now

log = logging.getLogger("mailflow.intake")

SWEEP_SECONDS = 1.0
LAST_MAILS_SECONDS = 20.0
LARGE_AT_ONCE = 2
"""Mails that waited in a file and are now read back: few at a time, since each is whole in memory for a moment."""


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
) -> None:
    """Listens until ``stop`` is set, then lets running mails finish for at most 20 s.

    ``campaigns`` maps canonical addresses (decide.identity) to slugs. ``sock`` is a bound socket to use
    instead of host and port. Raises BadConfig where the certificate or the address cannot be used.
    """
    left = sweep(spool)
    if left:
        log.info("removed %d half-arrived mails of a listener that was killed", left)
    house = House(settings, free_bytes, free_floor)
    context = tls_context(settings)
    loop = asyncio.get_running_loop()
    door = Door(settings, limits, campaigns, keeper, now, house, spool, asyncio.Semaphore(LARGE_AT_ONCE), Answers(loop))
    own = sock or bound_socket(settings)
    server = await loop.create_server(lambda: SmtpSession(door, tls_context=context, loop=loop), sock=own, backlog=512)
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SWEEP_SECONDS)
            _sweep_sessions(door)
    finally:
        server.close()
        await _finish(door)


def _sweep_sessions(door: Door) -> None:
    for session in list(door.sessions):
        if why := session.overdue():
            log.info("a session is closed: %s", why)
            session.dismiss()


async def _finish(door: Door) -> None:
    """Idle sessions hear 421; those in the middle of a mail get their answer first."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LAST_MAILS_SECONDS
    while (door.sessions or door.tasks) and loop.time() < until:
        for session in list(door.sessions):
            if not session.busy:
                session.dismiss()
        await asyncio.sleep(0.02)
    for session in list(door.sessions):
        session.dismiss()
    await asyncio.sleep(0)


def bound_socket(settings: SmtpSettings) -> socket.socket:
    """A socket for the listener that several processes may share (SO_REUSEPORT). Raises BadConfig."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        raise BadConfig(f"smtp.host/port: cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error
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
