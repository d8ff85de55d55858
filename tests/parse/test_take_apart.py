"""A whole mail taken apart: the corpus, the hashes, and what copies of one mail have in common."""

import hashlib
from pathlib import Path

import pytest

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.letter import Letter
from mailflow.parse.take_apart import take_apart

MAILS = sorted((Path(__file__).parents[2] / "config/demo/mail").glob("*.eml"))
LIMITS = LimitSettings()
MAIL = b"From: Ana <ana@delta.example>\r\nTo: list@delta.example\r\nSubject: yes\r\nDate: Mon, 5 Oct 2026 10:00:00 +0200\r\nMessage-ID: <1@delta.example>\r\n\r\nI endorse.\r\n\r\nAna\r\n"


def read(raw: bytes) -> Letter:
    return take_apart(raw, ReadingContext(), LIMITS)


def hash_of(raw: bytes) -> str:
    return read(raw).content_hash


@pytest.mark.parametrize("path", MAILS, ids=[path.stem for path in MAILS])
def test_a_mail_of_the_bundled_mailbox_is_readable(path: Path) -> None:
    letter = read(path.read_bytes())
    assert letter.author and letter.subject == letter.value("subject") and not letter.unreadable and not letter.defects


def test_the_bundled_mailbox_is_there() -> None:
    assert len(MAILS) >= 40


@pytest.mark.parametrize(
    "raw",
    [MAIL, b"", b"\r\n\r\n", b"\xef\xbb\xbf" + MAIL, b"From x\n" + MAIL, MAIL * 3],
    ids=["plain", "empty", "lines", "mark", "mbox", "three"],
)
def test_the_hash_of_the_bytes_is_of_the_bytes_as_they_came(raw: bytes) -> None:
    assert read(raw).sha256 == hashlib.sha256(raw).hexdigest()


SAME = [
    ("one Received more", b"Received: by mx.example; Mon, 5 Oct 2026 10:00:01 +0200\r\n" + MAIL),
    (
        "results, a signature, list fields",
        b"Authentication-Results: mx; dkim=pass\r\nDKIM-Signature: v=1\r\nList-Id: <x>\r\nReturn-Path: <a@x.example>\r\n" + MAIL,
    ),
    ("LF", MAIL.replace(b"\r\n", b"\n")),
    ("empty lines at the end", MAIL + b"\r\n\r\n \r\n"),
    ("no line end at the end", MAIL.rstrip()),
    ("folded otherwise", MAIL.replace(b"To: ", b"To:\r\n  ")),
    ("names in capitals", MAIL.replace(b"Subject", b"SUBJECT")),
    ("fields in another order", MAIL.replace(b"Subject: yes\r\n", b"").replace(b"From:", b"Subject: yes\r\nFrom:")),
    ("an mbox line", b"From ana@delta.example Mon Oct  5 10:00:00 2026\r\n" + MAIL),
]


@pytest.mark.parametrize("copy", [row[1] for row in SAME], ids=[row[0] for row in SAME])
def test_copies_that_travelled_differently_have_one_content_hash(copy: bytes) -> None:
    assert hash_of(copy) == hash_of(MAIL)


OTHER = [
    ("From", MAIL.replace(b"ana@delta", b"ann@delta")), ("To", MAIL.replace(b"list@", b"lost@")), ("a Cc", MAIL.replace(b"To:", b"Cc: x@x.example\r\nTo:")),
    ("Subject", MAIL.replace(b"yes", b"no")), ("Date", MAIL.replace(b"10:00:00", b"10:00:01")), ("Message-ID", MAIL.replace(b"<1@", b"<2@")),
    ("a second Subject", b"Subject: no\r\n" + MAIL), ("a word of the body", MAIL.replace(b"I endorse", b"I decline")), ("a space in the body", MAIL.replace(b"I endorse", b"I  endorse")),
    ("the body in the header", MAIL.replace(b"\r\n\r\nI endorse.", b"\r\nX: I endorse.\r\n")), ("Subject moved into To", MAIL.replace(b"list@delta.example\r\nSubject: yes", b"list@delta.example yes")),
    ("a NUL between fields", MAIL.replace(b"list@delta.example\r\nSubject: yes", b"list@delta.example\0subject\0yes")),
]  # fmt: skip


@pytest.mark.parametrize("other", [row[1] for row in OTHER], ids=[row[0] for row in OTHER])
def test_mails_that_differ_in_what_was_written_have_two_content_hashes(other: bytes) -> None:
    assert hash_of(other) != hash_of(MAIL)


def test_the_preimage_of_the_content_hash_is_what_it_is_said_to_be() -> None:
    fields = b"from\0Ana <ana@delta.example>\0to\0list@delta.example\0date\0Mon, 5 Oct 2026 10:00:00 +0200\0subject\0yes\0message-id\x001@delta.example\0".replace(
        b"\x001@delta.example\0", b"\0<1@delta.example>\0"
    )
    assert hash_of(MAIL) == hashlib.sha256(fields + b"\0I endorse.\r\n\r\nAna").hexdigest()


def test_everything_is_read_from_one_mail() -> None:
    raw = MAIL.replace(
        b"Date:", b"Cc: b@x.example\r\nIn-Reply-To: <0@delta.example>\r\nReferences: <a@b.example> <0@delta.example>\r\nDate:"
    )
    letter = read(raw)
    assert (letter.author, letter.author_name, letter.subject) == ("ana@delta.example", "Ana", "yes")
    assert (letter.message_id, letter.in_reply_to, letter.references) == (
        "1@delta.example",
        "0@delta.example",
        ("a@b.example", "0@delta.example"),
    )
    assert (letter.addressees, letter.reply, letter.body) == (
        ("list@delta.example", "b@x.example"),
        "I endorse.\n\nAna",
        "I endorse.\n\nAna\n",
    )


EMPTY = [
    ("nothing", b""),
    ("line ends", b"\r\n\r\n\r\n"),
    ("no fields", b"\r\nI endorse."),
    ("no header at all", b"I endorse your letter"),
    ("NULs", b"\0" * 100),
    ("binary", bytes(range(256)) * 10),
]


@pytest.mark.case(81)
@pytest.mark.parametrize("raw", [row[1] for row in EMPTY], ids=[row[0] for row in EMPTY])
def test_what_is_no_mail_is_unreadable(raw: bytes) -> None:
    assert (read(raw).unreadable, read(raw).author) == (True, None)


def test_the_statement_of_the_context_is_known_for_a_quote() -> None:
    statement = "A river is not waste land.\n\nIt is in use already.\n\nKeep it as wild as it is."
    raw = MAIL.replace(b"I endorse.", b"I endorse.\r\n\r\n" + statement.replace("\n", "\r\n").encode())
    context = ReadingContext(statements=(("en", statement),))
    assert (take_apart(raw, context, LIMITS).reply, read(raw).reply.count("\n\n")) == ("I endorse.\n\nAna", 4)


def test_reading_is_the_same_each_time() -> None:
    assert all(read(path.read_bytes()) == read(path.read_bytes()) for path in MAILS)
