"""The promises of docs/guarantees.md (I1-I5, I9-I12) as one function over a store and what was sent."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.decide import identity
from mailflow.model.decision import Disposition
from mailflow.model.endorsement import EventKind
from mailflow.pipeline import ANSWERS_A_DAY
from mailflow.store import books
from mailflow.store.engine import Store
from mailflow.store.mails import TRIES, proven_before
from mailflow.store.schema import digests, entries, events, mails, outbox, raws


def hold(store: Store, *, accepted: Iterable[bytes] = (), delivered: Iterable[bytes] = (), crashes: int = 0, idle: bool = True) -> None:
    """Raises AssertionError naming the first promise that is broken.

    ``accepted`` are the bytes of every mail that was answered 250 (or exit 0), ``delivered`` what the
    smarthost took, ``crashes`` how often something was killed, ``idle`` whether nothing is under way.
    """
    with store.read() as tx:
        no_loss(tx, accepted)
        conservation(tx)
        no_double_count(tx)
        answers(tx, list(delivered), crashes)
        windows(tx)
        liveness(tx, idle=idle)
        bounds(tx)
        no_backscatter(tx)


def no_loss(tx: Connection, accepted: Iterable[bytes]) -> None:
    """I1: each accepted mail is there, byte for byte. I12: and what is there is what it says it is."""
    wanted = Counter(hashlib.sha256(raw).hexdigest() for raw in accepted)
    found = Counter(tx.execute(sa.select(mails.c.sha256)).scalars())
    lost = {sha: count for sha, count in wanted.items() if found[sha] < count}
    assert not lost, f"I1: {sum(lost.values())} accepted mails are not in the store"
    for sha, data in tx.execute(sa.select(mails.c.sha256, raws.c.data).join(raws, raws.c.mail_id == mails.c.id)):
        assert hashlib.sha256(data).hexdigest() == sha, "I12: the bytes of a mail have changed"


def conservation(tx: Connection) -> None:
    """I2: received is the sum of the lines; nothing hangs in the air."""
    for page in books.balance(tx):
        assert page.balanced, f"I2: the books of {page.campaign} do not balance: {page}"
    orphans = tx.execute(sa.select(sa.func.count()).select_from(mails.outerjoin(raws)).where(raws.c.mail_id.is_(None))).scalar_one()
    assert orphans == 0, f"I2: {orphans} mails without bytes"
    made = {Disposition.COUNTED, Disposition.CHANGED, Disposition.WITHDRAWN}
    query = sa.select(mails.c.id).where(mails.c.disposition.in_(made), mails.c.entry_id.is_(None))
    assert not tx.execute(query).first(), "I2: a mail is counted without an entry"


def no_double_count(tx: Connection) -> None:
    """I3: one entry a person, and each entry is where the ledger says it is."""
    people = Counter((row.campaign, row.identity) for row in tx.execute(sa.select(entries.c.campaign, entries.c.identity)))
    assert all(count == 1 for count in people.values()), "I3: a person is counted twice"
    state = {}
    for entry_id, kind in tx.execute(
        sa.select(events.c.entry_id, events.c.kind).where(events.c.entry_id.is_not(None)).order_by(events.c.id)
    ):
        if kind in (EventKind.ENDORSED, EventKind.WITHDRAWN):
            state[entry_id] = "live" if kind == EventKind.ENDORSED else "withdrawn"
    actual = {row.id: row.state for row in tx.execute(sa.select(entries.c.id, entries.c.state))}
    assert state == actual, f"I3: the ledger and the entries differ: {set(state.items()) ^ set(actual.items())}"


def answers(tx: Connection, delivered: list[bytes], crashes: int) -> None:
    """I4: one answer a person and event; repeats are byte-identical and no more than the crashes explain."""
    ids = Counter(tx.execute(sa.select(outbox.c.message_id)).scalars())
    assert all(count == 1 for count in ids.values()), "I4: two outgoing mails share a Message-ID"
    once = Counter(tx.execute(sa.select(outbox.c.mail_id).where(outbox.c.mail_id.is_not(None))).scalars())
    assert all(count == 1 for count in once.values()), "I4: one mail was answered twice"
    known = {bytes(raw) for raw in tx.execute(sa.select(outbox.c.raw)).scalars()}
    times = Counter(delivered)
    assert set(times) <= known, "I4: something was sent that is not in the outbox, or not byte for byte"
    assert all(count <= 1 + crashes for count in times.values()), "I4: a mail was sent more often than crashes explain"


def windows(tx: Connection) -> None:
    """I5: digest windows tile the event sequence, and the sequence has no gap."""
    numbers = list(tx.execute(sa.select(events.c.seq).where(events.c.seq.is_not(None)).order_by(events.c.seq)).scalars())
    assert numbers == list(range(1, len(numbers) + 1)), "I5: the event sequence has a gap"
    ends: dict[tuple[str, str], int] = defaultdict(int)
    rows = tx.execute(sa.select(digests).order_by(digests.c.upto, digests.c.day))
    for row in rows:
        key = (row.campaign, row.organiser)
        assert row.after == ends[key], f"I5: a gap or overlap before the digest of {row.day}"
        ends[key] = row.upto
        assert row.outbox_id is not None, "I5: a window without its mail"


def liveness(tx: Connection, *, idle: bool) -> None:
    """I9: no mail is tried for ever; when all is idle nothing is in flight but what waits for DNS."""
    in_flight = sa.select(mails.c.id, mails.c.attempts, mails.c.lease_owner, mails.c.error).where(
        mails.c.disposition == Disposition.IN_FLIGHT
    )
    for row in tx.execute(in_flight):
        assert row.attempts <= TRIES, "I9: a mail was tried more than three times"
        assert not idle or row.error == "dns_was_unavailable", f"I9: mail {row.id} is stuck in flight: {row.error}"


def bounds(tx: Connection) -> None:
    """I10: nobody gets more answers in 24 hours than the cap."""
    query = sa.select(outbox.c.recipient, outbox.c.created_at).where(outbox.c.kind != "digest").order_by(outbox.c.created_at)
    written: dict[str, list[datetime]] = defaultdict(list)
    for recipient, moment in tx.execute(query):
        written[recipient].append(moment)
    for moments in written.values():
        for first, over in zip(moments, moments[ANSWERS_A_DAY:], strict=False):
            assert over - first >= timedelta(days=1), "I10: somebody got more answers than the cap allows"


def no_backscatter(tx: Connection) -> None:
    """I11: every answer goes to an author who was proven, and to that author alone."""
    query = sa.select(outbox.c.recipient, mails.c.assurance, entries.c.identity).select_from(
        outbox.join(mails, outbox.c.mail_id == mails.c.id).outerjoin(entries, outbox.c.entry_id == entries.c.id)
    )
    for recipient, assurance, person in tx.execute(query.where(outbox.c.kind != "digest")):
        assert proven_before(assurance), "I11: an unproven author was answered"
        assert person is None or identity(recipient) == person, "I11: an answer went to somebody else"
