"""A mailbox in memory, and what can be wrong with its server, one small value each; tests/faultyimap.py serves it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

JUNK = b"\x00\xff\xfe{9}\x80 )( \xc3\x28 junk"
ALWAYS = 0
"""For ``times``: a fault that never ends."""
_LINE = b"I have lived beside the delta for a long time, and I endorse.\r\n"


@dataclass(frozen=True)
class Fault:
    """Something that happens ``times`` times, at a command of this name. EXAMINE is a SELECT, and CONNECT the greeting."""

    command: str
    times: int = 1


class DropAt(Fault):
    """Hangs up instead of an answer."""


class DropAfter(Fault):
    """Does what it is told, and hangs up before it says so."""


class ByeAt(Fault):
    """Says BYE and hangs up."""


class SilentAt(Fault):
    """Says nothing any more, for ever."""


class NoAt(Fault):
    """Refuses."""


@dataclass(frozen=True)
class GarbageAt(Fault):
    """Says ``line`` instead of the answer, and then that all is well."""

    line: bytes = JUNK


@dataclass(frozen=True)
class HalfLiteral(Fault):
    """Hangs up in the middle of a mail."""

    command: str = "FETCH"


@dataclass(frozen=True)
class LieAboutExists(Fault):
    """Tells of ``n`` mails when a folder is opened."""

    command: str = "SELECT"
    n: int = 1000


@dataclass(frozen=True)
class IdlingAndExists(Fault):
    """A mail arrives as IDLE begins, and is told of in the same packet as "+ idling"; with ``before``, ahead of it."""

    command: str = "IDLE"
    raw: bytes = b""
    before: bool = False


@dataclass(frozen=True)
class OfMail(Fault):
    """A fault of one mail."""

    command: str = "FETCH"
    uid: int = 1


class ExpungedBetween(OfMail):
    """Listed, and gone when it is asked for."""


@dataclass(frozen=True)
class WithoutBody(OfMail):
    """Asked for its body, it gives its UID alone; with ``nothing`` not even its size."""

    nothing: bool = False


@dataclass(frozen=True)
class HugeLiteral(OfMail):
    """Its body is made up as it is sent; with ``lies`` its size is said to be 1000."""

    times: int = ALWAYS
    size: int = 0
    lies: bool = False

    @property
    def told(self) -> int:
        """What RFC822.SIZE says."""
        return 1000 if self.lies else self.size


@dataclass(frozen=True)
class DatedAs(OfMail):
    """Its INTERNALDATE is odd."""

    times: int = ALWAYS
    date: str = ""


def any_part(_: WithoutBody) -> bool:
    """Where a body is asked for, whatever is withheld."""
    return True


def every_part(fault: WithoutBody) -> bool:
    """Where none is asked for, only what withholds everything."""
    return fault.nothing


def made_up(start: int, size: int) -> bytes:
    """A part of the body of any mail that is made up."""
    skip = start % len(_LINE)
    return (_LINE * (size // len(_LINE) + 2))[skip : skip + size]


F = TypeVar("F", bound=Fault)
M = TypeVar("M", bound=OfMail)


@dataclass
class Mail:
    """A mail in a folder."""

    uid: int
    at: datetime
    raw: bytes
    flags: set[str] = field(default_factory=set)


def named(mails: list[Mail], uids: str) -> list[Mail]:
    """The mails of a sequence set; ``n:*`` has the last one in it, whatever n is (RFC 9051 §9)."""
    last = max((mail.uid for mail in mails), default=0)
    spans = []
    for part in uids.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        spans.append((min(ends), max(ends)))
    return [mail for mail in mails if any(low <= mail.uid <= high for low, high in spans)]


@dataclass
class FaultyImap:
    """The mailbox, what is still to go wrong with it, and what it was asked: names of commands, CONNECT among them."""

    faults: dict[int, tuple[Fault, int]]
    capabilities: str
    port: int = 0
    uidvalidity: int = 1700000000
    folders: dict[str, list[Mail]] = field(default_factory=lambda: {"INBOX": []})
    commands: list[str] = field(default_factory=list)
    last_uid: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def connections(self) -> int:
        """How often somebody connected."""
        return self.commands.count("CONNECT")

    def deliver(self, raw: bytes, folder: str = "INBOX") -> int:
        """A mail arrives; its UID."""
        with self.lock:
            self.last_uid += 1
            self.folders[folder].append(Mail(self.last_uid, datetime.now(UTC), raw))
            return self.last_uid

    def raws(self, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder."""
        with self.lock:
            return [mail.raw for mail in self.folders.get(folder, [])]

    def to_come(self) -> list[Fault]:
        """The faults that have not happened yet, or not often enough; those that never end are not counted."""
        with self.lock:
            return [fault for fault, left in self.faults.values() if left > 0 and fault.times != ALWAYS]

    def take(self, kind: type[F], command: str, wanted: Callable[[F], bool] = lambda _: True) -> F | None:
        """The first fault of a kind that is due at a command; it has then happened once."""
        with self.lock:
            for number, (fault, left) in self.faults.items():
                due = left > 0 or fault.times == ALWAYS
                if due and isinstance(fault, kind) and fault.command == command and wanted(fault):
                    self.faults[number] = (fault, left - 1)
                    return fault
        return None

    def take_of(self, kind: type[M], uid: int, wanted: Callable[[M], bool] = lambda _: True) -> M | None:
        """The same for a fault of one mail."""
        return self.take(kind, "FETCH", lambda fault: fault.uid == uid and wanted(fault))

    def huge(self, uid: int) -> HugeLiteral | None:
        """How a mail's body is made up, where it is."""
        return next((fault for fault, _ in self.faults.values() if isinstance(fault, HugeLiteral) and fault.uid == uid), None)

    def size(self, mail: Mail) -> int:
        """How long a mail is said to be."""
        huge = self.huge(mail.uid)
        return huge.told if huge else len(mail.raw)

    def matches(self, mail: Mail, mails: list[Mail], words: Sequence[str]) -> bool:
        """Whether a mail meets the keys of a SEARCH."""
        keys = iter(words)
        met = []
        for key in keys:
            match key.upper():
                case "ALL":
                    met.append(True)
                case "UID":
                    met.append(mail in named(mails, next(keys)))
                case "SINCE":
                    met.append(mail.at.date() >= datetime.strptime(next(keys), "%d-%b-%Y").replace(tzinfo=UTC).date())
                case "LARGER":
                    met.append(self.size(mail) > int(next(keys)))
                case "DELETED":
                    met.append(r"\Deleted" in mail.flags)
                case _:
                    raise AssertionError(f"SEARCH {key} is not played")
        return all(met)
