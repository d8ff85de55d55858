"""The people who may review."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from mailflow.store.schema import reviewers


def add(tx: Connection, campaign: str, address: str, role: str, now: datetime) -> bool:
    """Adds a reviewer or takes one back; False when that person is one already."""
    which = sa.and_(reviewers.c.campaign == campaign, reviewers.c.address == address)
    row = tx.execute(sa.select(reviewers.c.removed_at).where(which)).first()
    if row is None:
        tx.execute(sa.insert(reviewers).values(campaign=campaign, address=address, role=role, added_at=now))
        return True
    if row.removed_at is None:
        return False
    tx.execute(sa.update(reviewers).where(which).values(removed_at=None, role=role, added_at=now))
    return True


def remove(tx: Connection, campaign: str, address: str, now: datetime) -> bool:
    """Removes a reviewer from this moment on; False when there is none."""
    which = sa.and_(reviewers.c.campaign == campaign, reviewers.c.address == address, reviewers.c.removed_at.is_(None))
    return bool(tx.execute(sa.update(reviewers).where(which).values(removed_at=now)).rowcount)


def current(tx: Connection, campaign: str | None = None) -> list[RowMapping]:
    """The reviewers of one campaign or of all: campaign, address, role, added_at."""
    query = sa.select(reviewers).where(reviewers.c.removed_at.is_(None)).order_by(reviewers.c.campaign, reviewers.c.address)
    if campaign is not None:
        query = query.where(reviewers.c.campaign == campaign)
    return list(tx.execute(query).mappings())
