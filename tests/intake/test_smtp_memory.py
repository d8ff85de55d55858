"""What the door holds in memory, measured on a listener of its own process, whatever one client sends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from smtpdoor import PATIENCE, Dialogue, listening

MIB = 1024 * 1024
CAP = 10 * MIB


@contextmanager
def listener(root: Path) -> Iterator[tuple[int, int]]:
    """A listener with default settings in its own process; gives its port and its pid."""
    search = os.pathsep.join(path for path in sys.path if path)
    running = subprocess.Popen(
        [sys.executable, __file__, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": search}
    )
    try:
        assert running.stdout is not None
        yield int(running.stdout.readline()), running.pid
    finally:
        running.kill()
        running.wait()
        for pipe in (running.stdin, running.stdout):
            if pipe is not None:
                pipe.close()


def peak(pid: int) -> int:
    """The most memory the process ever held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _crlf(client: Dialogue) -> str:
    client.begin()
    for _ in range(32):
        client.send(b"\r\n" * (MIB // 2))
    client.send(b".\r\n")
    return client.hear()


def _one_line(client: Dialogue) -> str:
    client.begin()
    for _ in range(32):
        client.send(b"x" * MIB)
    client.send(b"\r\n.\r\n")
    return client.hear()


def _endless_command(client: Dialogue) -> str:
    for _ in range(32):
        client.send(b"x" * MIB)
    return client.hear()


def _one_that_fits(client: Dialogue) -> str:
    client.begin().send((b"\r\n" * (MIB // 2)) * 9 + b".\r\n")
    return client.hear()


def _deaf(client: Dialogue) -> str:
    """Asks and asks, and never reads an answer."""
    client.sock.settimeout(1.0)
    with contextlib.suppress(TimeoutError):
        client.say("MAIL FROM:<ann@foo.example>")
        for _ in range(32):
            client.send(b"RCPT TO:<endorse@delta.example>\r\n" * (MIB // 33))
    return ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        pytest.param(_crlf, "552 5.3.4 Message too large", marks=pytest.mark.case(8), id="32-MiB-of-CRLF"),
        pytest.param(_one_that_fits, "250 2.0.0 Kept", marks=pytest.mark.case(8), id="9-MiB-of-CRLF"),
        pytest.param(_one_line, "552 5.3.4 Message too large", marks=pytest.mark.case(9), id="one-line-of-data"),
        pytest.param(_endless_command, "500 5.5.2 Line too long", marks=pytest.mark.case(9), id="one-line-of-command"),
        pytest.param(_deaf, "", id="client-that-never-reads"),
    ],
)
def test_one_client_costs_at_most_a_few_times_the_largest_mail(tmp_path: Path, attack: Callable[[Dialogue], str], answer: str) -> None:
    with listener(tmp_path) as (port, pid), Dialogue(port) as client:
        client.greet().mail()
        before = peak(pid)
        assert attack(client) == answer
        grown = peak(pid) - before
    # A mail that is kept stands in memory thrice for a moment: as it came, without its stuffed dots, and in the database's cache.
    assert grown < (CAP // 4 if answer[:1] != "2" else 6 * CAP)


@pytest.mark.kill("K03")
def test_a_large_mail_waits_in_a_file_that_a_kill_leaves_and_the_next_start_sweeps(tmp_path: Path) -> None:
    with listener(tmp_path) as (port, pid), Dialogue(port) as client:
        client.greet().begin().send(b"I endorse the letter.\r\n" * 50_000)
        until = time.monotonic() + PATIENCE
        while not any(tmp_path.glob("spool/*.arriving")):
            assert time.monotonic() < until
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        assert client.hear_all() == []
    with listening(tmp_path) as door, door.client() as client:
        client.greet()
        assert door.spooled() == [] and door.kept() == []


if __name__ == "__main__":
    with listening(Path(sys.argv[1])) as door:
        print(door.port, flush=True)
        sys.stdin.read()
