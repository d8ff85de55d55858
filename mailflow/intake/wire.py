"""The bytes of one connection on aiosmtpd's protocol: counted in and out, cut into lines, read no faster than they are answered."""

import asyncio
import logging
import socket
from typing import Any

from aiosmtpd.smtp import SMTP

from mailflow.intake import proxy
from mailflow.intake.door import Door
from mailflow.intake.limits import UNIX, is_among

log = logging.getLogger("mailflow.intake")

LINE_LIMIT = 1024
"""Longest command line, CRLF included; RFC 5321 §4.5.3.1.4 asks for 512 and more with extensions."""
BACKLOG = 64 * 1024
"""Pipelined bytes that may wait behind a commit before the client is no longer read."""


class Wire(SMTP):
    """aiosmtpd's protocol with an own, synchronous reader: what has come is answered before anything else runs.

    ``_waiting`` is set before the greeting and while a commit or a TLS handshake runs: commands behind it stay in the buffer.
    ``_header_due`` is set while a proxy has not said yet whom it speaks for.
    """

    protocol = "ESMTP"

    def __init__(self, door: Door, **options: Any) -> None:
        settings = door.settings
        super().__init__(
            None, hostname=settings.hostname, ident="mailflow", data_size_limit=settings.max_message_bytes, enable_SMTPUTF8=False, **options
        )
        self._door = door
        self._buffer = bytearray()
        self._looked = 0
        self._skipping = self._inside = self._committing = self._eof = self._unread = self._header_due = self._welcomed = False
        # Who talks before the greeting waits for it.
        self._waiting = True
        self._peer = ""
        self._began = self._last = self._closed_at = self._mailed = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Counts the connection in, or turns it away. After STARTTLS it comes again: whatever was sent in the clear is forgotten."""
        first = self._original_transport is None
        super().connection_made(transport)
        self._buffer.clear()
        self._looked = 0
        if first:
            self._peer = _peer_of(transport)
            self._header_due = is_among(self._peer, self._door.proxies)
            self._inside = self._door.house.enter(self._peer, self._door.make_room, for_many=self._header_due)
            self._door.sessions.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Counts the connection out. A mail that was handed to the keeper stays with it."""
        self._door.sessions.discard(self)
        self._leave()
        self._buffer.clear()
        if not self._committing:
            self._end_data()
        super().connection_lost(error)

    def _leave(self) -> None:
        if self._inside:
            self._door.house.leave(self._peer)
            self._inside = False

    def eof_received(self) -> bool | None:
        """A client that closes its sending half still hears what became of its mail; aiosmtpd would cancel the commit."""
        self._eof = True
        return (self._waiting or self._unread) and self.session is not None and self.session.ssl is None

    def data_received(self, data: bytes) -> None:
        """Takes what has come and answers it, as far as the client reads."""
        self._last = self.loop.time()
        if self._header_due:
            self._buffer += data
            self._take_header()
        elif self._collecting and not self._waiting and not self._buffer:
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

    def _take_header(self) -> None:
        """The PROXY header of a proxy that is known: from now on its client is the one that is counted. A wrong one is not answered."""
        try:
            found = proxy.header(self._buffer)
        except proxy.Malformed:
            log.info("a proxy is hung up on: its header is malformed")
            self._hang_up()
            return
        if found is None or not self._open():
            return
        del self._buffer[: found.length]
        self._header_due = False
        if self._inside and found.client:
            self._leave()
            self._peer = found.client
            self._inside = self._door.house.enter(self._peer, self._door.make_room)
        self._welcome()

    def _pump(self) -> None:
        """Handles what the buffer holds, one line or one piece of DATA at a time."""
        while self._buffer and self._inside and not self._waiting and not self._unread and self._open():
            if self._collecting:
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

    async def _handle_client(self) -> None:
        """aiosmtpd's command loop: here only the greeting, the rest happens as bytes come."""
        if not self._welcomed and not (self._header_due and self._inside):
            self._welcome()

    def _welcome(self) -> None:
        self._welcomed = True
        self._waiting = False
        if self._inside:
            self._say(f"220 {self.hostname} {self.protocol}")
            self._pump()
        else:
            self._goodbye("421 4.7.0 Too many connections, try again later")

    def _say(self, reply: str) -> None:
        if self._open():
            self._writer.transport.write(reply.encode("ascii") + b"\r\n")

    def _goodbye(self, reply: str) -> None:
        self._say(reply)
        self._close()

    def _hang_up(self) -> None:
        """Closes without a word."""
        self._buffer.clear()
        self._close()

    def _close(self) -> None:
        if self.transport is not None and self._open():
            self._closed_at = self.loop.time()
            self.transport.close()

    @property
    def busy(self) -> bool:
        """Whether a mail is arriving or being committed."""
        raise NotImplementedError

    def overdue(self) -> str:
        """Why this session must end now, or ``""``."""
        raise NotImplementedError

    @property
    def outside_since(self) -> float | None:
        """Since when nothing of a mail has come; ``None`` for who is in the midst of one, or was not let in."""
        raise NotImplementedError

    def give_way(self) -> None:
        """Ends the session for another's sake."""
        raise NotImplementedError

    def dismiss(self) -> None:
        """Ends the session, unless a mail is being committed at this moment."""
        raise NotImplementedError

    @property
    def _collecting(self) -> bool:
        """Whether what comes now is a mail."""
        raise NotImplementedError

    def _safely(self, line: bytes) -> None:
        """Answers a command line."""
        raise NotImplementedError

    def _wrong(self, reply: str) -> None:
        """Answers what should not have been said."""
        raise NotImplementedError

    def _collect(self, data: bytes) -> None:
        """Takes a piece of a mail."""
        raise NotImplementedError

    def _end_data(self) -> None:
        """Leaves the DATA phase, however it ended."""
        raise NotImplementedError


def _peer_of(transport: asyncio.BaseTransport) -> str:
    """The address at the other end; UNIX where it is a process of this machine on a unix socket."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family == socket.AF_UNIX:
        return UNIX
    return str((transport.get_extra_info("peername") or ("",))[0])
