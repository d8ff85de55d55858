"""Group commit: many sessions share one transaction, and nobody hears "kept" before it is on disk."""

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

import sqlalchemy as sa

from mailflow import crash
from mailflow.intake import Arrival
from mailflow.model.errors import Lost, MailflowError, StoreUnavailable
from mailflow.store import mails
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.intake")

GROUP_MAILS = 200
GROUP_BYTES = 4 * 1024 * 1024
"""A group holds the write lock while it is written: bounded, so that nobody else's 250 starves."""

_Waiting = tuple[Arrival, "Future[int]"]


class Keeper:
    """Keeps mails from any thread. Every arrival that waits when a commit ends goes into the next one.

    ``store`` is asked for the open store at each commit, so that a database that is away when we start can
    come back later. ``on_lost`` is called when only a fresh process can know what the disk holds. Stop it with ``close``;
    what was handed in before is still kept.
    """

    def __init__(self, store: Callable[[], Store], *, on_lost: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._on_lost = on_lost
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def keep(self, arrival: Arrival) -> "Future[int]":
        """The future gives the mail's id once it is durable, or raises StoreUnavailable (nothing was kept)."""
        future: Future[int] = Future()
        self._queue.put((arrival, future))
        return future

    def close(self) -> None:
        """Ends the thread after everything handed in so far."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        first = self._queue.get()
        while first is not None:
            group, stop = self._gather(first)
            self._keep_group(group)
            if stop:
                return
            first = self._queue.get()

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """Everything that waits by now, up to the bounds of a group."""
        group, size = [first], first[0].size
        first[1].set_running_or_notify_cancel()
        while len(group) < GROUP_MAILS and size < GROUP_BYTES and not self._queue.empty():
            item = self._queue.get()
            if item is None:
                return group, True
            item[1].set_running_or_notify_cancel()
            group.append(item)
            size += item[0].size
        return group, False

    def _keep_group(self, group: Sequence[_Waiting]) -> None:
        """One transaction for the group; if the rows themselves are refused, one for each, so that nobody fails for a neighbour."""
        try:
            ids = self._commit([arrival for arrival, _ in group])
        except Lost as error:
            log.critical("the store failed under a commit, this process must end: %s", error)
            _fail(group, StoreUnavailable(str(error)))
            self._on_lost()
        except MailflowError as error:
            log.warning("cannot keep %d mails now: %s", len(group), error)
            _fail(group, error)
        except (sa.exc.SQLAlchemyError, ValueError, OSError, MemoryError) as error:
            self._one_by_one(group, error)
        else:
            for (_, future), id_ in zip(group, ids, strict=True):
                future.set_result(id_)

    def _one_by_one(self, group: Sequence[_Waiting], error: Exception) -> None:
        if len(group) == 1:
            log.error("cannot keep a mail: %s", type(error).__name__)
            _fail(group, StoreUnavailable(f"a mail could not be kept: {type(error).__name__}"))
            return
        for waiting in group:
            self._keep_group([waiting])

    def _commit(self, arrivals: Sequence[Arrival]) -> list[int]:
        new = [_new_mail(arrival) for arrival in arrivals]
        with self._store().write() as tx:
            ids = mails.keep(tx, new)
            crash.point("raw.insert.before_commit")
        crash.point("raw.commit.before_250")
        return ids


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, future in group:
        future.set_exception(error)


def _new_mail(arrival: Arrival) -> mails.NewMail:
    raw = arrival.raw.read_bytes() if isinstance(arrival.raw, Path) else arrival.raw
    digest = hashlib.sha256(raw).hexdigest()
    return mails.NewMail(raw, digest, arrival.envelope, arrival.campaign, arrival.received_at, arrival.set_aside)
