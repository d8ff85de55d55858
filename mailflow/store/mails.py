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


_IN_FLIGHT = mails.c.disposition == sa.literal_column("'in_flight'")
_FREE = sa.or_(mails.c.lease_until.is_(None), mails.c.lease_until < sa.bindparam("now"))
_THESE = mails.c.id.in_(sa.bindparam("ids", expanding=True))
_INSERT = sa.insert(mails).returning(mails.c.id, sort_by_parameter_order=True)
_INSERT_RAW = sa.insert(raws)
_INSERT_NUMBERED = sa.insert(mails)
_INSERT_BYTES = "INSERT INTO raws (mail_id, data) VALUES (?, ?)"
"""For SQLite, by its driver alone: bytes need no conversion."""
_CLAIMABLE = (
    sa.select(mails.c.id, mails.c.attempts)
    .where(_IN_FLIGHT, mails.c.due_at <= sa.bindparam("now"), _FREE, mails.c.attempts < TRIES)
    .order_by(mails.c.due_at, mails.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(mails)
    .where(_THESE)
    .values(lease_owner=sa.bindparam("owner"), lease_until=sa.bindparam("until"), attempts=mails.c.attempts + 1)
)
_ENVELOPE = (mails.c.door, mails.c.sender, mails.c.recipients, mails.c.client, mails.c.helo, mails.c.trusted_results)
_LOAD = (
    sa.select(mails.c.id, raws.c.data, mails.c.received_at, mails.c.campaign, mails.c.attempts, *_ENVELOPE)
    .join(raws, raws.c.mail_id == mails.c.id)
    .where(_THESE)
    .order_by(mails.c.id)
)
_FIRST_COPIES = sa.select(mails.c.content_key, mails.c.id, mails.c.disposition, mails.c.assurance, mails.c.reasons, mails.c.entry_id).where(
    mails.c.content_key.in_(sa.bindparam("keys", expanding=True))
)
_WORN_OUT = sa.select(mails.c.id, mails.c.campaign).where(_IN_FLIGHT, mails.c.attempts >= TRIES, _FREE).with_for_update(skip_locked=True)
_STILL_IN_FLIGHT = sa.select(mails.c.id).where(_THESE, _IN_FLIGHT).with_for_update()
_STILL_MINE = _STILL_IN_FLIGHT.where(mails.c.lease_owner == sa.bindparam("owner"))
_ANY_DUE = sa.select(mails.c.id).where(_IN_FLIGHT, mails.c.due_at <= sa.bindparam("now"), _FREE).limit(1)


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
    if tx.dialect.name == "sqlite":
        ids = _next_ids(tx, len(new))
        tx.execute(_INSERT_NUMBERED, [{"id": id_, **_row(mail)} for id_, mail in zip(ids, new, strict=True)])
        tx.exec_driver_sql(_INSERT_BYTES, [(id_, mail.raw) for id_, mail in zip(ids, new, strict=True)])
        return ids
    ids = list(tx.execute(_INSERT, [_row(mail) for mail in new]).scalars())
    tx.execute(_INSERT_RAW, [{"mail_id": id_, "data": mail.raw} for id_, mail in zip(ids, new, strict=True)])
    return ids


def _next_ids(tx: Connection, count: int) -> list[int]:
    """The ids that SQLite would give next. A writer is alone with the file: asking for each row's id would be a statement a row."""
    last = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'mails'").scalar() or 0
    return list(range(last + 1, last + 1 + count))


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
    ids = _together([(row[0], row[1]) for row in tx.execute(_CLAIMABLE, {"now": now, "most": limit})])
    if not ids:
        return []
    tx.execute(_CLAIM, {"ids": ids, "owner": owner, "until": now + lease})
    return load(tx, ids)


def _together(found: Sequence[tuple[int, int]]) -> list[int]:
    """The ids that may share one claim: the leading untried ones, or the first one alone."""
    if found and found[0][1] > 0:
        return [found[0][0]]
    return [id_ for id_, attempts in found if attempts == 0]


def load(tx: Connection, ids: Iterable[int]) -> list[KeptMail]:
    """The mails with these ids, in order of id, with their bytes."""
    return [_kept(*row) for row in tx.execute(_LOAD, {"ids": list(ids)})]


def _kept(id_: int, data: bytes, received_at: datetime, campaign: str | None, attempts: int, *envelope: Any) -> KeptMail:
    door, sender, recipients, client, helo, trusted_results = envelope
    known = Envelope(door, sender, tuple(recipients), client, helo, tuple(trusted_results))
    return KeptMail(id_, bytes(data), known, received_at, campaign, attempts)


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
    return tx.execute(sa.update(mails).where(mails.c.lease_owner == owner, _IN_FLIGHT).values(**values)).rowcount


def set_aside_worn_out(tx: Connection, now: datetime) -> list[tuple[int, str | None]]:
    """Sets aside every mail whose last try is over without an end; returns (id, campaign) of each."""
    found = [(row.id, row.campaign) for row in tx.execute(_WORN_OUT, {"now": now})]
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
    row = tx.execute(sa.select(sa.func.count(), sa.func.min(mails.c.received_at)).where(_IN_FLIGHT)).one()
    return row[0], row[1]


def proven_before(assurance: str | None) -> bool:
    """Whether a stored assurance counts as proof."""
    return assurance is not None and Verdict(Assurance(assurance)).proven


def still_mine(tx: Connection, ids: Iterable[int], owner: str | None) -> set[int]:
    """Which of these mails are still in flight and leased to ``owner``; they stay locked until the transaction ends.

    A worker that was away for longer than its lease must not settle what another has settled since.
    """
    query = _STILL_IN_FLIGHT if owner is None else _STILL_MINE
    return set(tx.execute(query, {"ids": list(ids), "owner": owner}).scalars())


def give_back(tx: Connection, owner: str) -> int:
    """Ends all leases of a worker that is well but could not go on; the tries are not counted."""
    values = {"attempts": mails.c.attempts - 1, "lease_owner": None, "lease_until": None}
    return tx.execute(sa.update(mails).where(mails.c.lease_owner == owner, _IN_FLIGHT).values(**values)).rowcount


def any_due(tx: Connection, now: datetime) -> bool:
    """Whether a worker has anything to claim: a look that takes no lock."""
    return tx.execute(_ANY_DUE, {"now": now}).first() is not None


def leased_by_others(tx: Connection, now: datetime) -> bool:
    """Whether a mail is under a running lease or due: somebody is still at work."""
    query = sa.select(mails.c.id).where(_IN_FLIGHT, sa.or_(mails.c.lease_until >= now, mails.c.due_at <= now)).limit(1)
    return tx.execute(query).first() is not None
