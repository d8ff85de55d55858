"""The play: set the stage, send the mails, wait until all is done, show what came of it."""

import json
import logging
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailflow.config.load import Config
from mailflow.demo.catchall import CatchAll
from mailflow.demo.providers import Providers, sender_of
from mailflow.model.errors import StoreUnavailable, Temporary
from mailflow.packaged import packaged
from mailflow.store import mails, outbox
from mailflow.wiring import Program

log = logging.getLogger("mailflow.demo")

FIRST_EVENING = datetime(2026, 9, 20, 20, 0, tzinfo=UTC)
"""The demo's own clock: its mails are of September 2026, and each run is one evening later."""
PATIENCE = 90.0


class TooSlow(Temporary):
    """The demo did not come to its end in time."""


@dataclass(frozen=True)
class Stage:
    """Where one run of the demo plays."""

    folder: Path
    run: int

    @property
    def config(self) -> Path:
        """Its config folder."""
        return self.folder / "config"

    @property
    def outgoing(self) -> Path:
        """Where the catch-all puts what we send."""
        return self.folder / "outgoing"

    @property
    def now(self) -> datetime:
        """The demo's present at the start of this run."""
        return FIRST_EVENING + timedelta(days=self.run - 1)

    @property
    def environment(self) -> dict[str, str]:
        """The clock for every process of the play."""
        return {"MAILFLOW_CLOCK_OFFSET": str((self.now - datetime.now(UTC)).total_seconds())}


def play(folder: Path) -> Program:
    """Plays the demo in ``folder``, on the store of earlier runs if there is one; returns the program to look at.

    Raises Temporary when it does not end in time.
    """
    stage = _next_run(folder.resolve())
    providers = Providers(stage.folder / "providers")
    letters = [(path, path.read_bytes()) for path in sorted((packaged("config") / "demo" / "mail").glob("*.eml"))]
    providers.publish({sender_of(raw).rpartition("@")[2] for _, raw in letters} - {""})
    with CatchAll(stage.outgoing) as catchall:
        _write_config(stage, catchall.port, providers.table_file)
        os.environ.update(stage.environment)
        program = Program.at(stage.config)
        with _service(stage, program.config) as port:
            _send(letters, providers, stage, port)
            _wait(program)
        _digests(program)
    return program


def _next_run(folder: Path) -> Stage:
    folder.mkdir(parents=True, exist_ok=True)
    counter = folder / "runs.json"
    run = 1 + (json.loads(counter.read_text(encoding="utf-8")) if counter.exists() else 0)
    counter.write_text(json.dumps(run), encoding="utf-8")
    return Stage(folder, run)


def _write_config(stage: Stage, smarthost_port: int, table: Path) -> None:
    campaigns = stage.config / "campaigns"
    campaigns.mkdir(parents=True, exist_ok=True)
    for file in (packaged("config") / "campaigns").glob("tamar-delta*"):
        shutil.copy(file, campaigns / file.name)
    (stage.config / "mailflow.toml").write_text(
        "# Written by `mailflow demo`.\n"
        '[smtp]\nport = 0\nhostname = "mx.tamar-delta.example"\n\n'
        f'[smarthost]\nhost = "127.0.0.1"\nport = {smarthost_port}\nsecurity = "none"\n\n'
        f"[workers]\ncount = 2\ndns_table = {json.dumps(str(table))}\n",
        encoding="utf-8",
    )


@contextmanager
def _service(stage: Stage, config: Config) -> Iterator[int]:
    """`mailflow run` as a process of its own, ended by its own pid; gives the port of its listener."""
    log_file = stage.folder / "run.log"
    with log_file.open("ab") as output:
        start = output.tell()
        command = [sys.executable, "-m", "mailflow", "--config", str(stage.config), "run", "--only", "intake,worker,sender"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield _port(log_file, start, process, config.settings.smtp.host)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _port(log_file: Path, start: int, process: "subprocess.Popen[bytes]", host: str) -> int:
    """The port that the service says it listens on, once somebody answers there."""
    for _ in range(int(PATIENCE * 10)):
        told = log_file.read_bytes()[start:].decode("utf-8", "replace").partition("listening on ")[2]
        port = told.splitlines()[0].rpartition(" ")[2] if "\n" in told else ""
        if port.isdigit() and _answers(host, int(port)):
            return int(port)
        if process.poll() is not None:
            raise TooSlow(f"the service ended with exit code {process.returncode}; see {log_file}")
        time.sleep(0.1)
    raise TooSlow(f"the listener did not start; see {log_file}")


def _answers(host: str, port: int) -> bool:
    try:
        with smtplib.SMTP(host, port, timeout=5) as smtp:
            return smtp.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _send(letters: list[tuple[Path, bytes]], providers: Providers, stage: Stage, port: int) -> None:
    """Each provider signs and sends its mails over a real connection."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="providers.example", timeout=30) as smtp:
        for _, raw in letters:
            sender = sender_of(raw)
            domain = sender.rpartition("@")[2]
            signed = providers.sign(raw, domain, stage.now) if domain else raw
            smtp.sendmail(sender, ["endorse@tamar-delta.example"], signed)


def _wait(program: Program) -> None:
    """Until nothing is in flight and nothing waits to be sent."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with program.store.read() as tx:
                if mails.waiting(tx)[0] == 0 and outbox.counts(tx)["waiting"] == 0:
                    return
        except StoreUnavailable as error:
            log.info("waiting for the store: %s", error)
        time.sleep(0.1)
    raise TooSlow(f"not done after {PATIENCE:.0f} seconds; see {program.config.root / 'run.log'}")


def _digests(program: Program) -> None:
    """The evening's digests, written and sent."""
    program.ticker("demo").digests()
    program.sender("demo").run(lambda: False, until_idle=True)
