"""An endorsement: one person's entry, and the states it may pass through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailflow.model.mail import Assurance


class EntryState(StrEnum):
    """Where an entry stands. Only LIVE entries are counted."""

    LIVE = "live"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[EntryState, frozenset[EntryState]] = {
    EntryState.LIVE: frozenset({EntryState.LIVE, EntryState.WITHDRAWN}),
    EntryState.WITHDRAWN: frozenset({EntryState.LIVE}),
}
"""From each state, the states an event may lead to; LIVE to LIVE is an update."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of one person in one campaign.

    ``identity`` is the canonical address (decide/identity.py). The three consents are kept apart:
    being counted is the entry itself, ``named`` and ``words_shown`` are the other two. ``published``
    says that it may stand on the list (a campaign may want a review first); ``last_word_at`` is the time
    of the person's latest proven word, so that an older mail cannot undo it.
    """

    id: int
    campaign: str
    identity: str
    address: str
    name: str
    title: str | None
    affiliation: str | None
    place: str | None
    country: str | None
    organisation: str | None
    words: str
    language: str | None
    named: bool
    words_shown: bool
    assurance: Assurance
    state: EntryState
    version: int
    statement_hash: str
    notice_version: str
    changed_at: datetime
    last_word_at: datetime | None = None
    published: bool = True


class EventKind(StrEnum):
    """What can happen to an entry or a mail; each is one row of the append-only ledger."""

    ENDORSED = "endorsed"
    UPDATED = "updated"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    REFUSED = "refused"
    SET_ASIDE = "set_aside"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the ledger. ``seq`` is its place in commit order, ``None`` until it is numbered."""

    id: int
    seq: int | None
    kind: EventKind
    campaign: str
    entry_id: int | None
    mail_id: int | None
    actor: str
    reason: str
    at: datetime
