"""The books: every mail on exactly one line, and the lines add up."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.model.decision import Disposition
from mailflow.store import entries
from mailflow.store.schema import mails, raws

NO_CAMPAIGN = "-"


@dataclass(frozen=True, slots=True)
class Books:
    """One campaign's lines. ``received`` is counted apart from them, and so is ``endorsements``."""

    campaign: str
    received: int
    lines: dict[Disposition, int]
    endorsements: int

    @property
    def balanced(self) -> bool:
        """Whether received is the sum of the lines."""
        return self.received == sum(self.lines.values())


def balance(tx: Connection, slugs: tuple[str, ...] = ()) -> list[Books]:
    """The books of every campaign that has mail or is named in ``slugs``, in order of slug.

    ``received`` counts the mails whose bytes are kept, not the lines: the two meet only if every kept
    mail has a disposition that we know and every disposition has its mail.
    """
    kept = sa.select(mails.c.campaign, sa.func.count()).join(raws, raws.c.mail_id == mails.c.id).group_by(mails.c.campaign)
    received = {row[0] or NO_CAMPAIGN: row[1] for row in tx.execute(kept)}
    lines: dict[str, dict[Disposition, int]] = {}
    query = sa.select(mails.c.campaign, mails.c.disposition, sa.func.count()).group_by(mails.c.campaign, mails.c.disposition)
    for campaign, disposition, count in tx.execute(query):
        lines.setdefault(campaign or NO_CAMPAIGN, {})[Disposition(disposition)] = count
    return [_books(tx, slug, received.get(slug, 0), lines.get(slug, {})) for slug in sorted({*received, *lines, *slugs})]


def _books(tx: Connection, slug: str, received: int, lines: dict[Disposition, int]) -> Books:
    full = {disposition: lines.get(disposition, 0) for disposition in Disposition}
    return Books(slug, received, full, entries.count_live(tx, slug))
