"""campaigns/SLUG.toml: one statement, its addresses, its people and what signers are told."""

import datetime
import hashlib
import re
import unicodedata
from collections import Counter
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, model_validator

from mailflow.config.section import Section

DEMANDS_HERE = "{demands}"
"""A line of the body that stands for the numbered demands; without it they follow the body."""


class Listing(StrEnum):
    """Who is named on the public list (design: Consent)."""

    NAMED = "named"
    ASK = "ask"
    COUNT = "count"


class Publish(StrEnum):
    """When a proven, unflagged endorsement appears."""

    AT_ONCE = "at_once"
    AFTER_REVIEW = "after_review"


def _address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).ascii_email or value
    except EmailNotValidError as error:
        raise ValueError(f"not an e-mail address: {error}") from None


def _one_line(value: str) -> str:
    """Names and titles get into header fields and list rows."""
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in value):
        raise ValueError("must be one line without control characters")
    if value and not value.strip():
        raise ValueError("must not be blank")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("not an IANA time zone; write it like Europe/Berlin")
    return value


def _slug(value: str) -> str:
    # It is a file's name as well.
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", value):
        raise ValueError("not a short name; use lower-case letters, digits and hyphens, at most 63")
    return value


def _language(value: str) -> str:
    if not re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError("not a language tag (BCP 47); write it like en, pt-BR or zh-Hant")
    return value


Address = Annotated[str, AfterValidator(_address), Field(json_schema_extra={"allowed": "an e-mail address"})]
Line = Annotated[str, AfterValidator(_one_line), Field(json_schema_extra={"allowed": "one line of text"})]
Zone = Annotated[str, AfterValidator(_zone), Field(json_schema_extra={"allowed": "a time zone such as Europe/Berlin"})]
Slug = Annotated[str, AfterValidator(_slug), Field(json_schema_extra={"allowed": "lower-case letters, digits and hyphens, at most 63"})]
Language = Annotated[str, AfterValidator(_language), Field(json_schema_extra={"allowed": "a language tag such as en or zh-Hant"})]


class Organiser(Section):
    """Somebody who gets the daily digest."""

    address: Address = Field(description="Where the digest goes.", examples=["organiser@letter.example"])
    zone: Zone = Field(default="UTC", description="IANA time zone of this person, such as Europe/Berlin.")
    hour: int = Field(default=8, ge=0, le=23, description="Local hour from which the digest of the day is sent.")
    names: bool = Field(default=False, description="Whether the digest shows names and words; otherwise counts and ids.")

    @property
    def tz(self) -> ZoneInfo:
        """The zone as an object."""
        return ZoneInfo(self.zone)


class Author(Section):
    """One author of the statement."""

    name: Line = Field(min_length=1, description="As it is printed.", examples=["A. N. Author"])
    note: Line = Field(default="", description="One line about the author.")


class Statement(Section):
    """The statement in one language."""

    language: Language = Field(description="BCP 47 tag, such as en or zh-Hant.", examples=["en"])
    title: Line = Field(min_length=1, description="Its title.", examples=["An Open Letter"])
    date: datetime.date = Field(description="Its date, without quotation marks.", examples=[datetime.date(2026, 9, 1)])
    authors: list[Author] = Field(default_factory=list, description="Its authors in order.")
    body: str = Field(
        default="",
        description="Markdown; or use file. A line {demands} stands for the numbered demands; without it they follow the body.",
        examples=["We have lived with this for long enough.\n\nWe therefore ask the council:\n\n{demands}\n"],
    )
    file: str | None = Field(default=None, description="Markdown file beside the campaign file that holds the body.")
    demands: list[str] = Field(
        default_factory=list, description="The numbered demands, in order.", examples=[["to publish the plans;", "to hear the neighbours."]]
    )
    invitation: str = Field(
        default="", description="How to endorse, as it is printed under the statement, so that it is known when a mail quotes it."
    )
    template: str = Field(
        default="", description="What the mailto link puts into a new mail, so that it is not taken for the signer's words."
    )


class Campaign(Section):
    """One campaign file."""

    slug: Slug = Field(description="Short name in lower case; also the file's name.", examples=["example"])
    name: Line = Field(
        min_length=1, max_length=100, description="Name in mails and lists, such as the statement's title.", examples=["An Open Letter"]
    )
    sender_name: Line = Field(default="", max_length=100, description="Display name of our own mails; default: the name.")
    addresses: list[Address] = Field(
        min_length=1,
        description="Addresses people write to; the first is the one we answer from.",
        examples=[["endorse@letter.example"]],
    )
    languages: list[Language] = Field(
        default=["en"], min_length=1, description="Languages of the campaign; the first is used where the mail's is not known."
    )
    listing: Listing = Field(
        default=Listing.NAMED, description="named: signers are named on the public list; ask: only after they say so; count: numbers only."
    )
    publish: Publish = Field(
        default=Publish.AT_ONCE,
        description="at_once: a proven mail that raised no flag appears at once; after_review: a human looks first.",
    )
    show_words: bool = Field(default=True, description="Whether people's own words are shown with their names.")
    controller: str = Field(
        min_length=1,
        description="Who answers for the data, with postal or e-mail address.",
        examples=["The Letter Committee, 1 Example Street, Exampleton; data@letter.example"],
    )
    notice: str = Field(
        min_length=1,
        description="What signers are told about their data, beside the address.",
        examples=[
            (
                "By writing to this address you ask us to count you as a signer and to publish your name, and what you tell us of your title, "
                "affiliation, place, country and reasons, in the list of signers. Your e-mail address is never published. "
                "To be counted without being named, say so in the mail; to withdraw, write to the same address at any time.\n"
            )
        ],
    )
    notice_names_public: bool = Field(
        default=False, description="Say true when the notice tells that names are published; needed for listing = named.", examples=[True]
    )
    notice_version: Line = Field(default="1", description="Raise it whenever the notice changes.")
    opened: datetime.date | None = Field(default=None, description="First day; older mail is not taken. A date without quotation marks.")
    closed: bool = Field(default=False, description="True: the campaign takes no more endorsements.")
    freshness_days: int = Field(
        default=14, ge=0, le=3650, description="A signature older than this at receipt is shown to a human; 0: any age."
    )
    reviewers: list[Address] = Field(default_factory=list, description="Addresses of people who may review.")
    organisers: list[Organiser] = Field(default_factory=list, description="Who gets the digest.")
    statements: list[Statement] = Field(min_length=1, description="The statement, once per language; the first is the original.")

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        _refuse_repeats("addresses", [address.lower() for address in self.addresses])
        _refuse_repeats("organisers", [organiser.address.lower() for organiser in self.organisers])
        _refuse_repeats("statements in one language", [statement.language.lower() for statement in self.statements])
        return self

    @property
    def address(self) -> str:
        """The address we answer from."""
        return self.addresses[0]

    @property
    def statement_hash(self) -> str:
        """SHA-256 over the original's title, demands and body: which version somebody endorsed."""
        first = self.statements[0]
        text = "\n".join([first.title, *first.demands, first.body]).strip()
        return hashlib.sha256(text.encode()).hexdigest()


def _refuse_repeats(what: str, values: list[str]) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise ValueError(f"{what}: {repeated[0]} stands there twice; keep one")
