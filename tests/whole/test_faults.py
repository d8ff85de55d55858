"""Disk full, database locked or gone, bad config under a pipe: later, never lost, and it mends itself."""

import os
import shutil
import smtplib
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import invariants
import pytest
from service import Service, deliver, endorsement, wait_until_idle
from smarthosts import smarthost

LATER = b"4.3.0 try again later\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with smarthost() as host:
        yield Service(tmp_path, "sqlite:///var/mailflow.db", host.port)


def answer_to_a_mail(port: int) -> tuple[int, bytes]:
    """What a client hears at the point where the mail is turned away or kept."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        smtp.ehlo("client.example")
        for command in ("MAIL FROM:<a@host.example>", "RCPT TO:<endorse@delta.example>", "DATA"):
            code, text = smtp.docmd(command)
            if code >= 400:
                return code, text
        smtp.send(endorsement(1) + b".\r\n")
        return smtp.getreply()


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """Somebody else holds the write lock."""
    other = sqlite3.connect(service.root / "var" / "mailflow.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.fault("db-locked")
@pytest.mark.case(20)
def test_a_locked_database_means_451_and_the_service_goes_on_by_itself(service: Service) -> None:
    with service.running() as running:
        port = running.port()
        with locked(service):
            code, text = answer_to_a_mail(port)
            assert (code, text) == (451, b"4.3.0 Try again later")
        deliver(port, endorsement(1))
        wait_until_idle(service.program.store)
        assert running.process.poll() is None
    invariants.hold(service.program.store)


@pytest.mark.fault("db-locked")
def test_a_locked_database_makes_ingest_exit_75_from_a_file_and_from_a_pipe(service: Service) -> None:
    service.program.store.close()
    mail = service.root / "one.eml"
    mail.write_bytes(endorsement(1))
    with locked(service):
        from_file = service.command("ingest", str(mail))
        from_pipe = service.command("ingest", "-", stdin=endorsement(1))
    assert (from_file.returncode, b"one.eml" in from_file.stderr) == (75, True)
    assert (from_pipe.returncode, from_pipe.stdout, from_pipe.stderr) == (75, LATER, b"")


@pytest.mark.fault("db-gone")
@pytest.mark.timeout(240)
def test_a_database_that_is_gone_and_comes_back(tmp_path: Path) -> None:
    with smarthost() as host:
        gone = Service(tmp_path, "postgresql://nobody@127.0.0.1:1/none", host.port)
        with gone.running("--only", "intake") as running:
            assert answer_to_a_mail(running.port()) == (451, b"4.3.0 Try again later")
            assert running.process.poll() is None
        done = gone.command("ingest", "-", stdin=endorsement(1))
        assert (done.returncode, done.stdout, done.stderr) == (75, LATER, b"")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("NO SMALL DISK HERE: mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault("disk-full")
@pytest.mark.timeout(240)
def test_a_full_disk_means_4xx_and_the_service_recovers_by_itself(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk, smarthost() as host:
        service = Service(disk, "sqlite:///var/mailflow.db", host.port)
        with service.running() as running:
            port = running.port()
            deliver(port, endorsement(1))
            ballast = disk / "ballast"
            with ballast.open("wb") as file:
                fill(file.fileno(), disk)
            for _ in range(3):
                assert 400 <= answer_to_a_mail(port)[0] < 500
            assert service.command("ingest", "-", stdin=endorsement(2)).stdout == LATER
            ballast.unlink()
            deliver(port, endorsement(3), tries=120)
            wait_until_idle(service.program.store, 90)
        store = service.program.store
        with store.read() as tx:
            invariants.conservation(tx)
            invariants.no_double_count(tx)
        store.close()


def fill(descriptor: int, disk: Path) -> None:
    """Takes the last byte there is."""
    chunk = b"\0" * 4096
    while shutil.disk_usage(disk).free:
        try:
            os.write(descriptor, chunk)
        except OSError:
            return


PIPE = {
    "config that is no TOML": "this is [no toml",
    "unknown key": "[smtp]\nno_such_key = 1\n",
    "database of an unknown kind": '[store]\nurl = "mysql://x/y"\n',
}


@pytest.mark.parametrize("settings", PIPE.values(), ids=PIPE)
def test_a_pipe_never_bounces_a_mail_over_our_own_mistakes(service: Service, settings: str) -> None:
    (service.config / "mailflow.toml").write_text(settings)
    done = service.command("ingest", "-", stdin=endorsement(1))
    assert (done.returncode, done.stdout, done.stderr) == (75, LATER, b"")


def test_a_pipe_with_nothing_in_it_is_told_so(service: Service) -> None:
    assert service.command("ingest", "-", stdin=b"").returncode == 65


def test_an_oversized_mail_from_a_pipe_is_kept_whole_and_set_aside(service: Service) -> None:
    service.configure("\n")
    huge = endorsement(1, size=11_000_000)
    done = service.command("ingest", "-", stdin=huge)
    assert (done.returncode, done.stdout) == (0, b"")
    assert service.command("work", "--until-idle").returncode == 0
    invariants.hold(service.program.store, accepted=[huge])
    with service.program.store.read() as tx:
        assert tx.exec_driver_sql("SELECT disposition FROM mails").scalar_one() == "set_aside"
    assert service.command("retry", "1").returncode == 0


def test_a_malformed_mail_from_a_pipe_is_kept(service: Service) -> None:
    done = service.command("ingest", "-", stdin=b"\x00\xff no header at all")
    assert (done.returncode, done.stdout) == (0, b"")


FILES = {
    "no such file": ("absent.eml", None, 65),
    "a picture": ("photo.jpg", bytes(range(256)), 65),
    "a mail": ("one.eml", b"From: a@host.example\nSubject: x\n\nI endorse.\n", 0),
}


@pytest.mark.parametrize("case", FILES.values(), ids=FILES)
def test_ingest_names_what_it_could_not_take(service: Service, case: tuple[str, bytes | None, int]) -> None:
    name, content, code = case
    if content is not None:
        (service.root / name).write_bytes(content)
    done = service.command("ingest", str(service.root / name))
    assert done.returncode == code
    assert (name.encode() in done.stderr) is (code == 65)
