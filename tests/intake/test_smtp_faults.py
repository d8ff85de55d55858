"""When something breaks at the door: the disk, the store, the client, the process. Nobody is told 250 for a mail that is not kept."""

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from smtpdoor import MAIL, PATIENCE, PLENTY, Dialogue, listening

from mailflow.intake import Arrival, Keeping
from mailflow.model.errors import StoreUnavailable

LATER = "451 4.3.0 Try again later"
LARGE = MAIL + b"I have lived beside the delta for a long time.\r\n" * 2000


class Sick:
    """A keeper that raises, fails or never answers while it is sick, and is the real one again when it is well."""

    def __init__(self, real: Keeping, how: Callable[[], "Future[int]"]) -> None:
        self._real = real
        self._how = how
        self.well = False

    def keep(self, arrival: Arrival) -> "Future[int]":
        return self._real.keep(arrival) if self.well else self._how()


class Slow:
    """A keeper that waits until it may go on."""

    def __init__(self, real: Keeping) -> None:
        self._real = real
        self.asked = threading.Event()
        self.go = threading.Event()

    def keep(self, arrival: Arrival) -> "Future[int]":
        future: Future[int] = Future()
        threading.Thread(target=self._later, args=(arrival, future), daemon=True).start()
        self.asked.set()
        return future

    def _later(self, arrival: Arrival, future: "Future[int]") -> None:
        self.go.wait(PATIENCE)
        future.set_result(self._real.keep(arrival).result(PATIENCE))


def _failing(error: Exception) -> "Future[int]":
    future: Future[int] = Future()
    future.set_exception(error)
    return future


def _raise(error: Exception) -> "Future[int]":
    raise error


@pytest.mark.fault("db-gone")
@pytest.mark.case(20)
@pytest.mark.parametrize(
    "how",
    [
        lambda: _failing(StoreUnavailable("database is locked: /secret/path")),
        lambda: _failing(OSError(28, "No space left on device", "/secret/path")),
        lambda: _raise(RuntimeError("/secret/path")),
        lambda: _raise(MemoryError()),
        Future,
    ],
    ids=["unavailable", "odd-failure", "raises", "no-memory", "never-answers"],
)
@pytest.mark.parametrize("raw", [MAIL, LARGE], ids=["small", "spooled"])
def test_whatever_fails_behind_the_door_the_sender_hears_one_constant_answer(
    tmp_path: Path, how: Callable[[], "Future[int]"], raw: bytes
) -> None:
    sick: list[Sick] = []

    def behind(real: Keeping) -> Keeping:
        sick.append(Sick(real, how))
        return sick[0]

    with listening(tmp_path, behind=behind, commit_seconds=0.5, spool_over=4096) as door, door.client() as client:
        assert client.greet().mail(raw) == LATER
        assert door.kept() == [] and door.spooled() == []
        sick[0].well = True
        assert client.mail(raw) == "250 2.0.0 Kept"
        assert door.kept() == [raw]


@pytest.mark.fault("disk-full")
def test_a_disk_that_is_nearly_full_turns_mail_away_before_it_comes(tmp_path: Path) -> None:
    with listening(tmp_path) as door, door.client() as client:
        client.greet()
        door.free = 1000
        assert client.say("MAIL FROM:<ann@foo.example>") == "452 4.3.1 Try again later"
        assert client.say("RCPT TO:<endorse@delta.example>") == "503 5.5.1 Say MAIL first"
        assert door.kept() == []
        door.free = PLENTY
        time.sleep(0.2)
        assert client.mail() == "250 2.0.0 Kept"


@pytest.mark.fault("disk-full")
def test_a_disk_that_fills_up_while_a_mail_arrives_refuses_it_for_now(tmp_path: Path) -> None:
    with listening(tmp_path) as door, door.client() as client:
        client.greet().begin()
        door.free = 1000
        time.sleep(0.2)
        client.send(MAIL + b".\r\n")
        assert client.hear() == "452 4.3.1 Try again later"
        assert door.kept() == []


@pytest.mark.fault("disk-full")
@pytest.mark.case(20)
def test_a_spool_that_cannot_be_written_is_a_reason_to_come_back(tmp_path: Path) -> None:
    with listening(tmp_path, spool_over=4096) as door, door.client() as client:
        client.greet().begin()
        (tmp_path / "spool").rmdir()
        client.send(LARGE * 20 + b".\r\n")
        assert client.hear() == LATER
        (tmp_path / "spool").mkdir()
        assert client.mail(LARGE) == "250 2.0.0 Kept"
        assert door.kept() == [LARGE]


def _half_close(client: Dialogue) -> None:
    client.sock.shutdown(socket.SHUT_WR)


def _close(client: Dialogue) -> None:
    client.__exit__()


def _reset(client: Dialogue) -> None:
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.__exit__()


@pytest.mark.case(18)
@pytest.mark.parametrize("leave", [_half_close, _close, _reset])
@pytest.mark.parametrize("raw", [MAIL, LARGE], ids=["small", "spooled"])
@pytest.mark.parametrize("uvloop", [True, False], ids=["uvloop", "asyncio"])
def test_a_client_that_leaves_after_the_dot_leaves_its_mail(
    tmp_path: Path, leave: Callable[[Dialogue], None], raw: bytes, uvloop: bool
) -> None:
    slow: list[Slow] = []

    def behind(real: Keeping) -> Keeping:
        slow.append(Slow(real))
        return slow[0]

    with listening(tmp_path, behind=behind, uvloop=uvloop, spool_over=4096) as door:
        with door.client() as client:
            client.greet().begin()
            client.send(raw + b".\r\n")
            assert slow[0].asked.wait(PATIENCE)
            leave(client)
            time.sleep(0.1)
            slow[0].go.set()
        _wait_for(lambda: door.kept() == [raw])
        _wait_for(lambda: door.spooled() == [])


@pytest.mark.case(18)
@pytest.mark.parametrize("uvloop", [True, False], ids=["uvloop", "asyncio"])
def test_the_dot_and_gone_in_one_breath_leaves_the_mail(tmp_path: Path, uvloop: bool) -> None:
    with listening(tmp_path, uvloop=uvloop, max_connections_per_client=20) as door:
        for _ in range(20):
            with door.client() as client:
                client.greet().begin().send(MAIL + b".\r\n")
        _wait_for(lambda: len(door.kept()) == 20)


def _wait_for(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.case(19)
@pytest.mark.parametrize("uvloop", [True, False], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize(("tail", "answers"), [(b"", []), (b"QUIT\r\n", ["221 2.0.0 Bye"])], ids=["dot", "quit"])
def test_a_client_that_closes_its_half_still_hears_what_became_of_its_mail(
    tmp_path: Path, uvloop: bool, tail: bytes, answers: list[str]
) -> None:
    with listening(tmp_path, uvloop=uvloop) as door, door.client() as client:
        client.greet().begin().send(MAIL + b".\r\n" + tail)
        _half_close(client)
        assert client.hear_all() == ["250 2.0.0 Kept", *answers]
        assert door.kept() == [MAIL]


def test_a_client_that_leaves_before_the_dot_leaves_nothing(tmp_path: Path) -> None:
    with listening(tmp_path, spool_over=4096) as door:
        with door.client() as client:
            client.greet().begin().send(LARGE)
            _wait_for(lambda: door.spooled() != [])
        _wait_for(lambda: door.spooled() == [])
        assert door.kept() == []


@pytest.mark.case(21)
def test_fifty_copies_at_once_are_all_answered_and_kept(tmp_path: Path) -> None:
    with listening(tmp_path, max_connections_per_client=100) as door:
        clients = [door.client().greet().begin() for _ in range(50)]
        for client in clients:
            client.send(MAIL + b".\r\n")
        assert [client.hear() for client in clients] == ["250 2.0.0 Kept"] * 50
        assert len(door.kept()) == 50
        for client in clients:
            client.__exit__()


def test_on_stop_a_mail_that_is_arriving_gets_its_answer_and_idle_sessions_hear_421(tmp_path: Path) -> None:
    with listening(tmp_path) as door, door.client() as idle, door.client() as busy:
        idle.greet()
        busy.greet().begin().send(MAIL[:20])
        time.sleep(0.1)
        door.ask_to_stop()
        assert idle.hear_all() == ["421 4.4.2 Closing"]
        busy.send(MAIL[20:] + b".\r\n")
        assert busy.hear_all() == ["250 2.0.0 Kept", "421 4.4.2 Closing"]
        door.stop()
        assert door.kept() == [MAIL]
        with pytest.raises(OSError, match="refused"):
            door.client()


def test_what_a_killed_listener_left_in_the_spool_is_swept(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    for name in ("999999999-x.arriving", "0-x.arriving", "odd-name.arriving", "1-living.arriving", "other.txt"):
        (spool / name).touch()
    with listening(tmp_path) as door, door.client() as client:
        client.greet()
        assert sorted(file.name for file in door.spooled()) == ["1-living.arriving", "other.txt"]


@pytest.fixture
def canary(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


@pytest.mark.case(140)
def test_no_log_line_holds_an_address_a_body_or_an_answer_of_ours(tmp_path: Path, canary: Callable[[], str]) -> None:
    sick: list[Sick] = []

    def behind(real: Keeping) -> Keeping:
        sick.append(Sick(real, lambda: _raise(ValueError("canary-error"))))
        return sick[0]

    with listening(tmp_path, behind=behind, idle_seconds=0.3) as door:
        for _ in range(2):
            with door.client() as client:
                client.hear()
                client.say("EHLO canary-helo.example")
                client.begin("endorse+canary-rcpt@delta.example", "canary-sender@foo.example")
                client.send(b"From: canary-from@foo.example\r\n\r\ncanary-body\r\n.\r\n")
                client.hear()
                client.say("VRFY canary-vrfy")
                client.say("canary-nonsense")
                client.hear()
            sick[0].well = True
        assert len(door.kept()) == 1
    assert "a session is closed: idle" in canary() and "ValueError" in canary()
    assert "canary" not in canary()
