"""The bytes between 354 and the final dot: strict line ends, bounded memory, no parsing line by line."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from mailflow import crash

END = b"\r\n.\r\n"
_CHUNK = 64 * 1024


class Collector:
    """Takes the DATA of one mail in whatever pieces the network gives (RFC 5321 §4.1.1.4, §4.5.2).

    Only CRLF.CRLF ends it; every other mixture of CR, LF and dots is data (and makes the mail ``bare``). Up to
    ``spool_over`` bytes wait in memory, beyond it in a file under ``spool``; beyond ``limit`` bytes are counted
    and forgotten, so that memory stays flat whatever comes.
    """

    def __init__(self, limit: int, spool_over: int, spool: Path) -> None:
        self._limit = limit
        self._spool_over = spool_over
        self._spool = spool
        # As if the 354 had ended a line: a mail may consist of the final dot alone.
        self._pending = bytearray(b"\r\n")
        self._looked = 0
        self._file: BinaryIO | None = None
        self._name: Path | None = None
        self.size = 0
        self.done = self.broken = False

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return len(self._pending)

    @property
    def too_large(self) -> bool:
        """Whether more came than is accepted."""
        return self.size > self._limit

    @property
    def spooled(self) -> bool:
        """Whether the mail waits in a file."""
        return self._name is not None

    def feed(self, data: bytes) -> bytes | None:
        """Takes a piece; returns what stands behind the final dot once that has come, ``None`` before.

        Where the disk fails the mail is ``broken``, and the rest of it is forgotten as it comes: the sender listens after the dot.
        """
        if not self.size:
            crash.point("data.partial")
        self._pending += data
        end = self._pending.find(END, self._looked)
        if end < 0:
            self.size += len(data)
            self._looked = max(0, len(self._pending) - len(END) + 1)
            try:
                self._move_out()
            except OSError:
                self.broken = True
                self._move_out()
            return None
        rest = bytes(self._pending[end + len(END) :])
        self.size += len(data) - len(rest)
        del self._pending[end + 2 :]
        self.done = True
        return rest

    def _move_out(self) -> None:
        """Keeps only what the search for the end still needs, when there is more than memory should hold."""
        if self.too_large or self.broken:
            del self._pending[: self._looked]
            self._looked = 0
            self.discard()
        elif len(self._pending) > self._spool_over or (self._file and len(self._pending) > _CHUNK):
            if self._file is None:
                handle, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", suffix=".arriving", dir=self._spool)
                self._file, self._name = os.fdopen(handle, "wb"), Path(name)
            self._file.write(self._pending[: self._looked])
            crash.point("raw.tmp_written")
            del self._pending[: self._looked]
            self._looked = 0

    def content(self) -> bytes:
        """The mail, dots unstuffed, once ``done``. Raises OSError."""
        if self._file is None or self._name is None:
            stuffed = bytes(self._pending)
        else:
            self._file.write(self._pending)
            self._file.flush()
            os.fsync(self._file.fileno())
            crash.point("raw.fsynced.before_insert")
            stuffed = self._name.read_bytes()
        return stuffed.replace(b"\r\n.", b"\r\n")[2:]

    def discard(self) -> None:
        """Removes the spool file; safe to call twice."""
        if self._file is not None and self._name is not None:
            # What is thrown away need not reach the disk.
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._name.unlink()
            self._file = self._name = None


def is_bare(raw: bytes) -> bool:
    """Whether a CR or LF stands alone, or a NUL anywhere: two readers would see two mails (RFC 5321 §2.3.8)."""
    lines = raw.count(b"\r\n")
    return raw.count(b"\r") != lines or raw.count(b"\n") != lines or b"\0" in raw


def hops(raw: bytes) -> int:
    """How many Received fields the header block holds (RFC 5321 §6.3)."""
    end = raw.find(b"\r\n\r\n")
    head = b"\r\n" + (raw if end < 0 else raw[:end]).lower()
    return head.count(b"\r\nreceived:")


def sweep(spool: Path) -> int:
    """Removes what a killed listener left behind; nobody was told 250 for it. Returns how many files."""
    left = [file for file in spool.glob("*.arriving") if not _is_alive(file.name.partition("-")[0])]
    for file in left:
        file.unlink(missing_ok=True)
    return len(left)


def _is_alive(pid: str) -> bool:
    """Whether another process has this number. Our own files are not there yet: in a container our number was our forerunner's."""
    if not pid.isdecimal() or not 0 < int(pid) < 2**31 or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
