"""Keeps the processes of the service running: starts them, starts them again, stops them cleanly."""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from mailflow.model.errors import MailflowError, StoreUnavailable
from mailflow.store import leases, mails, outbox
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
    pid: int | None = None
    started: float = 0.0
    pause: float = 0.05
    start_at: float = 0.0


@dataclass
class Supervisor:
    """Runs ``part(role, name, stop)`` in a process of its own for each role given, as long as ``stop`` says no.

    Children are forked from this process, which has everything imported, one thread and no open store: a new
    worker stands in a few milliseconds, so that killing one is cheap. Each watches the reading end of a pipe:
    when the supervisor dies, however it dies, they see its end and stop by themselves.
    """

    part: Callable[[str, str, "StopSign"], int]
    roles: Sequence[str]
    store: Callable[[], Store]
    children: list[Child] = field(default_factory=list)
    alive: tuple[int, int] = field(default_factory=os.pipe)

    def run(self, stop: Callable[[], bool]) -> None:
        """Blocks until ``stop()``; then ends the children and returns."""
        # What is loaded by now lives as long as we: collectors need not walk it, and its pages stay shared with the children.
        gc.collect()
        gc.freeze()
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
            for end in self.alive:
                os.close(end)

    def _tend(self, child: Child) -> None:
        if child.pid is None:
            if time.monotonic() >= child.start_at:
                self._start(child)
        elif (code := _ended(child.pid)) is not None:
            self._bury(child, code)

    def _start(self, child: Child) -> None:
        child.name = f"{child.role}{child.number}@{os.uname().nodename}:{time.time_ns()}"[-80:]
        child.started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._live(child)
        child.pid = pid
        log.info("%s %d started as pid %d", child.role, child.number, pid)

    def _live(self, child: Child) -> None:
        """The child's whole life; it never returns into the supervisor's code."""
        code = 70
        try:
            os.setsid()
            os.close(self.alive[1])
            code = self.part(child.role, child.name, StopSign(parent=self.alive[0]))
        except MailflowError as error:
            log.error("%s %d: %s", child.role, child.number, error)  # noqa: TRY400 - the text is for the log, a trace is not
            code = 75
        except Exception as error:  # noqa: BLE001 - the last line of a child, as main() is the last line of the program
            log.error("%s %d: a bug: %s", child.role, child.number, type(error).__name__)  # noqa: TRY400 - a trace may quote a mail
        finally:
            logging.shutdown()
            os._exit(code)

    def _bury(self, child: Child, code: int) -> None:
        """A child has ended: frees what it held, and starts it again after a pause that grows while it keeps dying."""
        log.warning("%s %d ended (%s)", child.role, child.number, _how(code))
        steady = time.monotonic() - child.started > STEADY_SECONDS
        child.pause = 0.05 if steady else min(LONGEST_PAUSE, child.pause * 2)
        child.start_at = time.monotonic() + child.pause
        child.pid = None
        self._release(child, code)

    def _release(self, child: Child, code: int) -> None:
        try:
            with closing(self.store()) as store, store.write() as tx:
                mails.release(tx, child.name, f"the worker ended ({_how(code)})")
                outbox.release(tx, child.name)
                leases.release(tx, child.name)
        except StoreUnavailable:
            log.warning("leases of %s %d run out by themselves: the store is away", child.role, child.number)

    def _stop_all(self) -> None:
        for child in self.children:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for child in self.children:
            if child.pid is not None:
                self._end(child, child.pid, until)

    def _end(self, child: Child, pid: int, until: float) -> None:
        """Waits for a child that was told to stop; one that died otherwise may have left leases behind."""
        while (code := _ended(pid)) is None:
            if time.monotonic() > until:
                log.warning("pid %d did not stop in time and is killed", pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        if code:
            self._release(child, code)


def _ended(pid: int) -> int | None:
    """The exit code of a child (negative: the signal), ``None`` while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


class StopSign:
    """True once this process should end: SIGTERM, SIGINT, or the supervisor is gone.

    ``parent`` is the reading end of a pipe whose other end only the supervisor holds.
    """

    def __init__(self, parent: int | None = None) -> None:
        self._event = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._event.set())
        if parent is not None:
            threading.Thread(target=self._wait_for_end, args=(parent,), name="parent", daemon=True).start()

    def __call__(self) -> bool:
        """Whether it is time."""
        return self._event.is_set()

    def set(self) -> None:
        """Asks this process to end."""
        self._event.set()

    def _wait_for_end(self, parent: int) -> None:
        while os.read(parent, 1):
            pass
        self._event.set()
