"""One connection as a session, hardened: bounded in time and in wrong commands, and never a word about our insides."""

import logging
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from mailflow.intake.dataphase import Collector
from mailflow.intake.door import Door
from mailflow.intake.paths import Recipient
from mailflow.intake.wire import Wire

log = logging.getLogger("mailflow.intake")

LATER = "451 4.3.0 Try again later"
DRIP_GRACE = 10.0
LINGER = 5.0
"""Seconds a client has to read our last words."""
HEADER_SECONDS = 5.0
"""How long a proxy may take to say whom it speaks for."""
_HTTP = re.compile(rb"(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT) \S")
_CARRY_MAIL = frozenset({"MAIL", "RCPT", "DATA", "QUIT"})
_WITH_ADDRESS = frozenset({"MAIL", "RCPT"})


class Connection(Wire):
    """Finds the method for each command, and an end for each session. The commands themselves are in session and lmtp."""

    verbs: ClassVar[Mapping[str, str]] = {}

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(door, **options)
        self._collector: Collector | None = None
        self._counted = 0
        self._sender: str | None = None
        self._utf8 = False
        self._recipients: list[Recipient] = []
        self._mails = self._idle_commands = self._errors = 0
        self._data_began = self._began

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
        try:
            verb, _, argument = line[:-2].decode("utf-8").partition(" ")
        except UnicodeDecodeError:
            self._wrong("500 5.5.2 Not UTF-8")
            return
        name = verb.upper() if verb.isascii() else ""
        if not argument.isascii() and name not in _WITH_ADDRESS:
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
        getattr(self, method)(argument.strip(" \t"))

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
        if self._header_due and now - self._began > HEADER_SECONDS:
            return "no PROXY header"
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
        if not self._open():
            if self.loop.time() - self._closed_at > LINGER:
                transport.abort()
        elif self._header_due:
            self._hang_up()
        else:
            self._goodbye("421 4.4.2 Closing")

    @property
    def outside_since(self) -> float | None:
        """Since when nothing of a mail has come, by the loop's clock; ``None`` for who is in the midst of one, or was not let in."""
        return None if self.busy or not self._inside else self._mailed

    def give_way(self) -> None:
        """Ends the session for another's sake; its place is free at once."""
        self._leave()
        self.dismiss()

    @property
    def busy(self) -> bool:
        """Whether a mail is arriving or being committed."""
        return self._committing or self._collector is not None

    def _wrong(self, reply: str) -> None:
        self._errors += 1
        if self._errors > self._door.settings.max_errors:
            self._goodbye("421 4.7.0 Too many errors")
        else:
            self._say(reply)

    @property
    def _collecting(self) -> bool:
        return self._collector is not None

    def _collect(self, data: bytes) -> None:
        """Feeds the collector and keeps the process's count of memory."""
        collector = self._collector
        if collector is None:
            raise AssertionError("no DATA phase")
        rest = collector.feed(data)
        self._door.house.memory.held += collector.held - self._counted
        self._counted = collector.held
        if rest is not None:
            self._buffer += rest
            self._arrived(collector)

    def _arrived(self, collector: Collector) -> None:
        """The final dot has come."""
        raise NotImplementedError

    def _end_data(self) -> None:
        self._door.house.memory.held -= self._counted
        self._counted = 0
        if self._collector is not None:
            self._collector.discard()
        self._collector = None

    def _forget(self) -> None:
        """Ends the transaction, if there is one."""
        self._sender, self._utf8, self._recipients = None, False, []
