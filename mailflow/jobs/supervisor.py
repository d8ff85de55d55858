"""Keeps the processes of the service running: starts them, starts them again, stops them cleanly."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mailflow.model.errors import StoreUnavailable
from mailflow.store import mails, outbox
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.run")

STOP_SECONDS = 25.0
"""SIGTERM must end the service within 30 s; whoever is not done by then is killed, and nothing is lost by it."""
STEADY_SECONDS = 10.0
LONGEST_PAUSE = 10.0


@dataclass
class Child:
    """One process of the service and how it has fared. ``name`` is its owner name in leases."""

    role: str
    number: int
    name: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = 0.1
    start_at: float = 0.0


@dataclass
class Supervisor:
    """Runs ``command(role, name)`` for each role given, for as long as ``stop`` says no.

    Each child has the reading end of a pipe as standard input: when the supervisor dies, however it
    dies, the children see the end of it and stop by themselves.
    """

    command: Callable[[str, str], list[str]]
    roles: Sequence[str]
    store: Callable[[], Store]
    environment: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)

    def run(self, stop: Callable[[], bool]) -> None:
        """Blocks until ``stop()``; then ends the children and returns."""
        seen: dict[str, int] = {}
        for role in self.roles:
            seen[role] = seen.get(role, 0) + 1
            self.children.append(Child(role, seen[role]))
        try:
            while not stop():
                for child in self.children:
                    self._tend(child)
                time.sleep(0.05)
        finally:
            self._stop_all()

    def _tend(self, child: Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.start_at:
                self._start(child)
        elif (code := child.process.poll()) is not None:
            self._bury(child, code)

    def _start(self, child: Child) -> None:
        child.name = f"{child.role}{child.number}@{os.uname().nodename}:{time.time_ns()}"[-80:]
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            self.command(child.role, child.name), stdin=subprocess.PIPE, env={**os.environ, **self.environment}, start_new_session=True
        )
        log.info("%s %d started as pid %d", child.role, child.number, child.process.pid)

    def _bury(self, child: Child, code: int) -> None:
        """A child has ended: frees what it held, and starts it again after a pause that grows while it keeps dying."""
        log.warning("%s %d ended (%s)", child.role, child.number, _how(code))
        steady = time.monotonic() - child.started > STEADY_SECONDS
        child.pause = 0.1 if steady else min(LONGEST_PAUSE, child.pause * 2)
        child.start_at = time.monotonic() + child.pause
        if child.process is not None and child.process.stdin is not None:
            child.process.stdin.close()
        child.process = None
        self._release(child, code)

    def _release(self, child: Child, code: int) -> None:
        if child.role not in ("worker", "sender"):
            return
        try:
            with self.store().write() as tx:
                mails.release(tx, child.name, f"the worker ended ({_how(code)})")
                outbox.release(tx, child.name)
        except StoreUnavailable:
            log.warning("leases of %s %d run out by themselves: the store is away", child.role, child.number)

    def _stop_all(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("pid %d did not stop in time and is killed", process.pid)
                process.kill()
                process.wait()


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


class StopSign:
    """True once this process should end: SIGTERM, SIGINT, or the supervisor is gone.

    ``watch_parent`` reads standard input, which the supervisor holds open as long as it lives.
    """

    def __init__(self, *, watch_parent: bool = False) -> None:
        self._event = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._event.set())
        if watch_parent:
            threading.Thread(target=self._wait_for_end, name="parent", daemon=True).start()

    def __call__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Asks this process to end."""
        self._event.set()

    def _wait_for_end(self) -> None:
        while sys.stdin.buffer.read(1):
            pass
        self._event.set()


def own_command(config: Path) -> Callable[[str, str], list[str]]:
    """The command line of a child of this very program."""
    return lambda role, name: [sys.executable, "-m", "mailflow", "--config", str(config), "child", role, name]
