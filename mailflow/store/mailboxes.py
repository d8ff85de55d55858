"""IMAP folders: how far each was read, what became of each UID, and what the server is still to be told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from mailflow.store.schema import EPOCH, fetched, mailboxes

FETCH_TRIES = 10
"""A mail that the server lists but does not give is asked for so often, once a look, and then left to the admin."""


_NEVER = 0
"""The UIDVALIDITY of a folder that was never reached; a real one is not zero (RFC 9051 §9)."""


class Outcome(StrEnum):
    """What became of one UID."""

    KEPT = "kept"
    COPY = "copy"
    FOREIGN = "foreign"
    GONE = "gone"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of an account as it is now; another UIDVALIDITY is another folder (RFC 9051 §2.3.1.1)."""

    account: str
    folder: str
    uidvalidity: int


@dataclass(frozen=True, slots=True)
class Dealt:
    """One UID that is dealt with; ``treat_at`` is when the server is to be told, ``None`` never."""

    uid: int
    outcome: Outcome
    mail_id: int | None = None
    sha256: str | None = None
    treat_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Every UID below ``next_uid`` is dealt with; mails that the server got before ``since`` are not ours to read."""

    uidvalidity: int
    next_uid: int
    since: datetime
    read_at: datetime | None
    trouble: str | None


def progress(tx: Connection, account: str, folder: str) -> Progress | None:
    """How far a folder was read; ``None`` before the first contact."""
    query = sa.select(mailboxes).where(mailboxes.c.account == account, mailboxes.c.folder == folder)
    row = tx.execute(query).mappings().first()
    return _progress(row) if row is not None and row["uidvalidity"] != _NEVER else None


def _progress(row: RowMapping) -> Progress:
    return Progress(row["uidvalidity"], row["next_uid"], row["since"], row["read_at"], row["trouble"])


def begin(tx: Connection, place: Place, next_uid: int, since: datetime) -> None:
    """Notes the first contact with a folder, or that it has become another one; what was due in the old one is void."""
    where = (mailboxes.c.account == place.account, mailboxes.c.folder == place.folder)
    values = {"uidvalidity": place.uidvalidity, "next_uid": next_uid}
    first_contact = tx.execute(sa.delete(mailboxes).where(*where, mailboxes.c.uidvalidity == _NEVER)).rowcount
    if first_contact or not tx.execute(sa.update(mailboxes).where(*where).values(**values)).rowcount:
        tx.execute(sa.insert(mailboxes).values(account=place.account, folder=place.folder, since=since, **values))
    old = (fetched.c.account == place.account, fetched.c.folder == place.folder, fetched.c.uidvalidity != place.uidvalidity)
    tx.execute(sa.update(fetched).where(*old, fetched.c.treat_at.is_not(None)).values(treat_at=None))


def advance(tx: Connection, place: Place, next_uid: int) -> None:
    """Moves the mark of what is dealt with; never back, never in a folder that has become another one."""
    where = (mailboxes.c.account == place.account, mailboxes.c.folder == place.folder, mailboxes.c.uidvalidity == place.uidvalidity)
    tx.execute(sa.update(mailboxes).where(*where, mailboxes.c.next_uid < next_uid).values(next_uid=next_uid))


def record(tx: Connection, place: Place, dealt: Iterable[Dealt], *, again: bool = False) -> None:
    """Writes what became of these UIDs; ``again``: of some it stands there already, and is now something else."""
    rows = [
        {"account": place.account, "folder": place.folder, "uidvalidity": place.uidvalidity, "attempts": 0, "uid": one.uid,
         "outcome": one.outcome, "mail_id": one.mail_id, "sha256": one.sha256, "treat_at": one.treat_at}
        for one in dealt
    ]  # fmt: skip
    if again:
        tx.execute(sa.delete(fetched).where(*_in(place), fetched.c.uid.in_([row["uid"] for row in rows])))
    if rows:
        tx.execute(sa.insert(fetched), rows)


def note_unreadable(tx: Connection, place: Place, uids: Sequence[int]) -> None:
    """Counts another try for UIDs that the server lists but does not give."""
    known = dealt_with(tx, place, uids)
    tx.execute(sa.update(fetched).where(*_in(place), fetched.c.uid.in_(list(known))).values(attempts=fetched.c.attempts + 1))
    record(tx, place, [Dealt(uid, Outcome.UNREADABLE) for uid in uids if uid not in known])


def unreadable(tx: Connection, place: Place) -> list[int]:
    """The UIDs that are worth another try."""
    query = sa.select(fetched.c.uid).where(*_in(place), fetched.c.outcome == Outcome.UNREADABLE, fetched.c.attempts < FETCH_TRIES)
    return sorted(tx.execute(query).scalars())


def dealt_with(tx: Connection, place: Place, uids: Sequence[int]) -> set[int]:
    """Which of at most some hundred UIDs have a row already."""
    return set(tx.execute(sa.select(fetched.c.uid).where(*_in(place), fetched.c.uid.in_(list(uids)))).scalars())


def gone(tx: Connection, place: Place, uids: Sequence[int]) -> set[int]:
    """Which of some UIDs turned out to be nobody's."""
    query = sa.select(fetched.c.uid).where(*_in(place), fetched.c.uid.in_(list(uids)), fetched.c.outcome == Outcome.GONE)
    return set(tx.execute(query).scalars())


def kept_before(tx: Connection, account: str, hashes: Sequence[str]) -> dict[str, int]:
    """By SHA-256, the mail that has exactly these bytes and came from the same account; for a renumbered or copied folder."""
    query = sa.select(fetched.c.sha256, sa.func.min(fetched.c.mail_id)).where(
        fetched.c.account == account, fetched.c.sha256.in_(list(hashes)), fetched.c.mail_id.is_not(None)
    )
    return {row[0]: row[1] for row in tx.execute(query.group_by(fetched.c.sha256))}


def untreated(tx: Connection, place: Place, now: datetime, limit: int) -> list[int]:
    """The UIDs that the server is to be told about by now, lowest first."""
    query = sa.select(fetched.c.uid).where(*_in(place), fetched.c.treat_at <= now).order_by(fetched.c.uid).limit(limit)
    return list(tx.execute(query).scalars())


def treated(tx: Connection, place: Place, uids: Sequence[int]) -> None:
    """The server was told."""
    tx.execute(sa.update(fetched).where(*_in(place), fetched.c.uid.in_(list(uids))).values(treat_at=None))


def note_read(tx: Connection, account: str, folder: str, now: datetime) -> None:
    """A folder was read to its end just now."""
    where = (mailboxes.c.account == account, mailboxes.c.folder == folder)
    tx.execute(sa.update(mailboxes).where(*where).values(read_at=now, trouble=None))


def note_trouble(tx: Connection, account: str, folder: str, trouble: str) -> None:
    """Why a folder cannot be read now, for status and digest; also of a folder that was never reached."""
    where = (mailboxes.c.account == account, mailboxes.c.folder == folder)
    if not tx.execute(sa.update(mailboxes).where(*where).values(trouble=trouble[:500])).rowcount:
        never = {"uidvalidity": _NEVER, "next_uid": 1, "since": EPOCH}
        tx.execute(sa.insert(mailboxes).values(account=account, folder=folder, trouble=trouble[:500], **never))


def all_folders(tx: Connection) -> dict[tuple[str, str], Progress]:
    """(account, folder) -> how far it was read."""
    rows = tx.execute(sa.select(mailboxes).order_by(mailboxes.c.account, mailboxes.c.folder)).mappings()
    return {(row["account"], row["folder"]): _progress(row) for row in rows}


def outcomes(tx: Connection) -> dict[tuple[str, str], dict[Outcome, int]]:
    """(account, folder) -> how many UIDs came to which outcome."""
    columns = (fetched.c.account, fetched.c.folder, fetched.c.outcome)
    found: dict[tuple[str, str], dict[Outcome, int]] = {}
    for account, folder, outcome, count in tx.execute(sa.select(*columns, sa.func.count()).group_by(*columns)):
        found.setdefault((account, folder), {})[Outcome(outcome)] = count
    return found


def is_stale(read_at: datetime | None, now: datetime, minutes: int) -> bool:
    """Whether a folder was not read for so long that somebody should look."""
    return read_at is None or now - read_at > timedelta(minutes=minutes)


def _in(place: Place) -> tuple[sa.ColumnElement[bool], ...]:
    return (fetched.c.account == place.account, fetched.c.folder == place.folder, fetched.c.uidvalidity == place.uidvalidity)
