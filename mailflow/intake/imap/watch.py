"""Watches one folder for months: connects, reads, waits, and after any trouble hangs up and begins anew."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from mailflow.intake.imap.aftercare import tell_server
from mailflow.intake.imap.reading import FolderReader
from mailflow.intake.imap.session import Session
from mailflow.intake.imap.trouble import LoginRefused, MailboxTrouble
from mailflow.model.errors import MailflowError, StoreUnavailable
from mailflow.store import leases, mailboxes

log = logging.getLogger("mailflow.imap")

SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
LOGIN_PAUSE = 60.0
"""Servers lock an account after a few wrong logins in a minute."""
SLICE = 0.5
"""How long a wait goes on before SIGTERM is noticed."""


@dataclass
class Watcher:
    """One folder, watched until ``stop()``. ``has_disk`` says whether there is room for more; ``owner`` names us in leases."""

    reader: FolderReader
    connect: Callable[[], Session]
    has_disk: Callable[[], bool]
    owner: str
    pause: float = 0.0
    trouble: str = ""
    sleep: Callable[[float], None] = time.sleep

    def run(self, stop: Callable[[], bool]) -> None:
        """Never raises but for Lost and bugs: what goes wrong is logged, noted for `status`, and tried again after a pause."""
        while not stop():
            try:
                if self._is_ours():
                    self._serve(stop)
                else:
                    self._rest(self.reader.account.poll_seconds, stop)
            except StoreUnavailable as error:
                log.warning("%s: waiting for the store: %s", self._name, error)
                self._back_off(stop, SHORTEST_PAUSE)
            except sa.exc.IntegrityError:
                log.warning("%s: somebody else reads it as well", self._name)
                self._back_off(stop, LOGIN_PAUSE)
            except LoginRefused as error:
                self._complain(error)
                self._back_off(stop, LOGIN_PAUSE)
            except MailboxTrouble as error:
                self._complain(error)
                self._back_off(stop, SHORTEST_PAUSE)
            except MailflowError as error:
                self._complain(error)
                self._back_off(stop, LOGIN_PAUSE)

    @property
    def _name(self) -> str:
        return f"{self.reader.account.name}, folder {self.reader.folder!r}"

    def _is_ours(self) -> bool:
        """Of several machines only one reads a folder; it keeps a lease that outlives one round."""
        length = timedelta(seconds=3 * self.reader.account.poll_seconds + 120)
        key = sha256(self.reader.folder.encode()).hexdigest()[:24]
        with self.reader.store().write() as tx:
            return leases.take(tx, f"imap:{self.reader.account.name}:{key}", self.owner, self._now(), length)

    def _now(self) -> datetime:
        return self.reader.now()

    def _serve(self, stop: Callable[[], bool]) -> None:
        """One connection's life: read to the end, wait, read again."""
        with closing(self.connect()) as session:
            idles = self.reader.account.idle and session.can_idle
            while not stop() and self._is_ours():
                if self.has_disk():
                    self._round(session)
                else:
                    self._complain(MailboxTrouble("the disk is nearly full; reading goes on when there is room"))
                with _idle(session) if idles else nullcontext():
                    self._wait(session if idles else None, stop)
                # Only a whole round is a success: a server that lets us read and refuses the rest is not to be asked each second.
                self.pause, self.trouble = 0.0, ""

    def _round(self, session: Session) -> None:
        kept = self.reader.catch_up(session)
        if kept:
            log.info("%s: %d mails kept", self._name, kept)
        tell_server(self.reader, session)

    def _wait(self, session: Session | None, stop: Callable[[], bool]) -> None:
        """Until the server says something or it is time to look anyway. Raises MailboxTrouble when the server has gone."""
        until = time.monotonic() + self.reader.account.poll_seconds
        while (left := until - time.monotonic()) > 0 and not stop():
            span = min(SLICE, left)
            if session is None:
                self.sleep(span)
                continue
            began = time.monotonic()
            if session.heard(span):
                return
            # IMAPClient answers "nothing" at once and for ever when the server has closed the connection.
            if time.monotonic() - began < span / 2:
                raise MailboxTrouble("idle: the server hung up")

    def _rest(self, seconds: float, stop: Callable[[], bool]) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stop():
            self.sleep(min(SLICE, left))

    def _back_off(self, stop: Callable[[], bool], shortest: float) -> None:
        """Twice as long each time, with jitter, so that a thousand clients do not come back in the same second."""
        self.pause = min(LONGEST_PAUSE, max(shortest, 2 * self.pause))
        self._rest(self.pause * random.uniform(0.7, 1.3), stop)  # noqa: S311 - spreads load, hides nothing

    def _complain(self, error: MailflowError) -> None:
        """Once in the log for each new trouble, and for `status` and the digest in the store."""
        account, folder = self.reader.account.name, self.reader.folder
        try:
            with self.reader.store().write() as tx:
                mailboxes.note_trouble(tx, account, folder, str(error))
        except StoreUnavailable as other:
            log.warning("%s: waiting for the store: %s", self._name, other)
        if self.trouble != str(error):
            log.warning("%s: %s", self._name, error)
        self.trouble = str(error)


@contextmanager
def _idle(session: Session) -> Iterator[None]:
    """IDLE within the block. After trouble nothing is said any more: the connection is hung up anyway."""
    session.start_idle()
    yield
    session.stop_idle()
