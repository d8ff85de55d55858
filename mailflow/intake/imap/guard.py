"""A watch on what imaplib reads: it would hold whatever a server cares to send."""

import imaplib
from typing import Any

from imapclient import IMAPClient

LARGEST_LITERAL = 8 * 1024 * 1024
"""No answer that we ask for holds more; a server that announces more is not listened to."""


class Guard:
    """Sits between imaplib and the socket of one connection."""

    def __init__(self, client: IMAPClient) -> None:
        self._imap: Any = client._imap  # noqa: SLF001 - there is no public way to bound what is read
        self._imap.debug = 0  # IMAPClient sets 5: every line is then written out for a log that nobody keeps
        self._read = self._imap.read
        self._imap.read = self._bounded
        self._left = LARGEST_LITERAL

    def expect_answer(self) -> None:
        """From here on one more answer may come."""
        self._left = LARGEST_LITERAL

    def _bounded(self, size: int) -> bytes:
        """A literal. All those of one answer together are bounded: a thousand of moderate size fill a memory too."""
        self._left -= size
        if self._left < 0:
            raise imaplib.IMAP4.abort("literals too large")
        data: bytes = self._read(size)
        if len(data) < size:
            raise imaplib.IMAP4.abort("half a literal")
        return data

    def holds_a_line(self) -> bool:
        """Whether the server has said something already that lies in imaplib's buffer, where no poll() sees it."""
        sock = self._imap.sock
        before = sock.gettimeout()
        sock.setblocking(False)
        try:
            return bool(self._imap._get_line())  # noqa: SLF001 - as IMAPClient's own idle_check does
        except (OSError, imaplib.IMAP4.abort):
            return False
        finally:
            sock.settimeout(before)
