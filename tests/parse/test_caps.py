"""What a mail may cost, checked on raw bytes before any parser sees them."""

from collections.abc import Callable

import pytest

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.caps import divide, exceeded, unified
from mailflow.parse.take_apart import take_apart

LIMITS = LimitSettings()
HEAD = b"From: ana@delta.example\r\nTo: list@delta.example\r\nSubject: yes\r\n"


def multiparts(depth: int) -> bytes:
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    closed = b"".join(b"--b%d--\r\n" % n for n in reversed(range(depth)))
    return HEAD + opened + b"Content-Type: text/plain\r\n\r\nI endorse.\r\n" + closed


def mails_in_mails(depth: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Content-Type: text/plain\r\n\r\nI endorse.\r\n"


def parts(count: int) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * count + b"--b--\r\n"


def first_defect(raw: bytes) -> str:
    letter = take_apart(raw, ReadingContext(), LIMITS)
    return letter.defects[0] if letter.unreadable else ""


DEEP = [("multipart", multiparts), ("mail in mail", mails_in_mails)]


@pytest.mark.case(64)
@pytest.mark.parametrize("depth", [50, 300, 3000])
@pytest.mark.parametrize("build", [build for _, build in DEEP], ids=[name for name, _ in DEEP])
def test_nesting_beyond_the_cap_is_not_parsed(build: Callable[[int], bytes], depth: int) -> None:
    assert first_defect(build(depth)) in ("mime_too_deep", "too_many_mime_parts")


@pytest.mark.case(64)
def test_nesting_within_the_cap_is_read() -> None:
    letter = take_apart(multiparts(LIMITS.mime_depth), ReadingContext(), LIMITS)
    assert (letter.reply, letter.unreadable) == ("I endorse.", False)


@pytest.mark.case(64)
def test_one_level_more_than_the_cap_is_one_too_many() -> None:
    assert first_defect(multiparts(LIMITS.mime_depth + 1)) == "mime_too_deep"


def test_many_multiparts_beside_each_other_are_not_deep() -> None:
    inner = b"--o\r\nContent-Type: multipart/alternative; boundary=i%d\r\n\r\n--i%d\r\n\r\nx\r\n--i%d--\r\n"
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=o\r\n\r\n" + b"".join(inner % (n, n, n) for n in range(30)) + b"--o--\r\n"
    assert not take_apart(raw, ReadingContext(), LIMITS).unreadable


@pytest.mark.case(65)
@pytest.mark.parametrize("count", [101, 5000, 100_000])
def test_more_parts_than_the_cap_are_not_parsed(count: int) -> None:
    assert first_defect(parts(count)) == "too_many_mime_parts"


@pytest.mark.case(65)
def test_a_hundred_parts_are_read() -> None:
    assert len(take_apart(parts(99), ReadingContext(), LIMITS).content_types) == 99


@pytest.mark.case(65)
def test_delimiters_that_are_named_in_pieces_are_counted_all_the_same() -> None:
    head = b'Content-Type: multipart/mixed; boundary*0="a"; boundary*1="b"\r\n\r\n'
    assert first_defect(HEAD + head + b"--ab\r\n\r\nx\r\n" * 50_000) == "too_many_mime_parts"


def test_dashes_in_a_plain_text_are_no_parts() -> None:
    assert not take_apart(HEAD + b"\r\n" + b"-- a row of a table\r\n" * 5000, ReadingContext(), LIMITS).unreadable


HUGE_HEADS = [
    ("one megabyte", b"X-Long: " + b"a" * 1_000_000 + b"\r\n", "header_block_too_large"),
    ("200,000 fields", b"X: y\r\n" * 200_000, "header_block_too_large"),
    ("many short lines", b"X:\r\n" * 2100, "too_many_header_lines"),
    ("50,000 folds", b"Subject: a\r\n" + b" b\r\n" * 50_000, "header_block_too_large"),
    ("folds by tab", b"Subject: a\r\n" + b"\tb\r\n" * 2500, "too_many_header_lines"),
    ("lone CR as line end", b"Subject: a\r" + b"X:\r" * 2100, "too_many_header_lines"),
]


@pytest.mark.case(66)
@pytest.mark.parametrize(("more", "defect"), [row[1:] for row in HUGE_HEADS], ids=[row[0] for row in HUGE_HEADS])
def test_a_header_block_beyond_the_caps_is_not_parsed(more: bytes, defect: str) -> None:
    assert defect in take_apart(HEAD + more + b"\r\nI endorse.\r\n", ReadingContext(), LIMITS).defects


HOSTILE_FIELDS = [
    ("quotes in From", b"From: " + b'"' * 20_000, "address_header_too_large"),
    ("quotes in To", b"To: " + b'"' * 100_000, "header_block_too_large"),
    ("comments in To", b"To: " + b"(" * 16_000, "address_header_too_large"),
    ("folded Cc", b"Cc: " + b"a@b.example,\r\n " * 1000, "address_header_too_large"),
    ("commas in Reply-To", b"Reply-To: " + b"," * 9000, "address_header_too_large"),
    ("encoded words", b"Subject: " + b"=?utf-8?q?a?= " * 50_000, "header_block_too_large"),
    ("parameters", b"Content-Type: text/plain" + b"; a=b" * 20_000, "header_block_too_large"),
    ("a few parameters", b"Content-Type: text/plain" + b"; a=b" * 100, "structured_header_too_large"),
    ("RFC 2231 pieces", b"Content-Type: text/plain" + b"".join(b"; name*%d=a" % n for n in range(20_000)), "header_block_too_large"),
    (
        "RFC 2231 in a disposition",
        b"Content-Disposition: x" + b"".join(b"; filename*%d=a" % n for n in range(70)),
        "structured_header_too_large",
    ),
]


@pytest.mark.case(67)
@pytest.mark.parametrize(("field", "defect"), [row[1:] for row in HOSTILE_FIELDS], ids=[row[0] for row in HOSTILE_FIELDS])
def test_a_field_that_is_quadratic_in_a_parser_never_reaches_one(field: bytes, defect: str) -> None:
    assert defect in exceeded(*divide(unified(field + b"\r\n\r\nI endorse.\r\n")), LIMITS)


@pytest.mark.case(67)
def test_the_fields_of_inner_parts_are_capped_too() -> None:
    part = b"--b\r\nContent-Type: text/plain" + b"; a=b" * 5000 + b"\r\n\r\nx\r\n--b--\r\n"
    assert first_defect(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part) == "structured_header_too_large"


@pytest.mark.parametrize(("count", "loops"), [(50, False), (51, True), (101, True)])
def test_a_mail_that_passed_too_many_servers_loops(count: int, loops: bool) -> None:
    letter = take_apart(
        b"Received: by mx.example; Mon, 5 Oct 2026 10:00:00 +0000\r\n" * count + HEAD + b"\r\nhi\r\n", ReadingContext(), LIMITS
    )
    assert ("too_many_hops" in letter.defects, letter.unreadable, letter.hops) == (loops, loops, count)


def test_a_mail_of_empty_lines_in_many_multiparts_is_not_parsed() -> None:
    raw = multiparts(20).replace(b"I endorse.", b"\r\n" * 400_000)
    assert first_defect(raw) == "too_many_lines"


def test_what_is_beyond_a_cap_still_has_its_hashes() -> None:
    letter = take_apart(parts(5000), ReadingContext(), LIMITS)
    assert (len(letter.sha256), len(letter.content_hash), letter.reply, letter.author) == (64, 64, "", None)
