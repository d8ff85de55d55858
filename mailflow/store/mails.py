"""Mails: keep, claim, finish, set aside. A mail is never deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from mailflow.model.decision import Disposition
from mailflow.model.mail import Assurance, Envelope, KeptMail, Verdict
from mailflow.store.schema import EPOCH, mails, raws

TRIES = 3
"""A mail whose worker failed so often is set aside, whole, for the admin."""


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail that is about to be kept; ``oversized`` ones are kept whole and set aside unread."""

    raw: bytes
    sha256: str
    envelope: Envelope
    campaign: str | None
    received_at: datetime
    set_aside: str | None = None


def keep(tx: Connection, new: Sequence[NewMail]) -> list[int]:
    """Stores the mails with their bytes; returns their ids in the same order."""
    rows = tx.execute(sa.insert(mails).returning(mails.c.id, sort_by_parameter_order=True), [_row(mail) for mail in new])
    ids = list(rows.scalars())
    tx.execute(sa.insert(raws), [{"mail_id": id_, "data": mail.raw} for id_, mail in zip(ids, new, strict=True)])
    return ids


def _row(mail: NewMail) -> dict[str, Any]:
    envelope = mail.envelope
    return {
        "sha256": mail.sha256,
        "size": len(mail.raw),
        "campaign": mail.campaign,
        "door": envelope.door,
        "sender": _inert(envelope.sender),
        "recipients": [_inert(address) for address in envelope.recipients],
        "client": envelope.client,
        "helo": _inert(envelope.helo),
        "trusted_results": list(envelope.trusted_results),
        "received_at": mail.received_at,
        "disposition": Disposition.SET_ASIDE if mail.set_aside else Disposition.IN_FLIGHT,
        "error": mail.set_aside,
        "due_at": EPOCH,
        "attempts": 0,
    }


def _inert(text: str | None) -> str | None:
    """PostgreSQL refuses NUL and no database takes lone surrogates: envelope text is whatever a stranger typed."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def claim(tx: Connection, owner: str, now: datetime, lease: timedelta, limit: int) -> list[KeptMail]:
    """Takes up to ``limit`` waiting mails for ``owner``, oldest first, and counts the try.

    A mail that was tried before is claimed alone: when a worker dies over a batch, the innocent ones
    must not share the guilty one's three strikes. Mails out of tries are not claimed (see set_aside_worn_out).
    """
    free = sa.or_(mails.c.lease_until.is_(None), mails.c.lease_until < now)
    waiting = (
        sa.select(mails.c.id, mails.c.attempts)
        .where(mails.c.disposition == sa.literal_column("'in_flight'"), mails.c.due_at <= now, free, mails.c.attempts < TRIES)
        .order_by(mails.c.due_at, mails.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = _together([(row.id, row.attempts) for row in tx.execute(waiting)])
    if not ids:
        return []
    tx.execute(
        sa.update(mails).where(mails.c.id.in_(ids)).values(lease_owner=owner, lease_until=now + lease, attempts=mails.c.attempts + 1)
    )
    return load(tx, ids)


def _together(found: Sequence[tuple[int, int]]) -> list[int]:
    """The ids that may share one claim: the leading untried ones, or the first one alone."""
    if found and found[0][1] > 0:
        return [found[0][0]]
    return [id_ for id_, attempts in found if attempts == 0]


def load(tx: Connection, ids: Iterable[int]) -> list[KeptMail]:
    """The mails with these ids, in order of id, with their bytes."""
    query = sa.select(mails, raws.c.data).join(raws, raws.c.mail_id == mails.c.id).where(mails.c.id.in_(list(ids))).order_by(mails.c.id)
    return [_kept(row) for row in tx.execute(query).mappings()]


def _kept(row: RowMapping) -> KeptMail:
    envelope = Envelope(
        door=row["door"],
        sender=row["sender"],
        recipients=tuple(row["recipients"]),
        client=row["client"],
        helo=row["helo"],
        trusted_results=tuple(row["trusted_results"]),
    )
    return KeptMail(row["id"], bytes(row["data"]), envelope, row["received_at"], row["campaign"], row["attempts"])


_FIRST_COPIES = sa.select(mails.c.content_key, mails.c.id, mails.c.disposition, mails.c.assurance, mails.c.reasons, mails.c.entry_id).where(
    mails.c.content_key.in_(sa.bindparam("keys", expanding=True))
)


def first_copies(tx: Connection, content_keys: Sequence[str]) -> dict[str, RowMapping]:
    """By content key, the first mail with it: id, disposition, assurance, reasons, entry_id."""
    return {row["content_key"]: row for row in tx.execute(_FIRST_COPIES, {"keys": list(content_keys)}).mappings()}


def fail(tx: Connection, mail_id: int, owner: str, error: str) -> None:
    """Ends the lease after a failure in the worker; the try stays counted."""
    values = {"error": error[:2000], "lease_owner": None, "lease_until": None}
    tx.execute(sa.update(mails).where(mails.c.id == mail_id, mails.c.lease_owner == owner).values(**values))


def release(tx: Connection, owner: str, error: str) -> int:
    """Ends all leases of a worker that died; returns how many mails were under them."""
    values = {"error": error, "lease_owner": None, "lease_until": None}
    mine = sa.and_(mails.c.lease_owner == owner, mails.c.disposition == sa.literal_column("'in_flight'"))
    return tx.execute(sa.update(mails).where(mine).values(**values)).rowcount


def set_aside_worn_out(tx: Connection, now: datetime) -> list[tuple[int, str | None]]:
    """Sets aside every mail whose last try is over without an end; returns (id, campaign) of each."""
    free = sa.or_(mails.c.lease_until.is_(None), mails.c.lease_until < now)
    worn = sa.and_(mails.c.disposition == sa.literal_column("'in_flight'"), mails.c.attempts >= TRIES, free)
    found = [
        (row.id, row.campaign) for row in tx.execute(sa.select(mails.c.id, mails.c.campaign).where(worn).with_for_update(skip_locked=True))
    ]
    if found:
        values = {"disposition": Disposition.SET_ASIDE, "lease_owner": None, "lease_until": None, "decided_at": now}
        tx.execute(sa.update(mails).where(mails.c.id.in_([id_ for id_, _ in found])).values(**values))
    return found


def retry(tx: Connection, ids: Sequence[int] | None, now: datetime) -> int:
    """Gives mails that were set aside another three tries (``None``: all of them); returns how many."""
    chosen = mails.c.disposition == Disposition.SET_ASIDE
    if ids is not None:
        chosen = sa.and_(chosen, mails.c.id.in_(ids))
    values = {"disposition": Disposition.IN_FLIGHT, "attempts": 0, "due_at": now, "error": None, "decided_at": None}
    return tx.execute(sa.update(mails).where(chosen).values(**values)).rowcount


def held(tx: Connection, campaign: str, limit: int) -> list[RowMapping]:
    """Mails that wait for a human, oldest first: id, reasons, language, received_at, disposition."""
    columns = (mails.c.id, mails.c.reasons, mails.c.language, mails.c.received_at, mails.c.disposition)
    waiting = mails.c.disposition.in_([Disposition.HELD, Disposition.SET_ASIDE])
    query = sa.select(*columns).where(mails.c.campaign == campaign, waiting).order_by(mails.c.id).limit(limit)
    return list(tx.execute(query).mappings())


def waiting(tx: Connection) -> tuple[int, datetime | None]:
    """How many mails are in flight, and since when the oldest waits."""
    row = tx.execute(
        sa.select(sa.func.count(), sa.func.min(mails.c.received_at)).where(mails.c.disposition == sa.literal_column("'in_flight'"))
    ).one()
    return row[0], row[1]


def proven_before(assurance: str | None) -> bool:
    """Whether a stored assurance counts as proof."""
    return assurance is not None and Verdict(Assurance(assurance)).proven


def still_mine(tx: Connection, ids: Iterable[int], owner: str | None) -> set[int]:
    """Which of these mails are still in flight and leased to ``owner``; they stay locked until the transaction ends.

    A worker that was away for longer than its lease must not settle what another has settled since.
    """
    query = sa.select(mails.c.id).where(mails.c.id.in_(list(ids)), mails.c.disposition == sa.literal_column("'in_flight'"))
    if owner is not None:
        query = query.where(mails.c.lease_owner == owner)
    return set(tx.execute(query.with_for_update()).scalars())


def give_back(tx: Connection, owner: str) -> int:
    """Ends all leases of a worker that is well but could not go on; the tries are not counted."""
    mine = sa.and_(mails.c.lease_owner == owner, mails.c.disposition == sa.literal_column("'in_flight'"))
    values = {"attempts": mails.c.attempts - 1, "lease_owner": None, "lease_until": None}
    return tx.execute(sa.update(mails).where(mine).values(**values)).rowcount


def any_due(tx: Connection, now: datetime) -> bool:
    """Whether a worker has anything to claim: a look that takes no lock."""
    free = sa.or_(mails.c.lease_until.is_(None), mails.c.lease_until < now)
    query = sa.select(mails.c.id).where(mails.c.disposition == sa.literal_column("'in_flight'"), mails.c.due_at <= now, free).limit(1)
    return tx.execute(query).first() is not None


def leased_by_others(tx: Connection, now: datetime) -> bool:
    """Whether a mail is under a running lease or due: somebody is still at work."""
    query = sa.select(mails.c.id).where(mails.c.disposition == sa.literal_column("'in_flight'"))
    query = query.where(sa.or_(mails.c.lease_until >= now, mails.c.due_at <= now)).limit(1)
    return tx.execute(query).first() is not None
