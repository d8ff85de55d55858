"""One SMTP connection on aiosmtpd, hardened: counted in and out, bounded in time, and never a word about our insides."""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, TLSSetupException

from mailflow.config.settings import LimitSettings, SmtpSettings
from mailflow.intake import Keeping
from mailflow.intake.dataphase import Collector
from mailflow.intake.limits import House
from mailflow.model.outside import Now

log = logging.getLogger("mailflow.intake")

LATER = "451 4.3.0 Try again later"
_HTTP = re.compile(rb"(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT) \S")
_CARRY_MAIL = frozenset({"MAIL", "RCPT", "DATA", "QUIT"})


@dataclass(frozen=True)
class Door:
    """What all sessions of a listener share. ``campaigns`` maps canonical addresses to slugs."""

    settings: SmtpSettings
    limits: LimitSettings
    campaigns: Mapping[str, str]
    keeper: Keeping
    now: Now
    house: House
    spool: Path
    sessions: "set[Connection]"
    large: asyncio.Semaphore


class Connection(SMTP):
    """aiosmtpd's protocol with an own DATA phase, own limits and an own, cheaper command loop; commands are in session."""

    verbs: ClassVar[Mapping[str, str]] = {}

    def __init__(self, door: Door, **options: Any) -> None:
        settings = door.settings
        super().__init__(
            None, hostname=settings.hostname, ident="mailflow", data_size_limit=settings.max_message_bytes, enable_SMTPUTF8=False, **options
        )
        self._door = door
        self._collector: Collector | None = None
        self._collected: asyncio.Future[None] | None = None
        self._inside = False
        self._peer = ""
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._campaign: str | None = None
        self._mails = self._idle_commands = self._errors = 0
        self._began = self._last = self._data_began = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Counts the connection in, or turns it away."""
        first = self._original_transport is None
        super().connection_made(transport)
        if first:
            self._peer = str((transport.get_extra_info("peername") or ("",))[0])
            self._inside = self._door.house.enter(self._peer)
            self._door.sessions.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Counts the connection out. A commit that is under way goes on: it is shielded."""
        self._door.sessions.discard(self)
        if self._inside:
            self._door.house.leave(self._peer)
            self._inside = False
        self._end_data()
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """A client that closes its sending half still hears what became of its mail (aiosmtpd would cancel the commit)."""
        if self._collected is not None and not self._collected.done():
            self._collected.cancel()
        self._reader.feed_eof()
        return self.session is not None and self.session.ssl is None

    def data_received(self, data: bytes) -> None:
        """In the DATA phase bytes go to the collector, never through the line reader."""
        self._last = self.loop.time()
        if self._collector is None or self._collected is None or self._collected.done():
            super().data_received(data)
            return
        rest = self._collect(data)
        if rest:
            super().data_received(rest)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """One sweep a second looks after all sessions (see ``overdue``); a timer a command would cost more."""
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(0, lambda: None)
        self._last = self.loop.time()

    def overdue(self) -> str:
        """Why this session must end now, or ``""``."""
        now, settings = self.loop.time(), self._door.settings
        if now - self._began > settings.session_seconds:
            return "session too long"
        if now - self._last > settings.idle_seconds:
            return "idle"
        if self._collector is not None and self._collected is not None and not self._collected.done():
            seconds = now - self._data_began - 10
            if seconds > 0 and self._collector.size < seconds * settings.data_bytes_per_second:
                return "too slow"
        return ""

    def dismiss(self) -> None:
        """Says 421 and closes, unless a mail is being committed at this moment."""
        if self.transport is not None and not self._committing():
            self._writer.write(b"421 4.4.2 Closing\r\n")
            self.transport.close()

    def _committing(self) -> bool:
        return self._collected is not None and self._collected.done()

    @property
    def busy(self) -> bool:
        """Whether a mail is arriving or being committed."""
        return self._collected is not None

    async def _handle_client(self) -> None:
        """Reads and answers commands until the end; no text of an exception ever goes out (F1)."""
        if not self._inside:
            await self.push("421 4.7.0 Too many connections, try again later")
            self._close()
            return
        await self.push(f"220 {self.hostname} ESMTP")
        while self.transport is not None and not self.transport.is_closing():
            try:
                line = await self._reader.readuntil(b"\n")
                await self._command(line)
            except asyncio.IncompleteReadError:
                self._close()
            except asyncio.LimitOverrunError as error:
                await self._reader.read(error.consumed)
                await self._wrong("500 5.5.2 Line too long")
            except (ConnectionError, asyncio.CancelledError):
                self._writer.close()
                raise
            except Exception as error:  # the SMTP edge: whatever it is, the sender keeps the mail
                log.error("session failed: %s", type(error).__name__)
                self._end_data()
                await self.push(LATER)
                if isinstance(error, TLSSetupException):
                    self._close()

    async def _command(self, line: bytes) -> None:
        self._last = self.loop.time()
        if not line.endswith(b"\r\n") or b"\0" in line or line.count(b"\r") > 1:
            await self._wrong("500 5.5.2 Bare line ending")
            return
        if _HTTP.match(line):
            self._close()
            return
        verb, _, argument = line[:-2].partition(b" ")
        try:
            name, arg = verb.decode("ascii").upper(), argument.decode("ascii").strip()
        except UnicodeDecodeError:
            await self._wrong("500 5.5.2 Only ASCII, please")
            return
        method = self.verbs.get(name)
        if method is None:
            await self._wrong("500 5.5.1 Unknown command")
            return
        self._idle_commands += name not in _CARRY_MAIL
        if self._idle_commands > self._door.settings.max_commands:
            await self._goodbye("421 4.7.0 Too many commands")
            return
        await getattr(self, method)(arg)

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd's own net below ours; constant, too."""
        log.error("session failed: %s", type(error).__name__)
        return LATER

    async def _wrong(self, reply: str) -> None:
        self._errors += 1
        if self._errors > self._door.settings.max_errors:
            await self._goodbye("421 4.7.0 Too many errors")
        else:
            await self.push(reply)

    async def _goodbye(self, reply: str) -> None:
        await self.push(reply)
        self._close()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def _collect(self, data: bytes) -> bytes:
        """Feeds the collector and keeps the house's count of memory; a disk that fails ends the session."""
        collector, collected = self._collector, self._collected
        if collector is None or collected is None:
            raise AssertionError("no DATA phase")
        before = collector.held
        try:
            rest = collector.feed(data)
        except OSError as error:
            collected.set_exception(error)
            return b""
        self._door.house.memory += collector.held - before
        if rest is None:
            return b""
        collected.set_result(None)
        return rest

    def _end_data(self) -> None:
        """Leaves the DATA phase, however it ended."""
        if self._collector is not None:
            self._door.house.memory -= self._collector.held - 2 if self._collector.held > 2 else 0
            self._collector.discard()
        if self._collected is not None and not self._collected.done():
            self._collected.cancel()
        self._collector = self._collected = None

    def _forget(self) -> None:
        self._sender, self._recipients, self._campaign = None, [], None
