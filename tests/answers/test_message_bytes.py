"""The builder of mails: whatever it is given, only the planned headers come out."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.render import message

ANYTHING = st.text() | st.sampled_from(
    ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "=?utf-8?q?=0ABcc:_x?=", "\ud800", "\u2028x", " ", "", "\t", "\x85", "=?", "é" * 500]
)
BODIES = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["--=_0123456789", "=" * 500, "From x\n.\n..\nFrom y", "a\n" * 50, "x " * 800, " \n \t\n", "日本" * 300, "a\r\nb\rc"]
)
BOUNDARY = "=_0123456789abcdef"


def build(subject: str, name: str, text: str = "t", html: str = "<p>h</p>") -> bytes:
    headers = [
        ("From", message.mailbox(name, "endorse@heron-marsh.example")),
        ("To", message.addr_spec("ana@ports.example")),
        ("Subject", message.text_value(subject)),
    ]
    return message.build(headers, text, html, BOUNDARY)


@pytest.mark.case(112)
@given(subject=ANYTHING, name=ANYTHING)
def test_a_mail_has_exactly_the_planned_headers_and_one_recipient_or_is_refused(subject: str, name: str) -> None:
    try:
        raw = build(subject, name)
    except ValueError:
        return
    read = message_from_bytes(raw, policy=policy.compat32)
    assert read.keys() == ["From", "To", "Subject", "MIME-Version", "Content-Type"]
    assert getaddresses([read["To"]]) == [("", "ana@ports.example")]
    assert [address for _, address in getaddresses([read["From"]])] == ["endorse@heron-marsh.example"]
    assert str(make_header(decode_header(read["Subject"]))) == " ".join(word for word in subject.split(" ") if word)


@pytest.mark.case(112)
@given(value=ANYTHING)
def test_a_header_is_one_header_or_is_refused(value: str) -> None:
    try:
        line = message.header("X-Any", value)
    except ValueError:
        return
    assert re.fullmatch(rb"X-Any:[ -~]+(\r\n [ -~]+)*\r\n", line)
    assert all(part.strip() and len(part) <= 998 for part in line.split(b"\r\n")[:-1])


@given(text=BODIES, html=BODIES)
def test_both_bodies_come_back_as_they_were_and_no_line_is_too_long(text: str, html: str) -> None:
    raw = build("s", "n", text, html)
    read = message_from_bytes(raw, policy=policy.default)
    parts = [part.get_payload(decode=True) for part in read.iter_parts()]  # type: ignore[union-attr, unused-ignore]
    assert parts == ["\r\n".join(one.replace("\r", "\n").split("\n")).encode() for one in (text, html)]
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"") and raw.isascii()


@pytest.mark.parametrize(
    "bad", ["a\rb", "a\nb", "a\0b", "a\x7fb", "\ud800", "a\u2028b", "a\x85b"], ids=["CR", "LF", "NUL", "DEL", "surrogate", "LS", "NEL"]
)
def test_controls_and_surrogates_are_refused_everywhere(bad: str) -> None:
    for make in (message.text_value, lambda text: message.mailbox(text, "a@b.example"), lambda text: message.header("X", text)):
        with pytest.raises(ValueError, match="header"):
            make(bad)


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "1X", "Ü"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="header"):
        message.header(name, "v")


@pytest.mark.parametrize("value", ["", " ", "x" * 1200], ids=["empty", "blank", "one endless word"])
def test_a_header_without_a_fit_line_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        message.header("X", value)


def test_a_header_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        message.build([("To", "a@b.example"), ("TO", "c@d.example")], "t", "h", BOUNDARY)


@pytest.mark.parametrize("boundary", ["plain", "=_short", '=_0123456789"x', "=_0123456789\r\n"])
def test_a_boundary_that_could_stand_in_a_body_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        message.build([("To", "a@b.example")], "t", "h", boundary)


@pytest.mark.parametrize(("length", "lines"), [(76, 1), (77, 2)], ids=["as-long-as-a-line", "one-more"])
def test_a_header_is_folded_where_it_is_longer_than_a_line(length: int, lines: int) -> None:
    start = "Subject: Keep the marsh "
    line = message.header("Subject", start.partition(" ")[2] + "w" * (length - len(start)))
    assert line.count(b"\r\n") == lines and line.replace(b"\r\n", b"") == start.encode() + b"w" * (length - len(start))


@pytest.mark.parametrize(
    "text", ["reed " * 40, "\n" + "reed " * 40, "reed " * 40 + "\n"], ids=["no-line-end", "first-line-empty", "one-line"]
)
def test_a_long_line_is_broken_with_crlf(text: str) -> None:
    raw = message.build([("To", "a@b.example")], text, "h", "=_" + "b" * 24)
    assert raw.count(b"=\r\n") >= 2 and raw.count(b"\n") == raw.count(b"\r\n")


def test_a_long_subject_is_folded_and_unfolds_to_itself() -> None:
    subject = "Endorse " * 20 + "the marsh"
    line = message.header("Subject", message.text_value(subject))
    assert max(len(part) for part in line.split(b"\r\n")) <= 76
    assert line.replace(b"\r\n ", b" ") == f"Subject: {subject} ".rstrip().encode() + b"\r\n"


@pytest.mark.parametrize("text", ["Żółw " * 30, "雪" * 100, "😀" * 60, "é"], ids=["Polish", "Chinese", "emoji", "one"])
def test_encoded_words_are_short_and_cut_no_character(text: str) -> None:
    line = message.header("Subject", message.text_value(text))
    words = re.findall(r"=\?utf-8\?B\?[A-Za-z0-9+/=]+\?=", line.decode())
    assert words and all(len(word) <= 75 for word in words) and max(map(len, line.split(b"\r\n"))) <= 76
    assert all(str(make_header(decode_header(word))) for word in words)


def test_the_date_is_written_in_utc_and_needs_a_zone() -> None:
    assert message.date_value(datetime(2026, 11, 3, 9, 5, 7, tzinfo=UTC)) == "Tue, 03 Nov 2026 09:05:07 +0000"
    with pytest.raises(ValueError, match="zone"):
        message.date_value(datetime(2026, 11, 3, tzinfo=UTC).replace(tzinfo=None))
