"""Invented people, their entries and a campaign, for the tests of what mailflow says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from mailflow.config.campaign import Campaign, Organiser, Statement
from mailflow.model.answer import Answer, AnswerKind, OutgoingMail
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState, Event, EventKind
from mailflow.model.mail import Assurance, Intent, MailClass, ParsedMail, Verdict
from mailflow.packaged import packaged
from mailflow.render import Renderer

NOW = datetime(2026, 9, 2, 8, 30, tzinfo=UTC)
TEMPLATES = packaged("templates")
SECRET = b"only for tests, not for anything"

ENGLISH = Statement(language="en", title="Keep the Heron Marsh Wet", date=date(2026, 9, 1), body="A marsh is not waste land.")
GERMAN = Statement(language="de", title="Das Reihermoor bleibt nass", date=date(2026, 9, 1))


def campaign(**changes: Any) -> Campaign:
    """The Heron Marsh campaign, with changes."""
    values: dict[str, Any] = {
        "slug": "heron-marsh",
        "name": "Keep the Heron Marsh Wet",
        "addresses": ["endorse@heron-marsh.example"],
        "languages": ["en", "de"],
        "controller": "Heron Marsh Trust, 4 Quay Street, Little Fenning, privacy@heron-marsh.example",
        "notice": "We publish your name, title, affiliation, place and country.\n"
        "We keep your e-mail for six months after the letter closes.",
        "notice_names_public": True,
        "notice_version": "3",
        "statements": [ENGLISH, GERMAN],
    }
    return Campaign(**{**values, **changes})


def organiser(**changes: Any) -> Organiser:
    """Orla, who gets the digest at eight in Berlin, with names."""
    return Organiser(**{"address": "orla@heron-marsh.example", "zone": "Europe/Berlin", "hour": 8, "names": True, **changes})


ANA = Entry(
    id=7,
    campaign="heron-marsh",
    identity="ana.duarte@ports.example",
    address="ana.duarte@ports.example",
    name="Ana Duarte",
    title="Dr",
    affiliation="Institute of Reeds",
    place="Aveiro",
    country="PT",
    organisation=None,
    words="I learned to row there.\n\nKeep it wet.",
    language="en",
    named=True,
    words_shown=True,
    assurance=Assurance.ALIGNED,
    state=EntryState.LIVE,
    version=1,
    statement_hash=campaign().statement_hash,
    notice_version="3",
    changed_at=NOW,
)


def entry(**changes: Any) -> Entry:
    """Ana's entry, with changes."""
    return replace(ANA, **changes)


MAIL = ParsedMail(
    sha256="0" * 64,
    content_hash="1" * 64,
    mail_class=MailClass.HUMAN,
    intent=Intent.ENDORSE,
    author="ana.duarte@ports.example",
    author_name="Ana Duarte",
    addressees=("endorse@heron-marsh.example",),
    subject="I endorse",
    message_id="m1@ports.example",
    language="en",
)


def mail(**changes: Any) -> ParsedMail:
    """Ana's mail, with changes."""
    return replace(MAIL, **changes)


PROVEN = Verdict(Assurance.ALIGNED)
COUNTED = Decision(Action.ACCEPT, ("always",), Disposition.COUNTED)


def answer(kind: AnswerKind = AnswerKind.COUNTED, **changes: Any) -> Answer:
    """An answer to Ana, with changes."""
    first = Answer(kind=kind, key="heron-marsh:7:12", campaign="heron-marsh", to=ANA.address, language="en", entry=ANA)
    return replace(first, **changes)


def renderer() -> Renderer:
    """One over the real templates."""
    return Renderer(TEMPLATES, SECRET)


def parsed(mail: OutgoingMail) -> EmailMessage:
    """The mail as the standard library reads it."""
    return message_from_bytes(mail.raw, policy=policy.default)


def body(mail: OutgoingMail, kind: str) -> str:
    """The ``plain`` or ``html`` body."""
    part = parsed(mail).get_body((cast("Any", kind),))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def events(count: int, kind: EventKind = EventKind.ENDORSED, first: int = 1) -> list[Event]:
    """``count`` events of one kind, one for each entry and mail, in sequence."""
    return [Event(n, n, kind, "heron-marsh", n, 600 + n, "mail", "always", NOW + timedelta(seconds=n)) for n in range(first, first + count)]
