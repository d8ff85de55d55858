"""The ledger: append only; numbered after commit, so that a lower number never becomes visible later."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.model.endorsement import Event, EventKind
from mailflow.store.schema import events


def append(
    tx: Connection,
    kind: EventKind,
    *,
    campaign: str,
    at: datetime,
    actor: str,
    reason: str,
    entry_id: int | None = None,
    mail_id: int | None = None,
) -> None:
    """Adds one event; its place in the sequence comes later, from ``number``."""
    values = {"kind": kind, "campaign": campaign, "entry_id": entry_id, "mail_id": mail_id, "actor": actor, "reason": reason, "at": at}
    tx.execute(sa.insert(events).values(**values))


def number(tx: Connection, limit: int = 5000) -> int:
    """Gives the next numbers to events that are committed by now; returns how many got one.

    Only ever run under the lease ``numbering``. The unique column is the second lock: two numberers
    at once would collide and one would roll back.
    """
    fresh = list(tx.execute(sa.select(events.c.id).where(events.c.seq.is_(None)).order_by(events.c.id).limit(limit)).scalars())
    if fresh:
        start = last(tx)
        update = sa.update(events).where(events.c.id == sa.bindparam("which")).values(seq=sa.bindparam("place"))
        tx.execute(update, [{"which": id_, "place": start + n} for n, id_ in enumerate(fresh, 1)])
    return len(fresh)


def last(tx: Connection) -> int:
    """The highest number given, 0 before the first."""
    return int(tx.execute(sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0))).scalar_one())


def window(tx: Connection, campaign: str, after: int, upto: int) -> list[Event]:
    """The numbered events of a campaign in (after, upto], in order."""
    query = sa.select(events).where(events.c.campaign == campaign, events.c.seq > after, events.c.seq <= upto).order_by(events.c.seq)
    return [Event(**{**row, "kind": EventKind(row["kind"])}) for row in tx.execute(query).mappings()]


def any_unnumbered(tx: Connection) -> bool:
    """Whether an event waits for its number: a look that takes no lock."""
    return tx.execute(sa.select(events.c.id).where(events.c.seq.is_(None)).limit(1)).first() is not None
