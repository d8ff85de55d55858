"""Many attackers and one honest sender; and ten minutes of steady mail."""

import contextlib
import os
import resource
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import invariants
import pytest
from dovecots import account, dovecot
from service import Running, Service, endorsement, wait_until_idle
from smarthosts import smarthost

from mailflow.store import books

IDLE, DRIPS, HONEST = 500, 50, 100
SOAK_SECONDS = int(os.environ.get("SOAK_SECONDS", "600"))
PER_SECOND = 50


def memory(pid: int) -> int:
    """Resident bytes of a process, 0 once it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS")), 0)


def handles(pid: int) -> int:
    """Open file descriptors of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def attacker(port: int, address: str, first: bytes) -> socket.socket | None:
    """A connection from an address of its own that says something and then holds still; None where it was turned away."""
    sock = socket.socket()
    sock.settimeout(5)
    try:
        sock.bind((address, 0))
        sock.connect(("127.0.0.1", port))
        sock.recv(200)
        for line in first.splitlines(keepends=True):
            sock.sendall(line)
            sock.recv(200)
    except OSError:
        sock.close()
        return None
    return sock


@contextlib.contextmanager
def siege(port: int) -> Iterator[None]:
    """Five hundred idle connections and fifty that let a mail drip, from many addresses, coming back when they are dropped."""
    ended = threading.Event()
    data = b"EHLO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<endorse@delta.example>\r\nDATA\r\n"

    def hold(number: int, first: bytes, *, drips: bool) -> None:
        address = f"127.0.{2 + drips}.{1 + number % 100}"
        while not ended.is_set():
            sock = attacker(port, address, first)
            while sock is not None and not ended.wait(1.0 if drips else 0.5):
                try:
                    if drips:
                        sock.sendall(b"x")
                    else:
                        sock.setblocking(False)
                        if sock.recv(100) == b"":
                            break
                except BlockingIOError:
                    continue
                except OSError:
                    break
            if sock is not None:
                sock.close()
            ended.wait(0.2)

    threads = [threading.Thread(target=hold, args=(n, b"EHLO a.example\r\n"), kwargs={"drips": False}) for n in range(IDLE)]
    threads += [threading.Thread(target=hold, args=(n, data), kwargs={"drips": True}) for n in range(DRIPS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def honest(port: int, n: int) -> float:
    """Seconds from the final dot to 250, of a sender that tries again when it is told to."""
    for _ in range(60):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=15, source_address=("127.0.4.1", 0)) as smtp:
                smtp.ehlo("honest.example")
                smtp.mail("someone@honest.example")
                smtp.rcpt("endorse@delta.example")
                smtp.docmd("DATA")
                began = time.perf_counter()
                smtp.send(endorsement(n) + b".\r\n")
                code, _ = smtp.getreply()
                if code == 250:
                    return time.perf_counter() - began
        except (OSError, smtplib.SMTPException):
            time.sleep(0.1)
    raise AssertionError("the honest sender was never heard")


@pytest.mark.long
@pytest.mark.case(13)
def test_under_siege_the_honest_final_dot_is_answered_in_time(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        with smarthost() as host:
            service = Service(tmp_path, "sqlite:///var/mailflow.db", host.port)
            text = (
                (service.config / "mailflow.toml")
                .read_text()
                .replace("max_connections_per_client = 200", "max_connections_per_client = 10")
            )
            (service.config / "mailflow.toml").write_text(text)
            with service.running() as running:
                port = running.port()
                with siege(port):
                    time.sleep(10)
                    waits = sorted(honest(port, n) for n in range(HONEST))
                    largest = max(memory(pid) for pid in running.children())
                wait_until_idle(service.program.store, 120)
            assert waits[int(HONEST * 0.99) - 1] < 5
            assert largest < 300_000_000
            with service.program.store.read() as tx:
                (page,) = books.balance(tx)
            assert page.balanced
            assert page.endorsements == HONEST
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def load(port: int, first: int, count: int, until: float) -> int:
    """Sends ``count`` mails evenly until a moment, over one connection; returns how many were kept."""
    kept = 0
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        began = time.monotonic()
        for n in range(count):
            time.sleep(max(0.0, began + (until - began) * n / count - time.monotonic()))
            smtp.sendmail("someone@host.example", ["endorse@delta.example"], endorsement(first + n))
            kept += 1
    return kept


def sizes(running: Running) -> tuple[int, int]:
    """(resident bytes, open files) of all processes of the service."""
    pids = [running.process.pid, *running.children()]
    return sum(memory(pid) for pid in pids), sum(handles(pid) for pid in pids)


@pytest.mark.long
@pytest.mark.timeout(SOAK_SECONDS + 600)
def test_steady_mail_leaves_books_balanced_and_memory_and_files_flat(tmp_path: Path) -> None:
    with smarthost() as host, dovecot() as server:
        service = Service(tmp_path, "sqlite:///var/mailflow.db", host.port)
        text = (
            (service.config / "mailflow.toml")
            .read_text()
            .replace("[smtp]\n", "[smtp]\nmax_messages = 1000000\nsession_seconds = 100000.0\n")
        )
        (service.config / "mailflow.toml").write_text(text + account(server))
        (service.config / "mailflow.toml").chmod(0o600)
        with service.running() as running:
            port = running.port()
            warm = SOAK_SECONDS // 6
            sent = load(port, 0, PER_SECOND * warm, time.monotonic() + warm)
            before = sizes(running)
            rest = SOAK_SECONDS - warm
            for part in range(5):
                server.append(endorsement(900_000 + part))
                sent += load(port, sent, PER_SECOND * rest // 5, time.monotonic() + rest / 5)
            wait_until_idle(service.program.store, 300)
            after = sizes(running)
        store = service.program.store
        invariants.hold(store)
        with store.read() as tx:
            (page,) = books.balance(tx)
        assert page.balanced
        assert page.received == sent + 5
        assert after[0] < before[0] * 1.15 + 20_000_000
        assert after[1] <= before[1] + 10
