"""What we say: an answer to one person, a digest to one organiser, and the bytes they become."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from mailflow.model.endorsement import Entry, EventKind


class AnswerKind(StrEnum):
    """Each kind is one folder of templates."""

    COUNTED = "counted"
    UPDATED = "updated"
    ALREADY = "already"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a proven author. ``key`` names person and event, so that it can be given only once.

    ``to`` is the proven header From. ``in_reply_to`` and ``references`` are Message-IDs without
    angle brackets that passed a strict grammar; no other text of the sender gets into a header.
    """

    kind: AnswerKind
    key: str
    campaign: str
    to: str
    language: str
    entry: Entry | None
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail ready for the smarthost. ``sender`` is the envelope sender, ``""`` for the null one.

    ``raw`` has CRLF line ends and is what every transmission sends, byte for byte. ``message_id`` is
    without angle brackets.
    """

    message_id: str
    sender: str
    recipient: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class DigestItem:
    """One line of a digest. ``name`` and ``words`` are empty where the organiser did not ask for names."""

    kind: EventKind
    short_id: str
    reason: str = ""
    name: str = ""
    detail: str = ""
    words: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """What one organiser is told of one window of the event sequence: events in (after, upto].

    ``books`` are all dispositions of the campaign with their counts, ``endorsements`` the live entries,
    ``more`` how many items beyond those listed.
    """

    campaign: str
    organiser: str
    day: date
    after: int
    upto: int
    endorsements: int
    books: tuple[tuple[str, int], ...]
    counts: tuple[tuple[EventKind, int], ...]
    new: tuple[DigestItem, ...] = ()
    waiting: tuple[DigestItem, ...] = ()
    more_new: int = 0
    more_waiting: int = 0
    alarms: tuple[str, ...] = field(default=())
