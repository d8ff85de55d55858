"""A campaign for tests, and a reader that takes a mail at its word."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mailflow.config.campaign import Campaign, Organiser, Statement
from mailflow.decide import identity
from mailflow.model.mail import Assurance, Intent, KeptMail, MailClass, ParsedMail, Signer, Verdict
from mailflow.packaged import packaged
from mailflow.pipeline import Tools
from mailflow.render import Renderer

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
ANNA = Organiser(address="anna@org.example", zone="Europe/Berlin", hour=8, names=True)
BEN = Organiser(address="ben@org.example", zone="America/Santiago", hour=20)


def delta(**changes: Any) -> Campaign:
    """The campaign of most tests."""
    values: dict[str, Any] = {
        "slug": "delta",
        "name": "Keep the Delta Wild",
        "addresses": ["endorse@delta.example"],
        "organisers": [ANNA, BEN],
        "controller": "Delta Trust, 1 Quay, Harrow",
        "notice": "Your name will be published.",
        "notice_names_public": True,
        "statements": [Statement(language="en", title="Keep the Delta Wild", date=date(2026, 9, 1), body="Keep it wild.")],
    }
    return Campaign(**{**values, **changes})


def letter(name: str, address: str, *, intent: str = "endorse", proof: str = "aligned", words: str = "I endorse.", **more: Any) -> bytes:
    """A mail for the plain reader: its body says in JSON what a reader would find in it."""
    said = {"name": name, "author": address, "intent": intent, "proof": proof, "words": words, **more}
    return f"From: {address}\r\nTo: endorse@delta.example\r\n\r\n{json.dumps(said)}\r\n".encode()


def read_plainly(raw: bytes, _campaign: Campaign | None) -> ParsedMail:
    """Takes the mail at its word; what it says about proof is not part of its content."""
    said = json.loads(raw.partition(b"\r\n\r\n")[2])
    if said.get("breaks"):
        raise RuntimeError("the reader broke over " + said["words"])
    content = json.dumps({key: value for key, value in said.items() if key not in ("proof", "hop")}, sort_keys=True)
    return ParsedMail(
        sha256=hashlib.sha256(raw).hexdigest(),
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
        mail_class=MailClass(said.get("class", "human")),
        intent=Intent(said["intent"]),
        author=said["author"],
        addressees=tuple(said.get("to", ["endorse@delta.example"])),
        signers=(Signer(said["name"], country=said.get("country")),) if said["name"] else (),
        public=said.get("public", True),
        words=said["words"],
        language=said.get("language", "en"),
        message_id=said.get("message_id", "m1@foo.example"),
    )


def judge_plainly(mail: KeptMail, _parsed: ParsedMail) -> Verdict:
    """Believes what the mail says of its own proof."""
    said = json.loads(mail.raw.partition(b"\r\n\r\n")[2])
    signed = mail.received_at - timedelta(days=said.get("days_old", 0))
    return Verdict(Assurance(said["proof"]), (f"proof={said['proof']}",), signed_at=signed)


def dns_is_away(_mail: KeptMail, _parsed: ParsedMail) -> Verdict:
    """What authenticate says when no key can be had."""
    return Verdict(Assurance.UNKNOWN)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW
    moved: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return self.now + self.moved

    def move(self, **by: float) -> None:
        """Moves the clock, forwards or back."""
        self.moved += timedelta(**by)


def tools(clock: Clock, campaign: Campaign | None = None, **changes: Any) -> Tools:
    """The pipeline's tools with the plain reader and the real renderer."""
    one = campaign or delta()
    values: dict[str, Any] = {
        "campaigns": {one.slug: one},
        "by_address": {identity(address): one.slug for address in one.addresses},
        "read": read_plainly,
        "authenticate": judge_plainly,
        "render": Renderer(packaged("templates"), b"s" * 32),
        "now": clock,
    }
    return Tools(**{**values, **changes})
