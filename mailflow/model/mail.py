"""A mail: how it came in, and what could be read in it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a mail came through our door (RFC 5321 terms).

    ``sender`` is the envelope sender without angle brackets, ``""`` for the null sender, ``None``
    where the door has none (a file). ``trusted_results`` are the authserv-ids (RFC 8601 §2.5) whose
    Authentication-Results this door vouches for.
    """

    door: str
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    client: str | None = None
    helo: str | None = None
    trusted_results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One accepted mail, byte for byte. ``id`` is its number in the store, 0 in a dry run."""

    id: int
    raw: bytes
    envelope: Envelope
    received_at: datetime
    campaign: str | None = None
    attempts: int = 0


class MailClass(StrEnum):
    """What kind of sender wrote: a person, or which kind of machine."""

    HUMAN = "human"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    LIST_MAIL = "list_mail"
    CALENDAR = "calendar"
    UNREADABLE = "unreadable"


class Intent(StrEnum):
    """What a person wants of us."""

    ENDORSE = "endorse"
    WITHDRAW = "withdraw"
    CORRECT = "correct"
    DECLINE = "decline"
    QUESTION = "question"
    CONFIRM = "confirm"
    SPAM = "spam"
    UNCLEAR = "unclear"


class Caution(StrEnum):
    """Why a human should look although the mail endorses (shared by reading and decision)."""

    CONDITION = "has_a_condition"
    FOR_SOMEBODY_ELSE = "for_somebody_else"
    MEMBERS_NOT_ASKED = "members_not_all_asked"
    MINOR = "may_be_a_minor"
    NAME_CONTRADICTS_FROM = "name_contradicts_from"
    SEVERAL_SIGNERS = "several_signers"
    PEN_NAME = "pen_name"
    ABUSE = "looks_like_abuse"
    HALF_HEARTED = "half_hearted"
    TEXT_ELSEWHERE = "text_is_in_an_attachment"
    ENCRYPTED = "text_is_encrypted"
    ALTERNATIVES_DIFFER = "text_and_html_differ"
    HIDDEN_TEXT = "has_hidden_text"
    ADDRESSES_PROGRAM = "addresses_the_program"
    CLAIM_OF_IDENTITY = "extraordinary_claim"
    OTHER_LETTER = "about_another_letter"
    FORWARDED_ONLY = "only_forwarded_text"
    ODD_NAME = "name_is_odd"
    ORGANISATION_CLAIM = "organisation_claim"


@dataclass(frozen=True, slots=True)
class Signer:
    """One person as they should be printed; ``country`` is ISO 3166-1 alpha-2."""

    name: str
    title: str | None = None
    affiliation: str | None = None
    place: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What a reader must know of the campaign: its addresses and every text it sent out.

    ``statements`` maps language tags to the statement's text, so that a quoted statement is known
    for a quote; ``own_texts`` are other texts we send (acknowledgements, the mailto template).
    """

    addresses: frozenset[str] = frozenset()
    statements: tuple[tuple[str, str], ...] = ()
    own_texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """Everything that was read in one mail. All text is valid Unicode without controls.

    ``author`` is the one addr-spec of header From (domain lower case, A-label) or ``None`` where there
    is not exactly one. ``addressees`` are the addr-specs of To and Cc,
    ``delivered_to`` those that a receiving server wrote into Delivered-To and X-Original-To. ``date`` is header Date, aware,
    or ``None``. ``relayed_at`` is the time in the topmost Received header. ``reply`` and ``words`` are
    as docs/contract says. ``defects`` are names, never raised.
    """

    sha256: str
    content_hash: str
    mail_class: MailClass
    intent: Intent
    author: str | None = None
    author_name: str = ""
    addressees: tuple[str, ...] = ()
    delivered_to: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    date: datetime | None = None
    relayed_at: datetime | None = None
    language: str | None = None
    signers: tuple[Signer, ...] = ()
    organisation: str | None = None
    public: bool = True
    asks_to_be_named: bool = False
    reply: str = ""
    words: str = ""
    bounced: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()
    machine_signs: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()


class Assurance(StrEnum):
    """How sure we are that the author wrote it."""

    ALIGNED = "aligned"
    CONFIRMED = "confirmed"
    VOUCHED = "vouched"
    IMPORTED = "imported"
    NONE = "none"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What authentication found. ``UNKNOWN`` means DNS was not to be had: ask again later.

    ``signed_at`` is the time the proof speaks for (DKIM ``t=``, else header Date, else ``None``),
    ``disowned`` says that the From domain's own DMARC policy disowns the mail, ``flaws`` names why a
    mail stays unproven whatever its signatures say (RFC 6376 §8.15 and the like).
    """

    assurance: Assurance
    evidence: tuple[str, ...] = ()
    signed_at: datetime | None = None
    disowned: bool = False
    flaws: tuple[str, ...] = field(default=())

    @property
    def proven(self) -> bool:
        """Whether the mail counts as its author's own."""
        return self.assurance in _PROVEN


_PROVEN = frozenset({Assurance.ALIGNED, Assurance.CONFIRMED, Assurance.VOUCHED, Assurance.IMPORTED})
