"""One connection to one folder: IMAPClient behind types, time limits and a cap on what a server may send."""

import hashlib
import imaplib
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from mailflow.config.imap import ImapSettings
from mailflow.intake.imap.guard import Guard
from mailflow.intake.imap.trouble import LoginRefused, MailboxTrouble, troubles

log = logging.getLogger("mailflow.imap")
logging.getLogger("imapclient").setLevel(logging.WARNING)  # at DEBUG it writes whole mails into the log

MOST_UIDS = 500
"""Dovecot refuses command lines of more than 64 KB, and IMAPClient writes every number out."""
_BEYOND = 2**32
"""UIDs and UIDVALIDITY are 32-bit numbers and not nought (RFC 9051 §9)."""
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 4))

Secret = Callable[[bool], str]
"""Gives the password or access token; True: the last one was refused, get another."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What SELECT says. ``uidnext`` is 0 where the server does not tell; ``keywords``: new ones may be made (RFC 9051 §7.1)."""

    uidvalidity: int
    uidnext: int
    keywords: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail as the server describes it before it is fetched; ``head`` are the header fields that were asked for."""

    uid: int
    size: int
    arrived: datetime
    head: bytes = b""


class Session:
    """A connection that is logged in. Every method raises MailboxTrouble; after it the session is of no more use."""

    def __init__(self, client: IMAPClient, account: ImapSettings) -> None:
        self._client = client
        self._account = account
        self._guard = Guard(client)
        self._idling = False

    def select(self, folder: str, *, readonly: bool) -> Folder:
        """Opens a folder."""
        with troubles(f"folder {folder!r}"):
            said = self._client.select_folder(folder, readonly=readonly)
            flags = said.get(b"PERMANENTFLAGS", ())
            return Folder(_number(said[b"UIDVALIDITY"]), int(said.get(b"UIDNEXT", 0)), b"\\*" in flags)

    def search(self, first: int, since: date | None) -> list[int]:
        """The UIDs from ``first`` on of mails that arrived since a day, ascending. ``n:*`` names the last mail even below n (§6.4.8)."""
        criteria: list[Any] = ["UID", f"{first}:*"]
        if since is not None:
            criteria += ["SINCE", since]
        with troubles("search"):
            self._client.noop()
            return sorted({_number(uid) for uid in self._client.search(criteria) if uid >= first})

    def exist(self, uids: Sequence[int]) -> set[int]:
        """Which of these mails are still there."""
        with troubles("search"):
            return {int(uid) for some in chunks(uids) for uid in self._client.search(["UID", ",".join(map(str, some))])}

    def listed(self, uids: Sequence[int], fields: str) -> list[Listed]:
        """Size, time and, if asked for, some header fields of mails. Those that are gone are left out."""
        wanted = ["RFC822.SIZE", "INTERNALDATE", *([f"BODY.PEEK[HEADER.FIELDS ({fields})]"] if fields else [])]
        self._guard.expect_answer()
        with troubles("fetch"):
            found = {uid: one for some in chunks(uids) for uid, one in self._client.fetch(list(some), wanted).items()}
            return [
                Listed(uid, int(found[uid][b"RFC822.SIZE"]), found[uid][b"INTERNALDATE"], _head(found[uid]))
                for uid in uids
                if uid in found and isinstance(found[uid].get(b"INTERNALDATE"), datetime) and b"RFC822.SIZE" in found[uid]
            ]

    def larger(self, uids: Sequence[int], size: int) -> set[int]:
        """Which of some mails, whose UIDs ascend, are larger than so many bytes."""
        with troubles("search"):
            found = self._client.search(["UID", f"{uids[0]}:{uids[-1]}", "LARGER", size])
            return {int(uid) for uid in found}.intersection(uids)

    def bodies(self, uids: Sequence[int]) -> dict[int, tuple[bytes, datetime]]:
        """The bytes of mails and when they arrived, those that the server gave; no flag is set."""
        self._guard.expect_answer()
        with troubles("fetch"):
            found = self._client.fetch(list(uids), ["INTERNALDATE", "BODY.PEEK[]"])
            given = {uid: (one.get(b"BODY[]"), one.get(b"INTERNALDATE")) for uid, one in found.items() if uid in uids}
            return {uid: (body, at) for uid, (body, at) in given.items() if isinstance(body, bytes) and isinstance(at, datetime)}

    def piece(self, uid: int, start: int, size: int) -> bytes:
        """A part of one mail's bytes; empty where nothing is left or nothing is given."""
        self._guard.expect_answer()
        with troubles("fetch"):
            found = self._client.fetch([uid], [f"BODY.PEEK[]<{start}.{size}>"]).get(uid, {})
            return next((value for key, value in found.items() if key.startswith(b"BODY[]") and isinstance(value, bytes)), b"")

    def add_flag(self, uids: Sequence[int], flag: str) -> None:
        """Sets the flag of read mails, or a keyword."""
        with troubles("flag"):
            self._client.add_flags(list(uids), [flag.encode()], silent=True)

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Moves mails to a folder, which is made if it is missing; with MOVE (RFC 6851) or by copy and expunge."""
        with troubles(f"move to {folder!r}"):
            if not self._client.folder_exists(folder):
                self._client.create_folder(folder)
            if self._client.has_capability("MOVE"):
                self._client.move(list(uids), folder)
                return
            self._client.copy(list(uids), folder)
        self.delete(uids)

    def delete(self, uids: Sequence[int]) -> None:
        """Deletes mails; without UIDPLUS (RFC 4315) only where no mail of somebody else's deleting would go with them."""
        with troubles("delete"):
            self._client.add_flags(list(uids), [rb"\Deleted"], silent=True)
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge(list(uids))
            elif set(self._client.search("DELETED")) <= set(uids):
                self._client.expunge()

    @property
    def can_idle(self) -> bool:
        """Whether the server has IDLE (RFC 2177)."""
        with troubles("capability"):
            return bool(self._client.has_capability("IDLE"))

    def start_idle(self) -> None:
        """Asks to be told of changes."""
        with troubles("idle"):
            self._client.idle()
            self._idling = True

    def heard(self, seconds: float) -> bool:
        """Whether the server said anything within some seconds of IDLE. An early silence means that it hung up."""
        with troubles("idle"):
            if self._guard.holds_a_line():
                return True
            sock = self._client.socket()
            said = self._client.idle_check(timeout=seconds)
            sock.settimeout(self._account.timeout_seconds)
        if any(isinstance(line, tuple) and line[:1] == (b"BYE",) for line in said):
            raise MailboxTrouble("idle: the server says goodbye")
        return bool(said)

    def stop_idle(self) -> None:
        """Ends IDLE; what was said meanwhile is asked for by the next search."""
        with troubles("idle"):
            self._idling = False
            self._client.idle_done()

    def close(self) -> None:
        """Hangs up, politely if that is possible."""
        try:
            if self._idling:
                self._client.shutdown()
            else:
                self._client.logout()
        except (OSError, imaplib.IMAP4.error, ValueError, LookupError, TypeError, AttributeError):
            shut(self._client)


def shut(client: IMAPClient) -> None:
    """Hangs up without a word."""
    try:
        client.shutdown()
    except (OSError, imaplib.IMAP4.error) as error:
        log.debug("hanging up: %s", type(error).__name__)


def connect(account: ImapSettings, secret: Secret) -> Session:
    """Connects and logs in. Raises LoginRefused, MailboxTrouble, and what ``secret`` raises."""
    with troubles(f"{account.host} port {account.port}"):
        client = _connected(account)
    try:
        _log_in(client, account, secret)
    except BaseException:
        shut(client)
        raise
    return Session(client, account)


def _connected(account: ImapSettings) -> IMAPClient:
    context = _context(account)
    timeout = SocketTimeout(connect=account.timeout_seconds, read=account.timeout_seconds)
    client = IMAPClient(account.host, account.port, ssl=account.security == "tls", ssl_context=context, timeout=timeout)
    client.normalise_times = False
    try:
        _secure(client, account, context)
    except BaseException:
        shut(client)
        raise
    return client


def _secure(client: IMAPClient, account: ImapSettings, context: ssl.SSLContext) -> None:
    """STARTTLS and the pinned certificate, where the account asks for them; and the kernel's own look for a dead peer."""
    if account.security == "starttls":
        client.starttls(context)
    sock = client.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    if account.pin_sha256 is not None and account.security != "none":
        _check_pin(sock, account.pin_sha256)


def _context(account: ImapSettings) -> ssl.SSLContext:
    """The system's trust, or none at all where one certificate is pinned: that is then compared byte for byte."""
    context = ssl.create_default_context()
    if account.pin_sha256 is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_pin(sock: Any, pin: str) -> None:
    shown = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
    if shown != pin.replace(":", "").lower():
        raise MailboxTrouble(f"the certificate is not the pinned one; if it was renewed, set pin_sha256 to its SHA-256, {shown}")


def _log_in(client: IMAPClient, account: ImapSettings, secret: Secret) -> None:
    for again in (False, True):
        word = secret(again)
        try:
            with troubles("login"):
                if account.oauth is None:
                    client.login(account.user, word)
                else:
                    _present_token(client, account.user, word)
        except MailboxTrouble as error:
            if not isinstance(error.__cause__, LoginError):
                raise
            if account.oauth is None or again:
                raise LoginRefused(f"login as {account.user!r} is refused; see the account's password or consent") from error
        else:
            return


def _present_token(client: IMAPClient, user: str, token: str) -> None:
    """By OAUTHBEARER (RFC 7628) where it is offered, else XOAUTH2."""
    if client.has_capability("AUTH=OAUTHBEARER"):
        client.oauthbearer_login(user, token)
    else:
        client.oauth2_login(user, token)


def _number(value: int) -> int:
    """A number as the protocol has them. Raises ValueError."""
    if not 0 < int(value) < _BEYOND:
        raise ValueError("no number of a mail or folder")
    return int(value)


def _head(answer: dict[bytes, Any]) -> bytes:
    """The header fields in a FETCH answer; its key repeats the fields as the server likes to write them."""
    return next((value for key, value in answer.items() if key.startswith(b"BODY[HEADER") and isinstance(value, bytes)), b"")


def chunks(uids: Sequence[int], size: int = MOST_UIDS) -> Iterable[Sequence[int]]:
    """Some hundred numbers at a time."""
    return (uids[start : start + size] for start in range(0, len(uids), size))
