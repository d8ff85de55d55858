"""Entries and their versions: one row a person and campaign, every change kept."""

from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from mailflow.model.endorsement import Entry, EntryState
from mailflow.model.mail import Assurance
from mailflow.store.schema import entries


def find(tx: Connection, campaign: str, identity: str) -> Entry | None:
    """The entry of one person, live or withdrawn."""
    query = sa.select(entries).where(entries.c.campaign == campaign, entries.c.identity == identity)
    row = tx.execute(query).mappings().first()
    return None if row is None else _entry(row)


_FIND_ALL = sa.select(entries).where(
    entries.c.campaign.in_(sa.bindparam("campaigns", expanding=True)), entries.c.identity.in_(sa.bindparam("who", expanding=True))
)
"""Both columns of the unique index, or every look would read every entry."""


def find_all(tx: Connection, people: Collection[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
    """By (campaign, identity), the entries of these people, live or withdrawn."""
    if not people:
        return {}
    found = tx.execute(_FIND_ALL, {"campaigns": list({slug for slug, _ in people}), "who": [identity for _, identity in people]}).mappings()
    return {key: _entry(row) for row in found if (key := (row["campaign"], row["identity"])) in people}


def _entry(row: RowMapping) -> Entry:
    values = dict(row)
    values["assurance"] = Assurance(row["assurance"])
    values["state"] = EntryState(row["state"])
    return Entry(**values)


def live(tx: Connection, campaign: str) -> Iterator[Entry]:
    """The live entries of a campaign, in order of id."""
    query = sa.select(entries).where(entries.c.campaign == campaign, entries.c.state == EntryState.LIVE).order_by(entries.c.id)
    return (_entry(row) for row in tx.execute(query).mappings())


def count_live(tx: Connection, campaign: str) -> int:
    """How many live entries a campaign has, counted afresh."""
    query = sa.select(sa.func.count()).select_from(entries).where(entries.c.campaign == campaign, entries.c.state == EntryState.LIVE)
    return tx.execute(query).scalar_one()


def by_ids(tx: Connection, ids: Iterable[int]) -> dict[int, Entry]:
    """The entries with these ids."""
    query = sa.select(entries).where(entries.c.id.in_(list(ids)))
    return {row["id"]: _entry(row) for row in tx.execute(query).mappings()}
