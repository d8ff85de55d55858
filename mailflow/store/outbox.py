"""Outgoing mail: rows that only the sender turns into mail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.model.answer import OutgoingMail
from mailflow.store.schema import EPOCH, outbox

_WAITING = outbox.c.state == sa.literal_column("'waiting'")
_THESE = outbox.c.id.in_(sa.bindparam("ids", expanding=True))
_CLAIMABLE = (
    sa.select(outbox.c.id, outbox.c.message_id, outbox.c.sender, outbox.c.recipient, outbox.c.raw, outbox.c.attempts, outbox.c.created_at)
    .where(
        _WAITING,
        outbox.c.due_at <= sa.bindparam("now"),
        sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < sa.bindparam("now")),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = sa.update(outbox).where(_THESE).values(lease_owner=sa.bindparam("owner"), lease_until=sa.bindparam("until"))
_SENT = (
    sa.update(outbox)
    .where(_THESE)
    .values(state="sent", sent_at=sa.bindparam("now"), lease_owner=None, lease_until=None, error=None, attempts=outbox.c.attempts + 1)
)
_RELEASE = (
    sa.update(outbox)
    .where(outbox.c.lease_owner == sa.bindparam("owner"), outbox.c.state == "waiting")
    .values(lease_owner=None, lease_until=None)
)
_NEXT_DUE = sa.select(sa.func.min(outbox.c.due_at)).where(_WAITING)
_RECENT = (
    sa.select(outbox.c.recipient, sa.func.count())
    .where(outbox.c.recipient.in_(sa.bindparam("who", expanding=True)), outbox.c.created_at > sa.bindparam("since"))
    .group_by(outbox.c.recipient)
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One claimed row: the mail, its id and how often it was tried before."""

    id: int
    mail: OutgoingMail
    attempts: int
    created_at: datetime


def add(
    tx: Connection,
    mail: OutgoingMail,
    *,
    key: str,
    kind: str,
    campaign: str,
    now: datetime,
    mail_id: int | None = None,
    entry_id: int | None = None,
) -> int:
    """Puts a mail into the outbox and returns its id. ``key`` is unique: the same thing is never said twice.

    Raises sqlalchemy.exc.IntegrityError when the key is there already.
    """
    values = {
        "key": key,
        "kind": kind,
        "campaign": campaign,
        "mail_id": mail_id,
        "entry_id": entry_id,
        "message_id": mail.message_id,
        "sender": mail.sender,
        "recipient": mail.recipient,
        "raw": mail.raw,
        "state": "waiting",
        "due_at": EPOCH,
        "attempts": 0,
        "created_at": now,
    }
    result = tx.execute(sa.insert(outbox).values(**values))
    key_ = result.inserted_primary_key
    if key_ is None:
        raise AssertionError("an insert gave no id")
    return int(key_[0])


def recent(tx: Connection, recipients: Sequence[str], since: datetime) -> dict[str, int]:
    """How many mails were written to each of these addresses since then; those with none are left out."""
    return {row[0]: row[1] for row in tx.execute(_RECENT, {"who": list(recipients), "since": since})} if recipients else {}


def claim(tx: Connection, owner: str, now: datetime, lease: timedelta, limit: int) -> list[Letter]:
    """Takes up to ``limit`` mails that are due, oldest first, for one sender."""
    found = [
        Letter(row.id, OutgoingMail(row.message_id, row.sender, row.recipient, bytes(row.raw)), row.attempts, row.created_at)
        for row in tx.execute(_CLAIMABLE, {"now": now, "most": limit})
    ]
    if found:
        tx.execute(_CLAIM, {"ids": [letter.id for letter in found], "owner": owner, "until": now + lease})
    return found


def sent(tx: Connection, ids: Iterable[int], now: datetime) -> None:
    """Marks mails as taken by the smarthost."""
    tx.execute(_SENT, {"ids": list(ids), "now": now})


def later(tx: Connection, id_: int, due_at: datetime, error: str) -> None:
    """Puts a mail back until ``due_at`` after a temporary failure."""
    values = {"due_at": due_at, "attempts": outbox.c.attempts + 1, "error": error[:500], "lease_owner": None, "lease_until": None}
    tx.execute(sa.update(outbox).where(outbox.c.id == id_).values(**values))


def failed(tx: Connection, id_: int, error: str) -> None:
    """Gives a mail up for good."""
    values = {"state": "failed", "attempts": outbox.c.attempts + 1, "error": error[:500], "lease_owner": None, "lease_until": None}
    tx.execute(sa.update(outbox).where(outbox.c.id == id_).values(**values))


def release(tx: Connection, owner: str) -> int:
    """Ends all leases of a sender that died or stops."""
    return tx.execute(_RELEASE, {"owner": owner}).rowcount


def counts(tx: Connection) -> dict[str, int]:
    """How many mails wait, were sent, failed."""
    found = {row[0]: row[1] for row in tx.execute(sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state))}
    return {state: found.get(state, 0) for state in ("waiting", "sent", "failed")}


def next_due(tx: Connection) -> datetime | None:
    """When the next waiting mail is due."""
    return tx.execute(_NEXT_DUE).scalar()
