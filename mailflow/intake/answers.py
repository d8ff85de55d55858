"""From the keeper's thread back into the event loop: one wake-up for a whole group of mails."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future

Then = Callable[["Future[int]"], None]


class Answers:
    """Calls back in the loop when futures are done; a wake-up a mail would cost more than the mail."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._ready: list[tuple[Then, Future[int]]] = []

    def when_done(self, future: "Future[int]", then: Then) -> None:
        """Runs ``then(future)`` in the loop, once the future is done; nobody hears where the loop has ended by then."""
        future.add_done_callback(lambda done: self._put(then, done))

    def _put(self, then: Then, future: "Future[int]") -> None:
        with self._lock:
            self._ready.append((then, future))
            first = len(self._ready) == 1
        if first:
            # A loop that is closed has no session left to answer; the mail is kept all the same.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            ready, self._ready = self._ready, []
        for then, future in ready:
            then(future)
