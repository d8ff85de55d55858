"""The real program as real processes: a config folder, signed mails, `mailflow run`, and a fake smarthost."""

import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from mailflow.authenticate.signing import make_key, sign
from mailflow.store import mails, outbox
from mailflow.store.engine import Store
from mailflow.wiring import Program

CAMPAIGN = """
slug = "delta"
name = "Keep the Delta Wild"
addresses = ["endorse@delta.example"]
controller = "Delta Trust, 1 Quay, Harrow"
notice = "Your name will be published."
notice_names_public = true

[[organisers]]
address = "anna@org.example"
zone = "UTC"
hour = 0
names = true

[[statements]]
language = "en"
title = "Keep the Delta Wild"
date = 2026-09-01
body = "A delta is not waste land waiting for a use. It is in use. Keep it wild."
"""

_PEM, _RECORD = make_key()


def endorsement(n: int, *, size: int = 0, text: str = "") -> bytes:
    """The n-th person's signed endorsement; every person has a provider of their own."""
    words = text or f"I endorse the letter. This is my reason number {n}."
    raw = (
        f"From: Person Number{_letters(n)} <p{n}@host{n % 50}.example>\r\nTo: endorse@delta.example\r\nSubject: Endorsement\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMessage-ID: <m{n}.{size}@host{n % 50}.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"{words}\r\n\r\n" + "I have lived beside the delta for a long time.\r\n" * (size // 48) + f"Person Number{_letters(n)}\r\n"
    ).encode()
    return sign(raw, f"host{n % 50}.example", "s", _PEM)


def provider_signs(raw: bytes, domain: str) -> bytes:
    """A mail as the provider of one of the fifty domains sends it out."""
    return sign(raw, domain, "s", _PEM)


def _letters(n: int) -> str:
    """A number as a surname: names with digits are odd, and odd names go to a human."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(n))


def table() -> dict[str, dict[str, list[str]]]:
    """The DNS table that publishes every provider's key."""
    return {f"s._domainkey.host{n}.example": {"TXT": [_RECORD.decode()]} for n in range(50)}


OPENED: list[Program] = []
"""Every program that a test looked at; conftest closes their stores, for a connection left open fails a test."""


def close_all() -> None:
    """Closes the stores of all programs that tests looked at."""
    while OPENED:
        program = OPENED.pop()
        if "store" in vars(program):
            program.store.close()


@dataclass
class Service:
    """A configured mailflow in ``root``; ``env`` goes to every process."""

    root: Path
    url: str
    smarthost_port: int
    settings: str = ""
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        campaigns = self.config / "campaigns"
        campaigns.mkdir(parents=True, exist_ok=True)
        (campaigns / "delta.toml").write_text(CAMPAIGN)
        (self.root / "dns.json").write_text(json.dumps(table()))
        self.configure(self.settings)

    @property
    def config(self) -> Path:
        return self.root / "config"

    def configure(self, settings: str = "") -> None:
        """Writes mailflow.toml; ``settings`` is more TOML, in tables of its own."""
        (self.config / "mailflow.toml").write_text(
            f"[store]\nurl = {json.dumps(self.url)}\nbusy_seconds = 5.0\nfree_bytes_floor = 0\n\n[smtp]\nport = 0\n"
            "max_connections_per_client = 200\n"
            f'\n[smarthost]\nhost = "127.0.0.1"\nport = {self.smarthost_port}\nsecurity = "none"\ntimeout_seconds = 5.0\n'
            f'\n[workers]\ncount = 2\ndns_table = "dns.json"\nlease_seconds = 5.0\n{settings}'
        )

    @property
    def program(self) -> Program:
        """The program as the config says it is now; its store is closed by ``close_all`` if nobody did."""
        program = Program.at(self.config)
        OPENED.append(program)
        return program

    def command(
        self, *args: str, crash_at: str = "", stdin: bytes | None = None, timeout: float = 60
    ) -> "subprocess.CompletedProcess[bytes]":
        """Runs one command of the program to its end."""
        env = {**os.environ, **self.env, **({"MAILFLOW_CRASH_AT": crash_at} if crash_at else {})}
        command = [sys.executable, "-m", "mailflow", "--config", str(self.config), *args]
        return subprocess.run(command, env=env, input=stdin, capture_output=True, timeout=timeout, check=False)

    @contextmanager
    def running(self, *args: str, crash_at: str = "") -> Iterator["Running"]:
        """`mailflow run` while the block runs; ended by SIGTERM to its own pid."""
        log = self.root / "run.log"
        with log.open("ab") as output:
            start = output.tell()
            env = {**os.environ, **self.env, **({"MAILFLOW_CRASH_AT": crash_at} if crash_at else {})}
            command = [sys.executable, "-m", "mailflow", "--config", str(self.config), "run", *args]
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            try:
                yield Running(process, log, start)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


@dataclass
class Running:
    """A running service."""

    process: "subprocess.Popen[bytes]"
    log: Path
    start: int

    def log_text(self) -> str:
        return self.log.read_bytes()[self.start :].decode("utf-8", "replace")

    def port(self) -> int:
        """The listener's port, once it answers."""
        for _ in range(300):
            _, said, rest = self.log_text().partition("listening on ")
            if said and "\n" in rest:
                port = int(rest.splitlines()[0].rpartition(" ")[2])
                if _answers(port):
                    return port
            assert self.process.poll() is None, self.log_text()[-2000:]
            time.sleep(0.1)
        raise AssertionError("no listener: " + self.log_text()[-2000:])

    def children(self) -> list[int]:
        """The pids of the service's processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
            return smtp.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def deliver(port: int, raw: bytes, sender: str = "someone@host.example", tries: int = 40) -> int:
    """Sends one mail as an MTA does, again and again until it hears 250; returns how many tries it took."""
    for attempt in range(1, tries + 1):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=15) as smtp:
                smtp.sendmail(sender, ["endorse@delta.example"], raw)
                return attempt
        except (OSError, smtplib.SMTPException):
            time.sleep(0.25)
    raise AssertionError("the mail was never accepted")


def wait_until_idle(store: Store, seconds: float = 60) -> None:
    """Until nothing is in flight and nothing waits to be sent."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with store.read() as tx:
            if mails.waiting(tx)[0] == 0 and outbox.counts(tx)["waiting"] == 0:
                return
        time.sleep(0.1)
    with store.read() as tx:
        raise AssertionError(f"not idle after {seconds} s: {mails.waiting(tx)}, {outbox.counts(tx)}")
