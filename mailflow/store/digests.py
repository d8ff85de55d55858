"""Digest windows: one row an organiser and local day, tiling the event sequence."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.store.schema import digests


def last_window(tx: Connection, campaign: str, organiser: str) -> tuple[date | None, int]:
    """The local day and the end of the organiser's last window; (None, 0) before the first."""
    query = (
        sa.select(digests.c.day, digests.c.upto)
        .where(digests.c.campaign == campaign, digests.c.organiser == organiser)
        .order_by(digests.c.upto.desc(), digests.c.day.desc())
        .limit(1)
    )
    row = tx.execute(query).first()
    return (None, 0) if row is None else (date.fromisoformat(row.day), row.upto)


def open_window(tx: Connection, campaign: str, organiser: str, day: date, after: int, upto: int, now: datetime) -> None:
    """Writes the window (after, upto]. Raises sqlalchemy.exc.IntegrityError when the day has one."""
    values = {"campaign": campaign, "organiser": organiser, "day": day.isoformat(), "after": after, "upto": upto, "created_at": now}
    tx.execute(sa.insert(digests).values(**values))


def link(tx: Connection, campaign: str, organiser: str, day: date, outbox_id: int) -> None:
    """Notes which outgoing mail carries the window."""
    which = sa.and_(digests.c.campaign == campaign, digests.c.organiser == organiser, digests.c.day == day.isoformat())
    tx.execute(sa.update(digests).where(which).values(outbox_id=outbox_id))


def latest(tx: Connection, campaign: str) -> datetime | None:
    """When the campaign's last digest was written."""
    return tx.execute(sa.select(sa.func.max(digests.c.created_at)).where(digests.c.campaign == campaign)).scalar()
