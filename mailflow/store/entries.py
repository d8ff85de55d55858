"""Entries and their versions: one row a person and campaign, every change kept."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from mailflow.model.endorsement import Entry, EntryState
from mailflow.model.mail import Assurance
from mailflow.store.schema import entries, versions


def find(tx: Connection, campaign: str, identity: str) -> Entry | None:
    """The entry of one person, live or withdrawn."""
    query = sa.select(entries).where(entries.c.campaign == campaign, entries.c.identity == identity)
    row = tx.execute(query).mappings().first()
    return None if row is None else _entry(row)


def save(tx: Connection, entry: Entry, mail_id: int | None) -> Entry:
    """Inserts (``id`` 0) or updates an entry and keeps the version; returns it with its id.

    Raises sqlalchemy.exc.IntegrityError when somebody else has just made the person's first entry.
    """
    values = {key: value for key, value in asdict(entry).items() if key != "id"}
    if entry.id == 0:
        result = tx.execute(sa.insert(entries).values(**values))
        entry = replace(entry, id=_new_id(result))
    else:
        tx.execute(sa.update(entries).where(entries.c.id == entry.id).values(**values))
    tx.execute(sa.insert(versions).values(entry_id=entry.id, version=entry.version, mail_id=mail_id, record=_record(values), at=entry.changed_at))
    return entry


def _new_id(result: sa.CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    if key is None:
        raise AssertionError("an insert gave no id")
    return int(key[0])


_OF_THE_ROW = frozenset({"campaign", "identity", "address", "changed_at", "last_word_at", "version"})
"""What a version need not repeat: it stands in the entry or in the version's own columns."""


def _record(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in _OF_THE_ROW}


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
