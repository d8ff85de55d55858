"""What decisions do to the store, written for a whole group of mails at once: a few statements instead of ten a mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.model.answer import OutgoingMail
from mailflow.model.decision import Decision
from mailflow.model.endorsement import Entry, EventKind
from mailflow.store.schema import EPOCH, entries, events, mails, outbox, versions


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that goes into the outbox: its mail, its kind, and the key that keeps it from being given twice."""

    mail: OutgoingMail
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that one settled mail changes; written together or not at all.

    ``decision`` is what stands on the mail's own row. ``entry`` is to be saved where ``changed``; ``cause`` is the mail
    that it rests on: this one, or the first copy of it when this one only brought the proof, and then ``first``
    is the decision for that copy's row. ``postpone`` puts the mail off instead: nothing else is then looked at.
    """

    mail_id: int
    cause: int
    decision: Decision
    found: dict[str, Any]
    now: datetime
    campaign: str | None = None
    entry: Entry | None = None
    changed: bool = False
    event: EventKind | None = None
    said: Said | None = None
    first: Decision | None = None
    copy_of: int | None = None
    postpone: datetime | None = None


_ENTRY_COLUMNS = tuple(column.name for column in entries.c if column.name != "id")
_INSERT_ENTRY = sa.insert(entries).returning(entries.c.campaign, entries.c.identity, entries.c.id)
"""Who is told with each id, for asking for the ids in order would be a statement a row."""
_UPDATE_ENTRY = (
    sa.update(entries).where(entries.c.id == sa.bindparam("which")).values({name: sa.bindparam(f"new_{name}") for name in _ENTRY_COLUMNS})
)
_INSERT_VERSION = sa.insert(versions)
_INSERT_EVENT = sa.insert(events)
_INSERT_OUTBOX = sa.insert(outbox)
_FOUND = ("campaign", "assurance", "evidence", "language", "content_hash", "content_key")
_DECIDED = ("disposition", "action", "reasons", "entry_id", "decided_at")
_FINISH = (
    sa.update(mails)
    .where(mails.c.id == sa.bindparam("which"))
    .values(
        lease_owner=None, lease_until=None, error=None, **{name: sa.bindparam(f"new_{name}") for name in (*_FOUND, *_DECIDED, "copy_of")}
    )
)
_REDECIDE = (
    sa.update(mails)
    .where(mails.c.id == sa.bindparam("which"))
    .values({name: sa.bindparam(f"new_{name}") for name in (*_DECIDED, "assurance", "evidence")})
)
_POSTPONE = (
    sa.update(mails)
    .where(mails.c.id == sa.bindparam("which"))
    .values(due_at=sa.bindparam("until"), error=sa.bindparam("why"), attempts=0, lease_owner=None, lease_until=None)
)


def write(tx: Connection, group: Sequence[Effects]) -> None:
    """Writes the effects of a group of mails about different people and different contents.

    Raises sqlalchemy.exc.IntegrityError when somebody else has settled the same person or content at this moment.
    """
    postponed = [one for one in group if one.postpone is not None]
    settled = _with_ids(tx, [one for one in group if one.postpone is None])
    _many(tx, _INSERT_VERSION, [_version(one, one.entry, id_) for one, id_ in settled if one.entry is not None and one.changed])
    _many(tx, _INSERT_EVENT, [_event(one, id_) for one, id_ in settled if one.event is not None and one.campaign is not None])
    _many(tx, _INSERT_OUTBOX, [_outgoing(one, one.said, id_) for one, id_ in settled if one.said is not None])
    _many(tx, _REDECIDE, [_redecided(one, one.first, id_) for one, id_ in settled if one.first is not None])
    _many(tx, _FINISH, [_finished(one, id_) for one, id_ in settled])
    _many(tx, _POSTPONE, [{"which": one.mail_id, "until": one.postpone, "why": one.decision.reason} for one in postponed])


def _many(tx: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        tx.execute(statement, rows)


def _with_ids(tx: Connection, group: list[Effects]) -> list[tuple[Effects, int | None]]:
    """Saves the entries that changed; gives each mail's effects with the id of its entry, if it has one."""
    changed = [one.entry for one in group if one.entry is not None and one.changed]
    known = [{"which": entry.id, **{f"new_{name}": getattr(entry, name) for name in _ENTRY_COLUMNS}} for entry in changed if entry.id]
    _many(tx, _UPDATE_ENTRY, known)
    fresh = [{name: getattr(entry, name) for name in _ENTRY_COLUMNS} for entry in changed if not entry.id]
    made = {(row[0], row[1]): row[2] for row in tx.execute(_INSERT_ENTRY, fresh)} if fresh else {}
    return [(one, (one.entry.id or made[one.entry.campaign, one.entry.identity]) if one.entry else None) for one in group]


_OF_THE_ROW = frozenset({"campaign", "identity", "address", "changed_at", "last_word_at", "version"})
"""What a version need not repeat: it stands in the entry or in the version's own columns."""
_RECORDED = tuple(name for name in _ENTRY_COLUMNS if name not in _OF_THE_ROW)


def _version(one: Effects, entry: Entry, id_: int | None) -> dict[str, Any]:
    record = {name: getattr(entry, name) for name in _RECORDED}
    return {"entry_id": id_, "version": entry.version, "mail_id": one.cause, "record": record, "at": entry.changed_at}


def _event(one: Effects, entry_id: int | None) -> dict[str, Any]:
    reason = one.first.reason if one.first else one.decision.reason
    return {
        "kind": one.event,
        "campaign": one.campaign,
        "entry_id": entry_id,
        "mail_id": one.cause,
        "actor": "mail",
        "reason": reason,
        "at": one.now,
    }


def _outgoing(one: Effects, said: Said, entry_id: int | None) -> dict[str, Any]:
    mail = said.mail
    return {
        "key": said.key, "kind": said.kind, "campaign": one.campaign, "mail_id": one.cause, "entry_id": entry_id,
        "message_id": mail.message_id, "sender": mail.sender, "recipient": mail.recipient, "raw": mail.raw, "state": "waiting",
        "due_at": EPOCH, "attempts": 0, "created_at": one.now,
    }  # fmt: skip


def _decided(one: Effects, decision: Decision, entry_id: int | None) -> dict[str, Any]:
    return {
        "new_disposition": decision.disposition, "new_action": decision.action, "new_reasons": list(decision.reasons),
        "new_entry_id": entry_id, "new_decided_at": one.now,
    }  # fmt: skip


def _finished(one: Effects, entry_id: int | None) -> dict[str, Any]:
    found = {f"new_{name}": one.found[name] for name in _FOUND}
    return {"which": one.mail_id, "new_copy_of": one.copy_of, **found, **_decided(one, one.decision, entry_id)}


def _redecided(one: Effects, decision: Decision, entry_id: int | None) -> dict[str, Any]:
    proof = {f"new_{name}": one.found[name] for name in ("assurance", "evidence")}
    return {"which": one.copy_of, **proof, **_decided(one, decision, entry_id)}
