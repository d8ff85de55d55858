"""What must happen from time to time: number the ledger, set worn-out mails aside, write digests."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Protocol

import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.engine import Connection

from mailflow import crash, digest
from mailflow.config.campaign import Campaign, Organiser
from mailflow.config.imap import ImapSettings
from mailflow.model.answer import Digest, OutgoingMail
from mailflow.model.endorsement import Event, EventKind
from mailflow.model.errors import StoreUnavailable
from mailflow.model.outside import Now
from mailflow.store import books, digests, entries, events, leases, mailboxes, mails, outbox
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.clock")

LEASE = timedelta(seconds=30)
HELD_SHOWN = 1000
NAMED_SHOWN = 200
"""More than any digest lists; the counts come from the events and the books."""


class RenderDigest(Protocol):
    """Turns a digest into the bytes of a mail."""

    def digest(self, digest: Digest, campaign: Campaign, organiser: Organiser, now: datetime) -> OutgoingMail:
        """The mail; the same for the same arguments."""
        ...


@dataclass(frozen=True)
class Ticker:
    """The jobs that must happen once, whoever rings: each is safe to run at any time, from any process."""

    store: Store
    campaigns: dict[str, Campaign]
    render: RenderDigest
    owner: str
    now: Now
    accounts: Sequence[ImapSettings] = ()

    def number(self) -> int:
        """Gives committed events their places in the sequence, under a lease; returns how many."""
        with self.store.read() as tx:
            if not events.any_unnumbered(tx):
                return 0
        with self.store.write() as tx:
            if not leases.take(tx, "numbering", self.owner, self.now(), LEASE):
                return 0
            return events.number(tx)

    def number_all(self) -> None:
        """Numbers until nothing is left without a place (or another process holds the lease)."""
        while self.number():
            pass

    def digests(self) -> int:
        """Writes every digest that is due; returns how many."""
        self.number_all()
        return sum(self.write_if_due(campaign, organiser) for campaign in self.campaigns.values() for organiser in campaign.organisers)

    def write_if_due(self, campaign: Campaign, organiser: Organiser) -> bool:
        """Writes the organiser's digest if the local day asks for one; returns whether it did."""
        with self.store.read() as tx:
            last_day, _ = digests.last_window(tx, campaign.slug, organiser.address)
        day = digest.due_day(organiser, last_day, self.now())
        return day is not None and self.write(campaign, organiser, day)

    def write(self, campaign: Campaign, organiser: Organiser, day: date) -> bool:
        """Writes one organiser's digest of one local day into the outbox; False when the day has one already.

        Composed outside the writing transaction, which then checks that nobody else opened a window since.
        """
        composed = self.compose(campaign, organiser, day)
        now = self.now()
        mail = self.render.digest(composed, campaign, organiser, now)
        try:
            with self.store.write() as tx:
                if digests.last_window(tx, campaign.slug, organiser.address)[1] != composed.after:
                    return False
                digests.open_window(tx, campaign.slug, organiser.address, day, composed.after, composed.upto, now)
                crash.point("digest.window_opened")
                key = f"digest:{campaign.slug}:{organiser.address}:{day.isoformat()}"
                outbox_id = outbox.add(tx, mail, key=key, kind="digest", campaign=campaign.slug, now=now)
                digests.link(tx, campaign.slug, organiser.address, day, outbox_id)
                crash.point("digest.composed.before_commit")
        except sa.exc.IntegrityError:
            return False
        log.info("digest of %s for %s written, events %d to %d", day, campaign.slug, composed.after + 1, composed.upto)
        return True

    def compose(self, campaign: Campaign, organiser: Organiser, day: date) -> Digest:
        """What the digest of this day would say now. Changes nothing."""
        with self.store.read() as tx:
            _, after = digests.last_window(tx, campaign.slug, organiser.address)
            upto = events.last(tx)
            happened = events.window(tx, campaign.slug, after, upto)
            told = entries.by_ids(tx, _named_in(happened))
            held = mails.held(tx, campaign.slug, HELD_SHOWN)
            unread = self.unread_folders(tx)
            page = next(book for book in books.balance(tx, (campaign.slug,)) if book.campaign == campaign.slug)
        return digest.summarise(
            organiser=organiser,
            campaign=campaign,
            day=day,
            after=after,
            upto=upto,
            events=happened,
            entries=told,
            held=[(row["id"], (row["reasons"] or [row["disposition"]])[0], row["language"], row["received_at"]) for row in held],
            books=page.lines,
            endorsements=page.endorsements,
            received=page.received,
            now=self.now(),
            unread_folders=len(unread),
        )

    def unread_folders(self, tx: Connection) -> list[str]:
        """The folders of mailboxes that were not read to their end for too long, as account/folder."""
        if not self.accounts:
            return []
        known, now = mailboxes.all_folders(tx), self.now()
        return [
            f"{account.name}/{folder}"
            for account in self.accounts
            for folder in account.every_folder()
            if mailboxes.is_stale(found.read_at if (found := known.get((account.name, folder))) else None, now, account.stale_minutes)
        ]

    def watch_mailboxes(self) -> None:
        """Says in the log, every hour until it is mended, which folders are not read."""
        with self.store.read() as tx:
            unread = self.unread_folders(tx)
        if unread:
            log.error("not read for too long: %s; see mailflow imap show", ", ".join(unread))

    def run(self, stop: Callable[[], bool]) -> None:
        """Rings until ``stop()``. The scheduler only wakes; what is due is asked of the store each time."""
        scheduler = BackgroundScheduler(timezone="UTC")
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        scheduler.add_job(self._guarded(self.number), "interval", seconds=1, **options)
        scheduler.add_job(self._guarded(self.digests), "interval", seconds=60, next_run_time=self.now(), **options)
        hour = timedelta(hours=1)
        scheduler.add_job(self._guarded(self.watch_mailboxes), "interval", hours=1, next_run_time=self.now() + hour / 6, **options)
        scheduler.start()
        try:
            while not stop():
                time.sleep(0.2)
        finally:
            scheduler.shutdown()

    def _guarded(self, job: Callable[[], object]) -> Callable[[], None]:
        def ring() -> None:
            try:
                job()
            except StoreUnavailable as error:
                log.warning("waiting for the store: %s", error)

        return ring


def _named_in(happened: list[Event]) -> set[int]:
    """The entries a digest may name: those of the first endorsements in its window."""
    ids = (event.entry_id for event in happened if event.kind is EventKind.ENDORSED and event.entry_id is not None)
    return set(islice(ids, NAMED_SHOWN))
