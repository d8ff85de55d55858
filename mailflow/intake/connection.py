"""One SMTP connection on aiosmtpd, hardened: counted in and out, bounded in time and memory, and never a word about our insides."""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP

from mailflow.config.settings import LimitSettings, SmtpSettings
from mailflow.intake import Keeping
from mailflow.intake.answers import Answers
from mailflow.intake.dataphase import Collector
from mailflow.intake.limits import House
from mailflow.model.outside import Now

log = logging.getLogger("mailflow.intake")

LATER = "451 4.3.0 Try again later"
LINE_LIMIT = 1024
"""Longest command line, CRLF included; RFC 5321 §4.5.3.1.4 asks for 512 and more with extensions."""
BACKLOG = 64 * 1024
"""Pipelined bytes that may wait behind a commit before the client is no longer read."""
DRIP_GRACE = 10.0
LINGER = 5.0
"""Seconds a client has to read our last words."""
_HTTP = re.compile(rb"(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT) \S")
_CARRY_MAIL = frozenset({"MAIL", "RCPT", "DATA", "QUIT"})


@dataclass(frozen=True)
class Door:
    """What all sessions of a listener share. ``campaigns`` maps canonical addresses to slugs; ``tasks`` outlive their sessions."""

    settings: SmtpSettings
    limits: LimitSettings
    campaigns: Mapping[str, str]
    keeper: Keeping
    now: Now
    house: House
    spool: Path
    large: asyncio.Semaphore
    answers: Answers
    sessions: "set[Connection]" = field(default_factory=set)
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)


class Connection(SMTP):
    """aiosmtpd's protocol with an own, synchronous command loop: what has come is answered before anything else runs.

    ``_waiting`` is set before the greeting and while a commit or a TLS handshake runs: commands behind it stay in the buffer. The commands are in session.
    """

    verbs: ClassVar[Mapping[str, str]] = {}

    def __init__(self, door: Door, **options: Any) -> None:
        settings = door.settings
        super().__init__(
            None, hostname=settings.hostname, ident="mailflow", data_size_limit=settings.max_message_bytes, enable_SMTPUTF8=False, **options
        )
        self._door = door
        self._buffer = bytearray()
        self._looked = 0
        self._skipping = self._inside = self._committing = self._eof = self._unread = False
        # Who talks before the greeting waits for it.
        self._waiting = True
        self._collector: Collector | None = None
        self._counted = 0
        self._peer = ""
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._campaign: str | None = None
        self._mails = self._idle_commands = self._errors = 0
        self._began = self._last = self._data_began = self._closed_at = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Counts the connection in, or turns it away. After STARTTLS it comes again: whatever was sent in the clear is forgotten."""
        first = self._original_transport is None
        super().connection_made(transport)
        self._buffer.clear()
        self._looked = 0
        if first:
            self._peer = str((transport.get_extra_info("peername") or ("",))[0])
            self._inside = self._door.house.enter(self._peer)
            self._door.sessions.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Counts the connection out. A mail that was handed to the keeper stays with it."""
        self._door.sessions.discard(self)
        if self._inside:
            self._door.house.leave(self._peer)
            self._inside = False
        self._buffer.clear()
        if not self._committing:
            self._end_data()
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """A client that closes its sending half still hears what became of its mail; aiosmtpd would cancel the commit."""
        self._eof = True
        return (self._waiting or self._unread) and self.session is not None and self.session.ssl is None

    def data_received(self, data: bytes) -> None:
        """Takes what has come and answers it, as far as the client reads."""
        self._last = self.loop.time()
        if self._collector is not None and not self._waiting and not self._buffer:
            self._collect(data)
        else:
            self._buffer += data
        self._pump()

    def pause_writing(self) -> None:
        """The client does not read what we say: it is not listened to either."""
        super().pause_writing()
        self._unread = True

    def resume_writing(self) -> None:
        """The client has read: on with what it had sent."""
        super().resume_writing()
        self._unread = False
        self._pump()

    def _pump(self) -> None:
        """Handles what the buffer holds, one line or one piece of DATA at a time."""
        while self._buffer and self._inside and not self._waiting and not self._unread and self._open():
            if self._collector is not None:
                data = bytes(self._buffer)
                self._buffer.clear()
                self._collect(data)
            elif not self._line():
                break
        if not self._open():
            self._buffer.clear()
        elif self._waiting or self._unread:
            if len(self._buffer) > BACKLOG:
                self._read(False)
        else:
            self._read(True)
            if self._eof:
                self._close()

    def _open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def _read(self, on: bool) -> None:
        transport: Any = self.transport
        if transport.is_reading() is not on and not self._eof:
            (transport.resume_reading if on else transport.pause_reading)()

    def _line(self) -> bool:
        """Handles the next line; says whether there was one. Of an endless line nothing is kept, and it is refused once."""
        end = self._buffer.find(b"\n", self._looked) + 1
        line = bytes(self._buffer[:end])
        too_long = (end or len(self._buffer)) > LINE_LIMIT
        self._looked = 0 if end or too_long else len(self._buffer)
        if end or too_long:
            del self._buffer[: end or len(self._buffer)]
        if too_long and not self._skipping:
            self._wrong("500 5.5.2 Line too long")
        elif end and not self._skipping:
            self._safely(line)
        self._skipping = not end and (too_long or self._skipping)
        return end > 0

    def _safely(self, line: bytes) -> None:
        """No text of an exception ever goes out (F1)."""
        try:
            self._command(line)
        except Exception as error:  # noqa: BLE001 - the SMTP edge: whatever it is, the sender keeps the mail
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        log.error("session failed: %s", type(error).__name__)
        self._end_data()
        self._forget()
        self._say(LATER)

    def _command(self, line: bytes) -> None:
        if not line.endswith(b"\r\n") or b"\0" in line or line.count(b"\r") > 1:
            self._wrong("500 5.5.2 Bare line ending")
            return
        if _HTTP.match(line):
            self._close()
            return
        verb, _, argument = line[:-2].partition(b" ")
        try:
            name, arg = verb.decode("ascii").upper(), argument.decode("ascii").strip()
        except UnicodeDecodeError:
            self._wrong("500 5.5.2 Only ASCII, please")
            return
        method = self.verbs.get(name)
        if method is None:
            self._wrong("500 5.5.1 Unknown command")
            return
        self._idle_commands += name not in _CARRY_MAIL
        if self._idle_commands > self._door.settings.max_commands:
            self._goodbye("421 4.7.0 Too many commands")
            return
        getattr(self, method)(arg)

    async def _handle_client(self) -> None:
        """aiosmtpd's command loop: here only the greeting, the rest happens as bytes come."""
        self._waiting = False
        if self._inside:
            self._say(f"220 {self.hostname} ESMTP")
            self._pump()
        else:
            self._goodbye("421 4.7.0 Too many connections, try again later")

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd's own net below ours; constant, too."""
        log.error("session failed: %s", type(error).__name__)
        return LATER

    def _reset_timeout(self, duration: float | None = None) -> None:
        """One sweep a second looks after all sessions (see ``overdue``); a timer a command would cost more."""
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(0, lambda: None)

    def overdue(self) -> str:
        """Why this session must end now, or ``""``. A commit that runs has a limit of its own."""
        now, settings = self.loop.time(), self._door.settings
        if self._committing:
            return ""
        if now - self._began > settings.session_seconds:
            return "session too long"
        if now - self._last > settings.idle_seconds:
            return "idle"
        if self._collector is not None:
            seconds = now - self._data_began - DRIP_GRACE
            if seconds > 0 and self._collector.size < seconds * settings.data_bytes_per_second:
                return "too slow"
        return "closed" if not self._open() and now - self._closed_at > LINGER else ""

    def dismiss(self) -> None:
        """Says 421 and closes, unless a mail is being committed at this moment. Who does not read that is cut off."""
        transport: Any = self.transport
        if transport is None or self._committing:
            return
        if self._open():
            self._goodbye("421 4.4.2 Closing")
        elif self.loop.time() - self._closed_at > LINGER:
            transport.abort()

    @property
    def busy(self) -> bool:
        """Whether a mail is arriving or being committed."""
        return self._committing or self._collector is not None

    def _say(self, reply: str) -> None:
        if self._open():
            self._writer.transport.write(reply.encode("ascii") + b"\r\n")

    def _wrong(self, reply: str) -> None:
        self._errors += 1
        if self._errors > self._door.settings.max_errors:
            self._goodbye("421 4.7.0 Too many errors")
        else:
            self._say(reply)

    def _goodbye(self, reply: str) -> None:
        self._say(reply)
        self._close()

    def _close(self) -> None:
        if self.transport is not None and self._open():
            self._closed_at = self.loop.time()
            self.transport.close()

    def _collect(self, data: bytes) -> None:
        """Feeds the collector and keeps the house's count of memory."""
        collector = self._collector
        if collector is None:
            raise AssertionError("no DATA phase")
        rest = collector.feed(data)
        self._door.house.memory += collector.held - self._counted
        self._counted = collector.held
        if rest is not None:
            self._buffer += rest
            self._arrived(collector)

    def _arrived(self, collector: Collector) -> None:
        """The final dot has come."""
        raise NotImplementedError

    def _end_data(self) -> None:
        """Leaves the DATA phase, however it ended."""
        self._door.house.memory -= self._counted
        self._counted = 0
        if self._collector is not None:
            self._collector.discard()
        self._collector = None

    def _forget(self) -> None:
        self._sender, self._recipients, self._campaign = None, [], None
