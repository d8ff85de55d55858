"""Builds mails for the tests of meaning, and the one lexicon they share."""

from email.header import Header
from functools import cache

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ParsedMail, ReadingContext
from mailflow.parse import Lexicon, parse
from mailflow.parse.knowledge import load_lexicon

STATEMENT = "We live beside the Tamar Delta, or have spent our working lives learning from it.\n\nA delta is not waste land waiting for a use. It is in use."
CONTEXT = ReadingContext(addresses=frozenset({"endorse@tamar-delta.example"}), statements=(("en", STATEMENT),))


@cache
def lexicon() -> Lexicon:
    """The lexicons that ship with the program."""
    return load_lexicon()


def mail(
    body: str, *, name: str = "", address: str = "someone@post.example", subject: str = "", headers: str = "", kind: str = "text/plain"
) -> bytes:
    """The bytes of a mail in UTF-8. ``headers`` are further lines."""
    sender = f"{Header(name, 'utf-8').encode()} <{address}>" if name else address
    lines = [
        f"From: {sender}",
        "To: endorse@tamar-delta.example",
        f"Subject: {Header(subject, 'utf-8').encode()}",
        "Date: Mon, 7 Sep 2026 10:00:00 +0200",
        "Message-ID: <1@post.example>",
        *(line for line in headers.split("\n") if line),
        "MIME-Version: 1.0",
    ]
    if "content-type:" not in headers.lower():
        lines += [f"Content-Type: {kind}; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return ("\n".join(lines) + "\n\n" + body).replace("\n", "\r\n").encode("utf-8")


def read_mail(raw: bytes) -> ParsedMail:
    """What parse() makes of it in the campaign of the tests."""
    return parse(raw, CONTEXT, lexicon(), LimitSettings())


def read_body(body: str, name: str = "", subject: str = "", **more: str) -> ParsedMail:
    """What parse() makes of a plain mail."""
    return read_mail(mail(body, name=name, subject=subject, **more))
