"""An IMAP server that fails in every way there is: no mail is lost, none is kept twice, and the reader comes back."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from faultyimap import CAPABILITIES, faulty
from imapfaults import (
    ALWAYS,
    ByeAt,
    DatedAs,
    DropAfter,
    DropAt,
    ExpungedBetween,
    Fault,
    FaultyImap,
    GarbageAt,
    HalfLiteral,
    HugeLiteral,
    IdlingAndExists,
    LieAboutExists,
    NoAt,
    SilentAt,
    WithoutBody,
    made_up,
)
from service import OPENED, Service

from mailflow.intake.imap import watch
from mailflow.store.schema import fetched, raws

MB = 1024 * 1024
SECONDS = 20


def letter(n: int) -> bytes:
    """The n-th mail."""
    return (
        f"From: Ada <p{n}@host.example>\r\nTo: endorse@delta.example\r\nMessage-ID: <m{n}@host.example>\r\n\r\nI endorse, {n}.\r\n"
    ).encode()


@dataclass(frozen=True)
class Case:
    """Some faults, the account they hit, and what is to be seen afterwards of three mails and of two that come later."""

    faults: tuple[Fault, ...]
    after: str = "leave"
    stays: bool = False
    """The connection outlives it."""
    missing: frozenset[int] = frozenset()
    """UIDs that cannot be had."""
    outcomes: dict[int, str] = field(default_factory=dict)
    mails: int = 3
    memory: int = 0
    """The most that memory may grow by."""
    poll: float = 1
    capabilities: str = CAPABILITIES
    mixed: bool = False
    """The mailbox is not one campaign's alone: headers are looked at first."""


SPOKEN = (DropAt, ByeAt, SilentAt, GarbageAt)
MOVING, SEEING = 'move"\nmove_to = "Done', "seen"
AFTER = {"STORE": SEEING, "MOVE": MOVING, "LIST": MOVING, "CREATE": MOVING, "COPY": MOVING, "EXPUNGE": MOVING}
WITHOUT = {"COPY": "IMAP4rev1 IDLE UIDPLUS", "EXPUNGE": "IMAP4rev1 IDLE UIDPLUS"}
TABLE = {
    "CONNECT": (*SPOKEN, DropAfter),
    "CAPABILITY": (*SPOKEN, NoAt),
    "LOGIN": (*SPOKEN, DropAfter, NoAt),
    "SELECT": (*SPOKEN, DropAfter, NoAt),
    "NOOP": (*SPOKEN, DropAfter, NoAt),
    "SEARCH": (*SPOKEN, DropAfter, NoAt),
    "FETCH": (*SPOKEN, DropAfter, NoAt),
    "STORE": (*SPOKEN, DropAfter, NoAt),
    "LIST": (*SPOKEN, NoAt),
    "CREATE": (*SPOKEN, DropAfter, NoAt),
    "MOVE": (*SPOKEN, DropAfter, NoAt),
    "COPY": (*SPOKEN, NoAt),
    "EXPUNGE": (*SPOKEN, DropAfter, NoAt),
    "IDLE": (*SPOKEN, DropAfter, NoAt),
    "DONE": (*SPOKEN, DropAfter, NoAt),
}
PLAIN = {
    f"{fault.__name__} {command}": Case((fault(command),), AFTER.get(command, "leave"), capabilities=WITHOUT.get(command, CAPABILITIES))
    for command, faults in TABLE.items()
    for fault in faults
}
MIXED = {f"{fault.__name__} FETCH, mixed": Case((fault("FETCH"),), mixed=True) for fault in TABLE["FETCH"]}
AT_THE_END = {f"{fault.__name__} LOGOUT": Case((fault("LOGOUT"),), stays=True) for fault in (*SPOKEN, DropAfter, NoAt)}
DEEP = b"* 1 FETCH (" + b"(" * 20_000
MANY = b"9" * 30
SIZE = (
    b'* 1 FETCH (UID 1 RFC822.SIZE %s INTERNALDATE "24-Nov-2026 01:00:00 +0000" BODY[HEADER.FIELDS (TO)] "To: endorse@delta.example")'
    % MANY
)

SPECIAL = {
    "half a mail": Case((HalfLiteral(),)),
    "half a mail four times": Case((HalfLiteral(times=4),)),
    "four connections that break in a row": Case((DropAt("CONNECT"), DropAt("LOGIN"), DropAt("SEARCH"), DropAt("FETCH", times=2))),
    "a mail in the packet with + idling": Case((IdlingAndExists(raw=letter(90)),), stays=True, poll=600),
    "a mail told of before + idling": Case((IdlingAndExists(raw=letter(90), before=True),), poll=600),
    "more mails told of than there are": Case((LieAboutExists(n=100_000),), stays=True),
    "fewer mails told of than there are": Case((LieAboutExists(n=0),), stays=True),
    "a mail that goes between list and fetch": Case((ExpungedBetween(uid=2),), stays=True, missing=frozenset({2}), outcomes={2: "gone"}),
    "a mail whose body comes late": Case((WithoutBody(uid=2, times=3),), stays=True, outcomes={2: "kept"}),
    "a mail that is described late": Case((WithoutBody(uid=2, times=3, nothing=True),), stays=True, outcomes={2: "kept"}),
    "a mail whose body never comes": Case(
        (WithoutBody(uid=2, times=ALWAYS),), MOVING, stays=True, missing=frozenset({2}), outcomes={2: "unreadable"}
    ),
    "a mail that is never described": Case(
        (WithoutBody(uid=2, times=ALWAYS, nothing=True),), stays=True, missing=frozenset({2}), outcomes={2: "unreadable"}
    ),
    "a mail that is far too large and says 1000": Case(
        (HugeLiteral(uid=2, size=300 * MB, lies=True),), missing=frozenset({2}), outcomes={2: "unreadable"}, memory=40 * MB
    ),
    "a mail that is far too large and says so": Case(
        (HugeLiteral(uid=2, size=300 * MB),), stays=True, missing=frozenset({2}), outcomes={2: "unreadable"}, memory=150 * MB
    ),
    "a large mail in pieces": Case((HugeLiteral(uid=2, size=6 * MB + 77),), stays=True, outcomes={2: "kept"}),
    "forty mails of 5 MB that say 1000": Case(
        tuple(HugeLiteral(uid=uid, size=5 * MB + uid, lies=True) for uid in range(1, 41)), mails=40, memory=80 * MB
    ),
    "no sense in SEARCH": Case((GarbageAt("SEARCH", line=b"* SEARCH 1 x {3} 2"),)),
    "numbers beyond measure in SEARCH": Case((GarbageAt("SEARCH", line=b"* SEARCH " + MANY),)),
    "UIDVALIDITY beyond measure": Case((GarbageAt("SELECT", line=b"* OK [UIDVALIDITY " + MANY + b"] odd"),)),
    "UIDVALIDITY of nought": Case((GarbageAt("SELECT", line=b"* OK [UIDVALIDITY 0] odd"),)),
    "no UIDVALIDITY": Case((GarbageAt("SELECT", line=b"* 3 EXISTS"),)),
    "no sense in FETCH": Case((GarbageAt("FETCH", line=b'* 1 FETCH (UID 1 RFC822.SIZE x INTERNALDATE "24-Nov-2026 01:00:00 +0000")'),), mixed=True),
    "an answer nested without end": Case((GarbageAt("FETCH", line=DEEP),)),
    "a size beyond measure": Case((GarbageAt("FETCH", line=SIZE),), stays=True, mixed=True),
    "a date before all time": Case((DatedAs(uid=1, date="01-Jan-0001 00:00:00 +1400"),), stays=True, missing=frozenset({1})),
    "a date after all time": Case((DatedAs(uid=1, date="31-Dec-9999 23:59:59 -1200"),), stays=True),
    "a date that is none": Case((DatedAs(uid=2, date="tomorrow"),), stays=True, missing=frozenset({2}), outcomes={2: "unreadable"}),
    "a number in SEARCH that no mail has": Case((GarbageAt("SEARCH", line=b"* SEARCH 4000000000"),), stays=True),
    "a line without end": Case((GarbageAt("SEARCH", line=b"* SEARCH" + b" 1" * 2 * MB),)),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SHORTEST_PAUSE", 0.05)
    monkeypatch.setattr(watch, "LOGIN_PAUSE", 0.05)
    monkeypatch.setattr(watch, "SLICE", 0.05)
    monkeypatch.setattr("mailflow.intake.imap.reading.FIRST_PAUSE", timedelta(0))


@dataclass
class Reader:
    """The reader in a thread of this process, and the store it fills."""

    watcher: watch.Watcher
    stop: threading.Event = field(default_factory=threading.Event)
    bugs: list[BaseException] = field(default_factory=list)

    def kept(self) -> list[bytes]:
        with OPENED[-1].store.read() as tx:
            return [bytes(data) for data in tx.execute(sa.select(raws.c.data)).scalars()]

    def count(self) -> int:
        with OPENED[-1].store.read() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(raws)).scalar_one())

    def outcome(self, uid: int) -> str:
        with OPENED[-1].store.read() as tx:
            return str(tx.execute(sa.select(fetched.c.outcome).where(fetched.c.uid == uid)).scalar_one_or_none())

    def waits(self) -> int:
        """How many mails the server is still to be told about."""
        with OPENED[-1].store.read() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(fetched).where(fetched.c.treat_at.is_not(None))).scalar_one())

    def until(self, done: Callable[[], bool], seconds: float, what: Callable[[], object]) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert not self.bugs, f"the thread has ended: {self.bugs[0]!r}"
            assert time.monotonic() < end, f"not within {seconds} s: {what()}"
            time.sleep(0.02)


@contextmanager
def reading(service: Service, server: FaultyImap, case: Case) -> Iterator[Reader]:
    """A reader at work on the server while the block runs; after it, it has ended in good time."""
    campaign = "" if case.mixed else 'campaign = "delta"\n'
    service.configure(
        f'\n[[imap]]\nname = "office"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nuser = "u"\npassword = "p"\n'
        f'{campaign}after = "{case.after}"\ntimeout_seconds = 1\npoll_seconds = {case.poll}\n'
    )
    (service.config / "mailflow.toml").chmod(0o600)
    program = service.program
    program.store  # noqa: B018 - opened here, closed by conftest
    [watcher] = program.mailboxes.watchers("test")
    reader = Reader(watcher)

    def run() -> None:
        try:
            watcher.run(reader.stop.is_set)
        except BaseException as error:  # noqa: BLE001 - the test says it
            reader.bugs.append(error)

    thread = threading.Thread(target=run, name="reader")
    thread.start()
    try:
        yield reader
    finally:
        reader.stop.set()
        thread.join(10)
    assert not thread.is_alive(), "the reader does not stop"
    assert reader.bugs == []


@contextmanager
def memory(most: int) -> Iterator[None]:
    """Fails if this process grew by more, at its highest, within the block; 0: nobody looks."""
    before = _peak(reset=True)
    yield
    grown = _peak() - before
    assert not most or grown < most, f"memory grew by {grown / MB:.0f} MB"


def _peak(*, reset: bool = False) -> int:
    """The most memory that this process ever had, in bytes; ``reset`` forgets what was before."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def wanted(case: Case, sent: Sequence[bytes]) -> list[bytes]:
    """What must be in the store."""
    made = {fault.uid: made_up(0, fault.size) for fault in case.faults if isinstance(fault, HugeLiteral) and fault.size < 8 * MB}
    early = [fault.raw for fault in case.faults if isinstance(fault, IdlingAndExists)]
    return sorted([made.get(uid, raw) for uid, raw in enumerate(sent, 1) if uid not in case.missing] + early)


def run(service: Service, case: Case) -> None:
    sent = [letter(n) for n in range(case.mails)]
    with faulty(sent, case.faults, case.capabilities) as server, memory(case.memory), reading(service, server, case) as reader:
        early = len(sent) - len(case.missing) + sum(isinstance(fault, IdlingAndExists) for fault in case.faults)

        def state() -> tuple[int, list[Fault], int, list[str]]:
            to_come = [fault for fault in server.to_come() if fault.command != "LOGOUT"]
            return reader.count(), to_come, reader.waits(), server.commands[-20:]

        reader.until(lambda: state()[:3] == (early, [], 0), SECONDS, state)
        sent += [letter(1000), letter(1001)]
        for raw in sent[-2:]:
            server.deliver(raw)
        reader.until(lambda: state()[:3] == (early + 2, [], 0), 10, state)
        assert {uid: reader.outcome(uid) for uid in case.outcomes} == case.outcomes
    assert sorted(reader.kept()) == wanted(case, sent)
    assert server.to_come() == []
    assert server.connections > 1 or case.stays
    assert server.connections <= 50
    told(server, case, sent)


def told(server: FaultyImap, case: Case, sent: Sequence[bytes]) -> None:
    """Every mail that is kept was treated, and no other."""
    if case.after == MOVING:
        assert set(server.raws("Done")) == set(wanted(case, sent))
        assert len(server.raws()) == len(case.missing)
    if case.after == SEEING:
        assert all(mail.flags == {r"\Seen"} for mail in server.folders["INBOX"])


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path / "mailflow", "sqlite:///var/mailflow.db", 25)


CASES = PLAIN | MIXED | AT_THE_END | SPECIAL


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_whatever_the_server_does_every_mail_is_kept_once_and_the_reader_goes_on(service: Service, case: Case) -> None:
    run(service, case)


NEVER = {
    f"{fault.__name__} {command}": Case((fault(command, times=ALWAYS),), AFTER.get(command, "leave"))
    for fault, commands in {DropAt: "CONNECT LOGIN SELECT FETCH STORE MOVE IDLE", NoAt: "LOGIN SELECT FETCH STORE CREATE MOVE"}.items()
    for command in commands.split()
} | {"a mail told of before every + idling": Case((IdlingAndExists(raw=letter(90), before=True, times=ALWAYS),), poll=600)}


@pytest.mark.parametrize("case", NEVER.values(), ids=NEVER)
def test_a_server_that_never_gets_further_is_asked_ever_more_rarely(service: Service, case: Case) -> None:
    with faulty([letter(1)], case.faults) as server, reading(service, server, case) as reader:
        reader.until(lambda: server.connections >= 6, SECONDS, lambda: server.commands)
        assert reader.watcher.pause >= 8 * watch.SHORTEST_PAUSE
