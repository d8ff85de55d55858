"""Reads a folder from where it was left: what is new is fetched, kept and noted in one transaction."""

import hashlib
import logging
from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mailflow import crash
from mailflow.config.imap import ImapSettings
from mailflow.intake.imap.routes import FIELDS, Routing
from mailflow.intake.imap.session import Folder, Listed, Session, chunks
from mailflow.intake.imap.trouble import MailboxTrouble
from mailflow.model.mail import Envelope
from mailflow.model.outside import Now
from mailflow.store import mailboxes, mails
from mailflow.store.engine import Store
from mailflow.store.mailboxes import Dealt, Outcome, Place, Progress
from mailflow.store.schema import EPOCH

log = logging.getLogger("mailflow.imap")

GROUP_MAILS = 250
GROUP_BYTES = 4 * 1024 * 1024
"""What is fetched, held in memory and committed at once."""
SMALL = 16 * 1024
PIECE = 1024 * 1024
LARGEST = 64 * 1024 * 1024
"""Beyond it a mail stays on the server and is counted as unreadable: nobody endorses in 64 MB."""
CHUNK = 2000
"""UIDs that are dealt with between two notes of how far we are."""
Given = dict[int, tuple[bytes, datetime]]
"""UID -> bytes and time of arrival."""
FIRST_PAUSE = timedelta(minutes=1)
"""Before a mail that the server did not give is asked for again; then twice as long each time."""
_TREATED_AT_ONCE = ("seen", "keyword", "move")


@dataclass
class FolderReader:
    """Reads one folder of one account. ``since_campaign`` is the day from which mails can be answers to a statement.

    ``suspects`` are mails over which a connection broke: they are fetched one by one, so that a mail the server cannot
    give costs itself its turn and nobody else.
    """

    store: Callable[[], Store]
    account: ImapSettings
    folder: str
    routing: Routing
    since_campaign: datetime
    max_bytes: int
    now: Now
    suspects: set[int] = field(default_factory=set)
    tries: dict[int, tuple[datetime, timedelta]] = field(default_factory=dict)

    def catch_up(self, session: Session) -> int:
        """Takes in everything new; returns how many mails were kept. Raises MailboxTrouble, StoreUnavailable.

        Safe to be broken off anywhere: what is committed is not fetched again, what is not committed is.
        """
        opened = session.select(self.folder, readonly=self.account.after == "leave")
        place, progress = self._begin(session, opened)
        kept = 0
        for chunk in chunks(session.search(progress.next_uid, _day_before(progress.since)), CHUNK):
            kept += self._take(session, place, list(chunk), progress.since)
            with self.store().write() as tx:
                # A number that no mail has must not carry us past those that will come.
                gone = mailboxes.gone(tx, place, chunk)
                mailboxes.advance(tx, place, max((uid + 1 for uid in chunk if uid not in gone), default=0))
        kept += self._try_again(session, place, progress.since)
        with self.store().write() as tx:
            mailboxes.note_read(tx, self.account.name, self.folder, self.now())
        return kept

    def backfill(self, session: Session, since: datetime, told: Callable[[int, int], None]) -> int:
        """Takes in older mails too, from ``since`` on; ``told(done, all)`` after each chunk. Resumable like ``catch_up``."""
        place, _ = self._begin(session, session.select(self.folder, readonly=self.account.after == "leave"))
        uids = session.search(1, _day_before(since))
        kept = done = 0
        for chunk in chunks(uids, CHUNK):
            kept += self._take(session, place, list(chunk), since)
            done += len(chunk)
            told(done, len(uids))
        return kept

    def _begin(self, session: Session, opened: Folder) -> tuple[Place, Progress]:
        """Where reading goes on. A folder that got another UIDVALIDITY is read anew; known bytes are recognised (kept_before)."""
        place = Place(self.account.name, self.folder, opened.uidvalidity)
        with self.store().read() as tx:
            progress = mailboxes.progress(tx, self.account.name, self.folder)
        if progress is None or progress.uidvalidity != opened.uidvalidity:
            if progress is not None:
                log.warning("%s: folder %r was renumbered by the server and is read anew", self.account.name, self.folder)
            first = self._first_uid(session, opened) if progress is None else 1
            with self.store().write() as tx:
                mailboxes.begin(tx, place, first, self._since())
                progress = mailboxes.progress(tx, self.account.name, self.folder)
        assert progress is not None  # noqa: S101 - written two lines above
        return place, progress

    def _since(self) -> datetime:
        """From when on mails count at first contact; a day earlier where only new ones do, for the server's clock is its own."""
        return {"campaign": self.since_campaign, "all": EPOCH, "none": self.now() - timedelta(days=1)}[self.account.history]

    def _first_uid(self, session: Session, opened: Folder) -> int:
        """Where reading begins at first contact: at the beginning, or behind the last mail there is."""
        if self.account.history != "none":
            return 1
        return opened.uidnext or max(session.search(1, None), default=0) + 1

    def _take(self, session: Session, place: Place, uids: list[int], since: datetime) -> int:
        """Deals with some hundred UIDs, which ascend; returns how many mails were kept."""
        with self.store().read() as tx:
            known = mailboxes.dealt_with(tx, place, uids)
        fresh = [uid for uid in uids if uid not in known]
        if not fresh:
            return 0
        if self.account.campaign is None:
            return self._take_listed(session, place, fresh, since)
        # Of a whole mailbox the server need not describe each mail first: small ones are simply fetched.
        large = session.larger(fresh, SMALL)
        small = [Listed(uid, SMALL, since) for uid in fresh if uid not in large]
        return self._keep_all(session, place, small, since) + self._take_listed(session, place, sorted(large), since)

    def _take_listed(self, session: Session, place: Place, uids: list[int], since: datetime) -> int:
        """The same for mails that are looked at before they are fetched: at their size, and at whom they are for."""
        if not uids:
            return 0
        listed = session.listed(uids, "" if self.account.campaign else FIELDS)
        self._note_missing(session, place, uids, {one.uid for one in listed})
        recent = [one for one in listed if one.arrived >= since]
        ours = [one for one in recent if self.routing(one.head).found]
        self._record(place, [Dealt(one.uid, Outcome.FOREIGN) for one in recent if one not in ours])
        return self._keep_all(session, place, ours, since)

    def _keep_all(self, session: Session, place: Place, listed: list[Listed], since: datetime) -> int:
        """Keeps mails group by group; while one is written to disk, the server is asked for the next."""
        groups = list(self._groups(listed))
        kept = 0
        withheld: list[int] = []
        with ThreadPoolExecutor(1, "imap-ahead") as ahead:
            coming = deque([ahead.submit(self._fetched, session, place, groups[0])] if groups else [])
            for number, group in enumerate(groups):
                given = coming.popleft().result()
                if number + 1 < len(groups):
                    coming.append(ahead.submit(self._fetched, session, place, groups[number + 1]))
                kept += self._keep(place, group, given, since)
                withheld += [one.uid for one in group if one.uid not in given]
        self._note_missing(session, place, withheld, ())
        return kept

    def _groups(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
        """As many mails as may be fetched at once; a large one or a suspect alone."""
        group: list[Listed] = []
        size = 0
        for one in listed:
            alone = one.size > GROUP_BYTES or one.uid in self.suspects
            if group and (alone or size + one.size > GROUP_BYTES or len(group) >= GROUP_MAILS):
                yield group
                group, size = [], 0
            if alone:
                yield [one]
                continue
            group.append(one)
            size += one.size
        if group:
            yield group

    def _keep(self, place: Place, group: list[Listed], given: Given, since: datetime, *, again: bool = False) -> int:
        """Keeps a group that was fetched: bytes, progress and what the server is to be told, in one transaction."""
        crash.point("imap.fetched.before_commit")
        bodies = {uid: (raw, at) for uid, (raw, at) in given.items() if at >= since}
        campaigns = {one.uid: self.routing(one.head).campaign for one in group}
        hashes = {uid: hashlib.sha256(raw).hexdigest() for uid, (raw, _) in bodies.items()}
        rows = {uid: self._new_mail(*body, hashes[uid], campaigns[uid]) for uid, body in bodies.items()}
        with self.store().write() as tx:
            before = mailboxes.kept_before(tx, self.account.name, list(hashes.values()))
            new = [uid for uid in bodies if hashes[uid] not in before]
            ids = dict(zip(new, mails.keep(tx, [rows[uid] for uid in new]), strict=True)) if new else {}
            mailboxes.record(tx, place, [self._dealt(uid, hashes[uid], ids.get(uid), before) for uid in bodies], again=again)
        crash.point("imap.commit.before_flag")
        self.suspects.difference_update(given)
        return len(new)

    def _fetched(self, session: Session, place: Place, group: list[Listed]) -> Given:
        """The mails that the server gives. If the connection breaks over a group each is suspect; over one mail, it counts a try."""
        try:
            if group[0].size <= GROUP_BYTES:
                return session.bodies([one.uid for one in group])
            return {group[0].uid: (raw, group[0].arrived)} if (raw := self._in_pieces(session, group[0])) else {}
        except MailboxTrouble:
            if len(group) == 1 and group[0].uid in self.suspects:
                with self.store().write() as tx:
                    mailboxes.note_unreadable(tx, place, [group[0].uid])
            self.suspects.update(one.uid for one in group)
            raise

    def _in_pieces(self, session: Session, one: Listed) -> bytes:
        """A large mail, a megabyte at a time; nothing where it is beyond all measure."""
        whole = bytearray()
        if one.size > LARGEST:
            return b""
        while piece := session.piece(one.uid, len(whole), PIECE):
            whole += piece
            if len(whole) > LARGEST:
                return b""
            if len(piece) < PIECE:
                break
        return bytes(whole)

    def _note_missing(self, session: Session, place: Place, asked: Sequence[int], given: Container[int]) -> None:
        """What was listed and not given: gone from the server, or withheld, which is another try later."""
        missing = [uid for uid in asked if uid not in given]
        if not missing:
            return
        there = session.exist(missing)
        with self.store().write() as tx:
            mailboxes.record(tx, place, [Dealt(uid, Outcome.GONE) for uid in missing if uid not in there], again=True)
            mailboxes.note_unreadable(tx, place, [uid for uid in missing if uid in there])

    def _try_again(self, session: Session, place: Place, since: datetime) -> int:
        """Mails that the server did not give so far, one by one, after everybody else."""
        with self.store().read() as tx:
            uids = mailboxes.unreadable(tx, place)
        kept, now = 0, self.now()
        for uid in uids:
            next_try, pause = self.tries.get(uid, (now, FIRST_PAUSE))
            if next_try > now:
                continue
            self.tries[uid] = now + pause, 2 * pause
            self.suspects.add(uid)
            listed = [one for one in session.listed([uid], "" if self.account.campaign else FIELDS) if one.arrived >= since]
            if not listed:
                self._note_missing(session, place, [uid], set())
            elif self.routing(listed[0].head).found:
                given = self._fetched(session, place, listed)
                kept += self._keep(place, listed, given, since, again=True)
                self._note_missing(session, place, [uid], given)
            else:
                self._record(place, [Dealt(uid, Outcome.FOREIGN)], again=True)
        return kept

    def _record(self, place: Place, dealt: list[Dealt], *, again: bool = False) -> None:
        if dealt:
            with self.store().write() as tx:
                mailboxes.record(tx, place, dealt, again=again)

    def _dealt(self, uid: int, sha256: str, mail_id: int | None, before: dict[str, int]) -> Dealt:
        outcome = Outcome.COPY if mail_id is None else Outcome.KEPT
        return Dealt(uid, outcome, before[sha256] if mail_id is None else mail_id, sha256, self._treat_at())

    def _treat_at(self) -> datetime | None:
        """When the server is to be told of a mail that is kept now."""
        if self.account.after == "delete":
            return self.now() + timedelta(days=self.account.delete_after_days)
        return EPOCH if self.account.after in _TREATED_AT_ONCE else None

    def _new_mail(self, raw: bytes, arrived: datetime, sha256: str, campaign: str | None) -> mails.NewMail:
        junk = self.folder in self.account.junk_folders
        envelope = Envelope(
            f"imap-junk:{self.account.name}" if junk else f"imap:{self.account.name}", trusted_results=tuple(self.account.trust_results)
        )
        too_large = f"larger than {self.max_bytes} bytes" if len(raw) > self.max_bytes else None
        return mails.NewMail(raw, sha256, envelope, campaign, min(arrived, self.now()).astimezone(UTC), too_large)


def _day_before(since: datetime) -> datetime | None:
    """A day that SEARCH SINCE can be asked for: the server counts days in a zone of its own."""
    return since - timedelta(days=1) if since > EPOCH else None
