"""The loop that reads and decides, in a process that may be killed at any moment."""

import gc
import logging
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow import crash, pipeline
from mailflow.config.settings import LimitSettings
from mailflow.model.endorsement import EventKind
from mailflow.model.errors import Lost, StoreUnavailable
from mailflow.model.mail import KeptMail
from mailflow.pipeline import Read, Tools
from mailflow.store import events, mails
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.worker")

BATCH = 40
WRITE_SECONDS = 0.02
"""A writer that holds the lock for longer makes somebody's 250 wait."""
GARBAGE = 10_000
"""Objects between two looks for circles: nearly all that a mail makes is gone with it, without being looked for."""
IDLE_SECONDS = 0.1
OUTAGE_SECONDS = 1.0


@dataclass(frozen=True)
class Worker:
    """One worker. ``owner`` names it in leases; ``lease`` is how long it may be silent."""

    store: Store
    tools: Tools
    owner: str
    lease: timedelta
    limits: LimitSettings
    killable: bool = True

    def run(self, stop: Callable[[], bool], *, until_idle: bool = False) -> int:
        """Works until ``stop()``, or until nothing is due; returns how many mails were claimed.

        Outages of the store are waited out. Raises Lost when the process must end.
        """
        if self.killable:
            bound_memory(self.limits.memory_bytes)
            gc.set_threshold(GARBAGE)
        done = 0
        while not stop():
            try:
                claimed = self.batch()
            except StoreUnavailable as error:
                self._wait_out(error)
                continue
            done += claimed
            if claimed == 0:
                if until_idle and not self._in_flight():
                    return done
                time.sleep(IDLE_SECONDS)
        return done

    def batch(self) -> int:
        """Claims some mails, takes each to its decision; returns how many were claimed. Raises StoreUnavailable, Lost."""
        with self.store.read() as look:
            if not mails.any_due(look, self.tools.now()):
                return 0
        with self.store.write() as tx:
            claimed = mails.claim(tx, self.owner, self.tools.now(), self.lease, BATCH)
            worn = mails.set_aside_worn_out(tx, self.tools.now())
            _tell_set_aside(tx, worn, self.tools)
        if not claimed:
            return len(worn)
        crash.point("parse.claimed")
        reads, unread = self._read_all(claimed)
        self._settle_all(reads)
        if unread:
            with self.store.write() as tx:
                mails.give_back(tx, self.owner)
        return len(claimed)

    def _read_all(self, claimed: list[KeptMail]) -> tuple[list[Read], int]:
        """Reads the mails; stops early when slow DNS has eaten a third of the lease, and says how many are left."""
        reads: list[Read] = []
        until = time.monotonic() + self.lease.total_seconds() / 3
        for n, mail in enumerate(claimed):
            if time.monotonic() > until:
                return reads, len(claimed) - n
            if (read := self._read(mail)) is not None:
                reads.append(read)
        return reads, 0

    def _read(self, mail: KeptMail) -> Read | None:
        """Reads one mail under the CPU limit; a failure is written down and counts as one of its three tries."""
        try:
            with cpu_limit(self.limits.cpu_seconds if self.killable else 0):
                crash.point("parse.child_killed")
                return pipeline.look(mail, self.tools)
        except (StoreUnavailable, Lost):
            raise
        except Exception as error:  # noqa: BLE001 - the worker loop: a mail that breaks the reader must not stop the others
            self._note_failure(mail.id, error)
            return None

    def _settle_all(self, reads: list[Read]) -> None:
        """Settles in transactions of at most 20 ms, as many mails at a time as are about different people."""
        pending = reads
        while pending:
            with self.store.write() as tx:
                mine = mails.still_mine(tx, [read.mail.id for read in pending], self.owner)
                pending = [read for read in pending if read.mail.id in mine]
                until = time.monotonic() + WRITE_SECONDS
                while pending:
                    count = pipeline.apart(pending)
                    self._settle_group(pending[:count], tx)
                    pending = pending[count:]
                    if time.monotonic() > until:
                        break
                crash.point("effect.before_commit")
            crash.point("effect.after_commit.before_lease_release")

    def _settle_group(self, group: list[Read], tx: Connection) -> None:
        """Settles a group together; if anything about it fails, one by one, so that nobody fails for a neighbour."""
        try:
            with tx.begin_nested():
                pipeline.settle(group, tx, self.tools)
        except (sa.exc.OperationalError, sa.exc.InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - the worker loop, its second half: see _read
            log.info("a group of %d is settled one by one (%s)", len(group), type(error).__name__)
            for read in group:
                self._settle(read, tx)

    def _settle(self, read: Read, tx: Connection) -> None:
        for last_try in (False, True):
            try:
                with tx.begin_nested():
                    pipeline.settle([read], tx, self.tools)
            except sa.exc.IntegrityError as error:
                # Another worker settled the same person or content between our look and our write.
                if last_try:
                    mails.fail(tx, read.mail.id, self.owner, _describe(error))
            except sa.exc.DBAPIError:
                raise
            except Exception as error:  # noqa: BLE001 - the worker loop, its second half: see _read
                log.error("mail %d could not be settled: %s", read.mail.id, _describe(error))  # noqa: TRY400 - a trace may quote the mail
                mails.fail(tx, read.mail.id, self.owner, _describe(error))
                return
            else:
                return

    def _note_failure(self, mail_id: int, error: Exception) -> None:
        log.error("mail %d could not be read: %s", mail_id, _describe(error))
        with self.store.write() as tx:
            mails.fail(tx, mail_id, self.owner, _describe(error))

    def _wait_out(self, error: StoreUnavailable) -> None:
        log.warning("waiting for the store: %s", error)
        time.sleep(OUTAGE_SECONDS)
        try:
            with self.store.write() as tx:
                mails.give_back(tx, self.owner)
        except StoreUnavailable:
            log.warning("the store is still away")

    def _in_flight(self) -> bool:
        """Whether something is being worked on or waits for its lease to end (not: for DNS to come back)."""
        with self.store.read() as tx:
            return mails.leased_by_others(tx, self.tools.now())


def _tell_set_aside(tx: Connection, worn: list[tuple[int, str | None]], tools: Tools) -> None:
    for mail_id, campaign in worn:
        log.error("mail %d is set aside after three tries; see mailflow status and mailflow retry", mail_id)
        slug = campaign or "-"
        events.append(tx, EventKind.SET_ASIDE, campaign=slug, at=tools.now(), actor="worker", reason="three_tries_failed", mail_id=mail_id)


def _describe(error: Exception) -> str:
    """Type and place of a failure, never its text: that may quote the mail."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """The kernel kills this process when the block takes more CPU (SIGPROF's default action); 0: no limit.

    A handler would not do: Python runs handlers between bytecodes, and the worst inputs hang inside one.
    """
    if not seconds:
        yield
        return
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def bound_memory(extra: int) -> None:
    """Lets this process grow by ``extra`` bytes of data from here; beyond it Python raises MemoryError."""
    used = next(
        (
            int(line.split()[1]) * 1024
            for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
            if line.startswith("VmData")
        ),
        0,
    )
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (used + extra, hard))
