"""Header fields as senders really write them."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.headers import message_id, message_ids, moment, split, text_of
from mailflow.parse.letter import Letter
from mailflow.parse.take_apart import take_apart
from mailflow.parse.text import Guesser


def read(head: bytes, body: bytes = b"hi") -> Letter:
    return take_apart(b"From: a@x.example\r\n" + head + b"\r\n\r\n" + body, ReadingContext(), LimitSettings())


def subject(value: bytes) -> str:
    return read(b"Subject: " + value).subject


WORDS = [
    ("plain", b"I endorse", "I endorse"),
    ("q", b"=?utf-8?q?Ja=2C_ich_unterst=C3=BCtze?=", "Ja, ich unterstütze"),
    ("b", b"=?utf-8?b?SmE=?=", "Ja"),
    ("space between two words is none", b"=?utf-8?q?Ja?= =?utf-8?q?wohl?=", "Jawohl"),
    ("fold between two words is none", b"=?utf-8?q?Ja?=\r\n =?utf-8?q?wohl?=", "Jawohl"),
    ("space beside plain text is one", b"=?utf-8?q?Ja?= wohl", "Ja wohl"),
    ("no space beside plain text", b"Re:=?utf-8?q?Ja?=", "Re:Ja"),
    ("split inside a letter, q", b"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
    ("split inside a letter, b", b"=?utf-8?b?5Lit5Zu9?=\r\n =?utf-8?b?5Lq6?=", "中国人"),
    ("split inside a CJK letter", b"=?utf-8?q?=E4=B8?= =?utf-8?q?=AD?=", "中"),
    ("two charsets", b"=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "üü"),
    ("b and q mixed", b"=?utf-8?b?w7w=?= =?utf-8?q?=C3=BC?=", "üü"),
    ("language tag (RFC 2231)", b"=?utf-8*de?q?=C3=BC?=", "ü"),
    ("base64 without padding", b"=?utf-8?b?SmE?=", "Ja"),
    ("base64 with a stray letter", b"=?utf-8?b?SmE=!?=", "Ja"),
    ("spaces in q", b"=?utf-8?q?Ja wohl?=", "Ja wohl"),
    ("unknown charset", b"=?x-nope?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("a lie: UTF-8 called Latin-1", b"=?iso-8859-1?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("gb2312 beyond gb2312", b"=?gb2312?b?" + base64.b64encode("镕".encode("gb18030")) + b"?=", "镕"),
    ("iso-2022-jp", b"=?iso-2022-jp?b?" + base64.b64encode("賛同".encode("iso2022_jp")) + b"?=", "賛同"),
    ("koi8-r", b"=?koi8-r?b?4M7J?=", "Юни"),
    ("not one at all", b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
    ("empty", b"=?utf-8?q??=", ""),
    ("raw UTF-8", "Grüße".encode(), "Grüße"),
    ("raw Latin-1", "Grüße".encode("latin-1"), "Grüße"),
    ("tab and spaces", b"a\t\tb   c", "a b c"),
    ("emoji", b"=?utf-8?b?8J+MiQ==?=", "🌉"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_a_subject_reads_as_it_was_meant(value: bytes, text: str) -> None:
    assert subject(value) == text


def test_a_name_split_over_two_encoded_words_has_no_stray_space() -> None:
    raw = b"=?utf-8?b?2KzZhdi52YrYqSDYp9mE2LXZitin?= =?utf-8?b?2K/ZitmG?= <a@x.example>"
    assert take_apart(b"From: " + raw + b"\r\n\r\nhi", ReadingContext(), LimitSettings()).author_name == "جمعية الصيادين"


@pytest.mark.case(71)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"=?utf-8?q?a=0D=0ABcc=3A_x=40y.example?=", id="CRLF"),
        pytest.param(b"=?utf-8?q?a=00b?=", id="NUL"),
        pytest.param(b"=?utf-8?b?////?=", id="what gives surrogates in the standard parser"),
        pytest.param(b"=?utf-8?q?=ED=A0=80?=", id="an encoded surrogate"),
        pytest.param(b"=?utf-8?q?=C0=AF?=", id="overlong"),
        pytest.param(b"=?utf-7?q?+ADw-script+AD4-?=", id="UTF-7"),
        pytest.param(b"=?unicode_escape?q?=5Cx00?=", id="unicode_escape"),
        pytest.param(b"=?utf-8?q?=E2=80=AEevil=E2=81=A6?=", id="marks of direction"),
        pytest.param(b"=?utf-8?q?=C2=85=C2=9B?=", id="C1 controls"),
        pytest.param(b"=?utf-16?b?AAAA2AAA?=", id="UTF-16 with half a pair"),
        pytest.param(b"=?hex?q?41?=", id="no charset"),
    ],
)
def test_an_encoded_word_gives_clean_text_of_one_line(value: bytes) -> None:
    text = subject(value)
    text.encode("utf-8")
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u202e\u2066<>" for letter in text)


@pytest.mark.case(71)
def test_a_bomb_of_encoded_words_is_left_as_it_stands_from_the_four_hundredth_on() -> None:
    text = text_of(b"=?a?q?b?= " * 6000, Guesser())
    assert text.startswith("b" * 400) and "=?a?q?b?=" in text


@pytest.mark.case(69)
def test_many_unknown_charsets_are_guessed_a_few_times_only() -> None:
    guesser = Guesser()
    text_of(b"".join(b"=?x-%d?b?4M7J4M7J4M7J4M7J?= x " % n for n in range(300)), guesser)
    assert guesser.left == 0


IDS = [
    ("<a.b@x.example>", "a.b@x.example"), ("a@x", "a@x"), ("<a@[192.0.2.1]>", "a@[192.0.2.1]"), ("<a+b/c=d@x.example>", "a+b/c=d@x.example"),
    ("", ""), ("<>", ""), ("<", ""), ("<a>", ""), ("<a@b@c>", ""), ("<a b@x>", ""), ("<a@x> <b@y>", ""), ("<ü@x.example>", ""), ("<a@x.example", ""),
    ("<@x>", ""), ("<a@>", ""), (f"<{'a' * 245}@x.ex>", ""), ("<a@x\x00y>", ""),
]  # fmt: skip


@pytest.mark.case(83)
@pytest.mark.parametrize(("value", "plain"), IDS, ids=[repr(row[0])[:30] for row in IDS])
def test_a_message_id_is_plainly_one_or_none(value: str, plain: str) -> None:
    assert message_id(value) == plain


@pytest.mark.case(83)
@pytest.mark.parametrize(
    "head", [b"X: y", b"Message-ID:", b"Message-ID: <" + b"a" * 10_000 + b"@x>", b"Message-ID: <"], ids=["none", "empty", "long", "open"]
)
def test_a_mail_without_a_usable_message_id_is_read(head: bytes) -> None:
    assert (read(head).message_id, read(head).reply) == ("", "hi")


@pytest.mark.case(83)
def test_two_message_ids_are_a_defect() -> None:
    assert "duplicate_message_id" in read(b"Message-ID: <a@x>\r\nMessage-ID: <b@x>").defects


def test_references_are_the_last_fifty_that_are_plain() -> None:
    found = message_ids(" ".join(f"<{n}@x> junk <bad id@x>" for n in range(80)))
    assert (len(found), found[-1]) == (50, "79@x")


SINGLE = [b"From", b"Sender", b"Reply-To", b"To", b"Cc", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type"]


@pytest.mark.parametrize("name", SINGLE, ids=[name.decode() for name in SINGLE])
def test_a_field_that_may_stand_once_and_stands_twice_is_named(name: bytes) -> None:
    _, defects = split(name + b": 1.0\n" + name.upper() + b": 1.0")
    assert f"duplicate_{name.decode().lower().replace('-', '_')}" in defects


def test_received_may_stand_as_often_as_it_likes() -> None:
    assert split(b"Received: a\nReceived: b")[1] == []


LINE_ENDS = [("CRLF", b"\r\n"), ("LF", b"\n"), ("CR", b"\r"), ("CR CR LF", b"\r\r\n")]


@pytest.mark.parametrize("end", [row[1] for row in LINE_ENDS], ids=[row[0] for row in LINE_ENDS])
def test_line_ends_of_any_kind_part_header_and_body(end: bytes) -> None:
    letter = take_apart(end.join([b"From: a@x.example", b"Subject: x", b" y", b"", b"one", b"two"]), ReadingContext(), LimitSettings())
    assert (letter.subject, letter.reply) == ("x y", "one\ntwo")


def test_mixed_line_ends_part_header_and_body() -> None:
    letter = take_apart(b"From: a@x.example\nSubject: x\r\nTo: b@y.example\n\r\none\r\ntwo\n", ReadingContext(), LimitSettings())
    assert (letter.subject, letter.reply, letter.addressees) == ("x", "one\ntwo", ("b@y.example",))


def test_a_lone_cr_in_the_header_is_named() -> None:
    assert "bare_cr_in_header" in read(b"X-A: a\rSubject: injected").defects


def test_a_lone_cr_in_the_body_is_not_the_headers_fault() -> None:
    assert read(b"Subject: x", b"one\rtwo" + b"\r" * 3).defects == ()


@pytest.mark.parametrize(
    "above",
    [b"From a@x.example Mon Oct  5 10:00:00 2026\r\n", b">From a@x Mon Oct  5 10:00:00 2026\r\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\n"],
    ids=["mbox line", "quoted mbox line", "empty lines", "byte order mark", "LF"],
)  # fmt: skip
def test_what_programs_put_above_the_header_is_no_defect(above: bytes) -> None:
    letter = take_apart(above + b"From: a@x.example\r\nSubject: x\r\n\r\nhi", ReadingContext(), LimitSettings())
    assert (letter.author, letter.subject, letter.reply, letter.defects) == ("a@x.example", "x", "hi", ())


DATES = [
    ("Mon, 5 Oct 2026 10:00:00 +0200", datetime(2026, 10, 5, 8, tzinfo=UTC)),
    ("5 Oct 2026 10:00 GMT", datetime(2026, 10, 5, 10, tzinfo=UTC)),
    ("Mon, 5 Oct 2026 10:00:00 +0200 (CEST)", datetime(2026, 10, 5, 8, tzinfo=UTC)),
    ("Mon, 5 Oct 2026 10:00:00 -0000", datetime(2026, 10, 5, 10, tzinfo=UTC)),
    ("Mon, 5 Oct 2026 10:00:60 +0000", datetime(2026, 10, 5, 10, 0, 59, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "when"), DATES, ids=[row[0] for row in DATES])
def test_a_date_is_read_in_utc(value: str, when: datetime) -> None:
    assert moment(value) == when


NO_DATES = ["", "x", "Mon, 99 Oct 2026 10:00:00 +0200", "Mon, 5 Oct 99999 10:00:00 +0000", "31 Dec 9999 23:00:00 -2300", "5 Oct 2026 10:00:00 +9999999", "5" * 300, "0 0 0 0", "Mon, 5 Oct 2026 25:00"]  # fmt: skip


@pytest.mark.parametrize("value", NO_DATES)
def test_what_is_no_date_is_none(value: str) -> None:
    assert moment(value) is None


def test_the_time_of_the_topmost_received_is_when_it_was_relayed() -> None:
    letter = read(b"Received: by a; Mon, 5 Oct 2026 10:00:00 +0200\r\nReceived: by b; Mon, 5 Oct 2026 09:00:00 +0200")
    assert (letter.relayed_at, letter.hops) == (datetime(2026, 10, 5, 8, tzinfo=UTC), 2)


def test_fields_keep_order_and_repetition() -> None:
    letter = read(b"Delivered-To: a@x.example\r\nX-Original-To: b@x.example\r\nDelivered-To: c@x.example")
    assert letter.values("delivered-to") == ["a@x.example", "c@x.example"] and letter.value("x-original-to") == "b@x.example"


@given(st.binary(max_size=300))
def test_any_value_gives_clean_text_of_one_line(value: bytes) -> None:
    text = text_of(value, Guesser())
    text.encode("utf-8")
    assert "\n" not in text and text == text.strip() and not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)


@given(st.text(max_size=60))
def test_any_text_gives_a_date_or_none(value: str) -> None:
    found = moment(value)
    assert found is None or found.tzinfo is UTC
