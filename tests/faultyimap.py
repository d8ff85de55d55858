"""An IMAP4rev1 server on loopback that has one mailbox in memory and fails on command."""

import re
import select
import socket
import socketserver
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from imapfaults import (
    ByeAt,
    DatedAs,
    DropAfter,
    DropAt,
    ExpungedBetween,
    Fault,
    FaultyImap,
    GarbageAt,
    HalfLiteral,
    IdlingAndExists,
    LieAboutExists,
    Mail,
    NoAt,
    SilentAt,
    WithoutBody,
    any_part,
    every_part,
    made_up,
    named,
)

PLAIN = (DropAt, DropAfter, ByeAt, SilentAt, NoAt, GarbageAt)
CAPABILITIES = "IMAP4rev1 IDLE MOVE UIDPLUS"
TICK = 0.02
PACKET = 64 * 1024
KNOWN = {
    *("CONNECT", "CAPABILITY", "LOGIN", "NOOP", "LIST", "CREATE", "SELECT", "EXAMINE"),
    *("SEARCH", "FETCH", "STORE", "MOVE", "COPY", "EXPUNGE", "DONE", "LOGOUT"),
}
_FIELDS = re.compile(rb"BODY\.PEEK\[HEADER\.FIELDS \(([^)]*)\)\]")
_PART = re.compile(rb"BODY\.PEEK\[\](?:<(\d+)\.(\d+)>)?")
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')


class HangUp(Exception):
    """The connection is to be closed at once."""


class _Connection(socketserver.BaseRequestHandler):
    imap: FaultyImap
    request: socket.socket

    def setup(self) -> None:
        self.imap = self.server.imap  # type: ignore[attr-defined]
        self.unread = b""
        self.folder = ""
        self.told = 0
        self.idling = b""

    def handle(self) -> None:
        try:
            self._obey("CONNECT", b"", b"*")
            while True:
                self._turn(self._line())
        except (HangUp, OSError):
            return

    def _turn(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        if line == b"DONE" and self.idling:
            tag, self.idling = self.idling, b""
            self._obey("DONE", b"", tag)
            return
        name, _, args = rest.partition(b" ")
        by_uid = name.upper() == b"UID"
        if by_uid:
            name, _, args = args.partition(b" ")
        self._obey(name.decode("ascii", "replace").upper(), args, tag, by_uid=by_uid)

    def _obey(self, name: str, args: bytes, tag: bytes, *, by_uid: bool = False) -> None:
        """Answers one command, or does what is to go wrong with it."""
        with self.imap.lock:
            self.imap.commands.append(name)
        fault = next((found for kind in PLAIN if (found := self.imap.take(kind, {"EXAMINE": "SELECT"}.get(name, name)))), None)
        match fault:
            case DropAt():
                raise HangUp
            case ByeAt():
                self.request.sendall(b"* BYE going down\r\n")
                raise HangUp
            case SilentAt():
                while True:
                    self._line()
            case NoAt():
                self.request.sendall(tag + b" NO not now\r\n")
            case GarbageAt(line=line):
                self.request.sendall(line + b"\r\n" + tag + b" OK so it is\r\n")
            case _:
                for packet in self._done(name, args, tag, by_uid=by_uid):
                    self.request.sendall(packet)
                if isinstance(fault, DropAfter):
                    raise HangUp
                if name != "IDLE":
                    self.request.sendall(tag + b" OK done\r\n" if name in KNOWN else (tag or b"*") + b" BAD unknown\r\n")
        if name == "LOGOUT":
            raise HangUp

    def _line(self) -> bytes:
        """The next line; while it is waited for in IDLE, new mails are told of."""
        while b"\r\n" not in self.unread:
            if self.imap.closing.is_set():
                raise HangUp
            if self.idling:
                self.request.sendall(b"".join(self._news()))
            if select.select([self.request], [], [], TICK)[0]:
                heard = self.request.recv(PACKET)
                if not heard:
                    raise HangUp
                self.unread += heard
        line, _, self.unread = self.unread.partition(b"\r\n")
        return line

    def _mails(self) -> list[Mail]:
        return self.imap.folders.get(self.folder, [])

    def _news(self) -> Iterator[bytes]:
        with self.imap.lock:
            if self.folder and self.told != len(self._mails()):
                self.told = len(self._mails())
                yield b"* %d EXISTS\r\n" % self.told

    def _done(self, name: str, args: bytes, tag: bytes, *, by_uid: bool) -> Iterable[bytes]:
        """Does what a command asks for; what is to be said before the tagged line."""
        words = [(quoted or plain).decode() for quoted, plain in _WORD.findall(args)]
        match name:
            case "CAPABILITY":
                return [b"* CAPABILITY " + self.imap.capabilities.encode() + b"\r\n"]
            case "NOOP":
                return self._news()
            case "LIST":
                return [b'* LIST () "/" "%s"\r\n' % one.encode() for one in self.imap.folders if one == words[1]]
            case "CREATE":
                self.imap.folders.setdefault(words[0], [])
            case "SELECT" | "EXAMINE":
                return self._select(words[0])
            case "IDLE":
                self.idling = tag
                return self._idle()
            case "LOGOUT":
                return [b"* BYE until then\r\n"]
            case _:
                return self._done_in_folder(name, words, args, by_uid=by_uid)
        return []

    def _done_in_folder(self, name: str, words: Sequence[str], args: bytes, *, by_uid: bool) -> Iterable[bytes]:
        match name:
            case "SEARCH":
                found = [mail.uid for mail in self._mails() if self.imap.matches(mail, self._mails(), words)]
                return [b"* SEARCH " + " ".join(map(str, found)).encode() + b"\r\n"]
            case "FETCH":
                return self._fetch(words[0], args)
            case "STORE":
                for mail in self._named(words[0]):
                    mail.flags |= set(" ".join(words[2:]).strip("()").split())
            case "MOVE" | "COPY":
                return self._copy(self._named(words[0]), words[1], move=name == "MOVE")
            case "EXPUNGE":
                deleted = [mail for mail in self._mails() if r"\Deleted" in mail.flags]
                return self._expunge([mail for mail in deleted if mail in self._named(words[0])] if by_uid else deleted)
        return []

    def _select(self, folder: str) -> Iterator[bytes]:
        with self.imap.lock:
            self.folder = folder
            self.told = len(self._mails())
            lie = self.imap.take(LieAboutExists, "SELECT")
            yield b"* FLAGS (\\Seen \\Deleted)\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] limited\r\n"
            yield b"* %d EXISTS\r\n* 0 RECENT\r\n" % (lie.n if lie else self.told)
            yield b"* OK [UIDVALIDITY %d] valid\r\n* OK [UIDNEXT %d] next\r\n" % (self.imap.uidvalidity, self.imap.last_uid + 1)

    def _idle(self) -> Iterator[bytes]:
        early = self.imap.take(IdlingAndExists, "IDLE")
        if early is None:
            yield b"+ idling\r\n"
            return
        with self.imap.lock:
            self.imap.deliver(early.raw)
            said = [b"+ idling\r\n", *self._news()]
        yield b"".join(reversed(said) if early.before else said)

    def _named(self, uids: str) -> list[Mail]:
        return named(self._mails(), uids)

    def _copy(self, mails: list[Mail], folder: str, *, move: bool) -> Iterable[bytes]:
        with self.imap.lock:
            for mail in mails:
                self.imap.deliver(mail.raw, folder)
            return self._expunge(mails) if move else []

    def _expunge(self, mails: list[Mail]) -> list[bytes]:
        with self.imap.lock:
            numbers = [number for number, mail in enumerate(self._mails(), 1) if mail in mails]
            for number in reversed(numbers):
                del self._mails()[number - 1]
            self.told -= len(numbers)
            return [b"* %d EXPUNGE\r\n" % number for number in reversed(numbers)]

    def _fetch(self, uids: str, args: bytes) -> Iterator[bytes]:
        for mail in self._named(uids):
            number = self._mails().index(mail) + 1
            if self.imap.take_of(ExpungedBetween, mail.uid):
                self._mails().remove(mail)
                continue
            yield b"* %d FETCH (UID %d" % (number, mail.uid)
            bare = self.imap.take_of(WithoutBody, mail.uid, any_part if _PART.search(args) else every_part)
            if bare is None:
                yield from self._attributes(mail, args)
            yield b")\r\n"

    def _attributes(self, mail: Mail, args: bytes) -> Iterator[bytes]:
        huge = self.imap.huge(mail.uid)
        size = huge.size if huge else len(mail.raw)
        if b"RFC822.SIZE" in args:
            yield b" RFC822.SIZE %d" % (huge.told if huge else size)
        if b"INTERNALDATE" in args:
            odd = self.imap.take_of(DatedAs, mail.uid)
            yield b' INTERNALDATE "%s"' % (odd.date if odd else mail.at.strftime("%d-%b-%Y %H:%M:%S %z")).encode()
        if fields := _FIELDS.search(args):
            yield b" BODY[HEADER.FIELDS (%s)] " % fields[1] + _literal(_header(mail.raw, fields[1].lower().split()))
        if part := _PART.search(args):
            start, length = (int(part[1]), int(part[2])) if part[1] else (0, size)
            length = max(0, min(length, size - start))
            yield b" BODY[]%s {%d}\r\n" % (b"<%d>" % start if part[1] else b"", length)
            if self.imap.take(HalfLiteral, "FETCH"):
                yield mail.raw[: length // 2]
                raise HangUp
            for at in range(start, start + length, PACKET):
                step = min(PACKET, start + length - at)
                yield made_up(at, step) if huge else mail.raw[at : at + step]


def _literal(data: bytes) -> bytes:
    return b"{%d}\r\n%s" % (len(data), data)


def _header(raw: bytes, names: Sequence[bytes]) -> bytes:
    lines = re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", raw.partition(b"\r\n\r\n")[0] + b"\r\n")
    return b"".join(line for line in lines if line.partition(b":")[0].lower() in names) + b"\r\n"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    imap: FaultyImap


@contextmanager
def faulty(raws: Iterable[bytes], faults: Iterable[Fault] = (), capabilities: str = CAPABILITIES) -> Iterator[FaultyImap]:
    """The server while the block runs, with these mails as UIDs 1, 2, 3, ... in its INBOX."""
    imap = FaultyImap({number: (fault, fault.times) for number, fault in enumerate(faults)}, capabilities)
    for raw in raws:
        imap.deliver(raw)
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.imap = imap
        imap.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": TICK}, daemon=True)
        thread.start()
        try:
            yield imap
        finally:
            imap.closing.set()
            server.shutdown()
            thread.join()
