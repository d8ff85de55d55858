"""The unix socket of LMTP: its mode, its end, what was left of an earlier one, and who may have it."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lmtpdoor import OURS, Relay, lmtp_listening
from smtpdoor import MAIL, PATIENCE

from mailflow.intake.unixsocket import UnixPlace
from mailflow.model.errors import BadConfig

KEPT = "250 2.0.0 Kept"


@pytest.mark.parametrize("mode", ["600", "660", "666"])
def test_the_socket_has_its_mode_and_goes_when_the_listener_stops(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "lmtp"
    with lmtp_listening(tmp_path, lmtp={"mode": mode}):
        assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8) and path.is_socket()
    assert not path.exists()


@pytest.mark.parametrize("uvloop", [True, False], ids=["uvloop", "asyncio"])
def test_a_stale_socket_is_replaced(tmp_path: Path, uvloop: bool) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "lmtp"))
    with lmtp_listening(tmp_path, uvloop=uvloop) as door, door.relay() as relay:
        assert relay.greet().hand_on(OURS[0]) == [KEPT]


def _a_file(path: Path) -> None:
    path.write_text("precious", encoding="ascii")


def _a_link(path: Path) -> None:
    path.with_name("target").touch()
    path.symlink_to(path.with_name("target"))


def _a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("there", [_a_file, _a_link, _a_folder])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, there: Callable[[Path], None]) -> None:
    there(tmp_path / "lmtp")
    with pytest.raises(BadConfig, match="is no socket"):
        UnixPlace(tmp_path / "lmtp", 0o660).claim()
    assert (tmp_path / "lmtp").exists()


def test_another_programs_socket_is_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "lmtp"))
        other.listen()
        with pytest.raises(BadConfig, match="another program listens"):
            UnixPlace(tmp_path / "lmtp", 0o660).claim()
    assert (tmp_path / "lmtp").is_socket()


@pytest.mark.parametrize(("path", "says"), [("nowhere/lmtp", "folder must exist"), ("x" * 120, "choose a shorter path")])
def test_a_place_that_cannot_be_is_told(tmp_path: Path, path: str, says: str) -> None:
    with pytest.raises(BadConfig, match=says):
        UnixPlace(tmp_path / path, 0o660).claim()


def test_of_two_processes_one_has_the_socket_and_the_other_takes_over(tmp_path: Path) -> None:
    first, second = (UnixPlace(tmp_path / "lmtp", 0o660) for _ in range(2))
    held = first.claim()
    assert held is not None and second.claim() is None
    second.leave()
    assert (tmp_path / "lmtp").is_socket()
    held.close()
    first.leave()
    taken = second.claim()
    assert taken is not None
    taken.close()
    first.leave()
    assert (tmp_path / "lmtp").is_socket()
    second.leave()
    assert not (tmp_path / "lmtp").exists()


@pytest.mark.kill("K03")
def test_a_killed_listener_leaves_a_socket_and_a_half_mail_that_the_next_one_clears(tmp_path: Path) -> None:
    search = os.pathsep.join(path for path in sys.path if path)
    running = subprocess.Popen([sys.executable, __file__, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": search})
    assert running.stdout is not None
    with running.stdout as said:
        place = said.readline().decode().strip()
        with Relay(place) as relay:
            relay.greet().begin().send(MAIL + b"I endorse the letter.\r\n" * 50_000)
            until = time.monotonic() + PATIENCE
            while not any(tmp_path.glob("spool/*.arriving")):
                assert time.monotonic() < until
                time.sleep(0.02)
            running.send_signal(signal.SIGKILL)
            running.wait(PATIENCE)
            # A unix socket is reset where a byte was left unread.
            with contextlib.suppress(ConnectionResetError):
                assert relay.hear_all() == []
    assert Path(place).is_socket()
    with lmtp_listening(tmp_path) as door, door.relay() as relay:
        assert relay.greet().hand_on(OURS[0]) == [KEPT]
        assert door.spooled() == [] and door.kept() == [MAIL]


if __name__ == "__main__":
    with lmtp_listening(Path(sys.argv[1])) as running_door:
        print(running_door.place, flush=True)
        time.sleep(120)
