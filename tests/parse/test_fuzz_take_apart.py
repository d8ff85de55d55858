"""Never raises, for any bytes; and what comes out can be stored and shown."""

import random
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.letter import Letter
from mailflow.parse.take_apart import take_apart

MAILS = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "config/demo/mail").glob("*.eml"))]
CONTEXT = ReadingContext(statements=(("en", "Keep the river wild.\n\nIt is in use.\n\nWe ask the council to change course."),))
LIMITS = LimitSettings()
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069\n\t]")
SPICE = [
    b"\r", b"\n", b"\0", b"\r\n\r\n", b":", b";", b'"', b"(", b"<", b">", b"@", b"=?utf-8?b?////?=", b"=?", b"?=", b"charset=nope", b'charset="a\0b"', b"boundary=", b"--", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: x-uuencode\r\n", b'From: "', b"From: a@[", b"Message-ID: <", b"Date: Mon, 99 Foo", b"> ", b"-- \r\n", b"\xff\xfe", b"\xc3", b"\x1b$B",
    b"<div style=display:none>", b"<blockquote type=cite>", b"<!--", b"&#xD800;", b"charset=utf-7", b"charset=utf-16", b"format=flowed", b"Content-Type:", b"*0*=", b"\xe2\x80\xae", b" ", b"\t",
]  # fmt: skip


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for one in value for text in texts(one)] if isinstance(value, tuple) else []


def checked(raw: bytes) -> Letter:
    letter = take_apart(raw, CONTEXT, LIMITS)
    for text in texts(astuple(letter)):
        text.encode("utf-8")
        assert not BAD.search(text)
    for text in [letter.author or "", letter.author_name, letter.subject, letter.message_id, *texts(letter.headers), *letter.references]:
        assert not TURNS.search(text)
    assert letter.author is None or (letter.author.count("@") == 1 and "from" in dict(letter.headers))
    return letter


def mutant(chance: random.Random) -> bytes:
    raw = bytearray(chance.choice(MAILS))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(raw) + 1) if chance.random() < 0.5 else chance.randrange(min(len(raw), 1500) + 1)
        match chance.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                raw[at:at] = chance.choice(SPICE) * chance.choice((1, 1, 1, 5, 300))
            case 2:
                del raw[at : at + chance.choice((1, 4, 60, 900))]
            case 3:
                raw[at:at] = raw[at : at + chance.choice((10, 200, 2000))]
            case 4:
                raw[at:] = chance.choice(MAILS)[at:]
            case _:
                old, new = chance.choice(
                    (
                        (b"\r\n", b"\n"),
                        (b"\r\n", b"\r"),
                        (b"=", b"=="),
                        (b"utf-8", b"hex"),
                        (b"--", b"-"),
                        (b"plain", b"html"),
                        (b"text/", b"message/"),
                    )
                )
                raw = raw.replace(old, new)
    return bytes(raw)


@pytest.mark.case(81)
@given(st.binary(max_size=4000))
def test_any_bytes_give_a_letter(raw: bytes) -> None:
    checked(raw)


@pytest.mark.case(81)
@given(st.lists(st.one_of(st.sampled_from(SPICE), st.sampled_from([b"From: a@x.example\r\n", b"Subject: x\r\n", b"I endorse.\r\n", b"\r\n"]), st.binary(max_size=6)), max_size=60).map(b"".join))  # fmt: skip
def test_any_mixture_of_what_mails_are_made_of_gives_a_letter(raw: bytes) -> None:
    checked(raw)


@pytest.mark.case(81)
@given(st.data())
def test_a_mail_with_any_field_gives_a_letter(data: st.DataObject) -> None:
    name = data.draw(
        st.sampled_from(
            [
                b"From",
                b"To",
                b"Subject",
                b"Date",
                b"Message-ID",
                b"References",
                b"Content-Type",
                b"Content-Transfer-Encoding",
                b"Content-Disposition",
                b"Received",
            ]
        )
    )
    checked(name + b": " + data.draw(st.binary(max_size=200)) + b"\r\n" + MAILS[0])


@pytest.mark.case(81)
def test_five_hundred_mutants_of_real_mails_give_letters() -> None:
    chance = random.Random(20261005)
    assert all(len(checked(mutant(chance)).sha256) == 64 for _ in range(500))


@pytest.mark.long
@pytest.mark.case(81)
@pytest.mark.timeout(600)
def test_twenty_thousand_mutants_of_real_mails_give_letters() -> None:
    chance = random.Random(81)
    assert all(len(checked(mutant(chance)).sha256) == 64 for _ in range(20_000))


@pytest.mark.case(81)
@pytest.mark.parametrize("number", range(0, len(MAILS), 4))
def test_a_mail_cut_off_anywhere_gives_a_letter(number: int) -> None:
    raw = MAILS[number]
    assert all(checked(raw[:end]) for end in range(0, len(raw), 37))


def steps(raw: bytes) -> int:
    """How many lines of Python run while a mail is taken apart: work that can be counted, the same on every machine."""
    count = 0

    def line(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += 1
        return line

    worker = threading.Thread(target=take_apart, args=(raw, CONTEXT, LIMITS))
    before = sys.gettrace()
    threading.settrace(line)  # type: ignore[arg-type, unused-ignore]
    try:
        worker.start()
        worker.join()
    finally:
        threading.settrace(before)  # type: ignore[arg-type, unused-ignore]
    return count


HEAD = b"From: a@x.example\r\nTo: b@x.example\r\n"
GROWING: list[tuple[str, Callable[[int], bytes]]] = [
    ("plain lines", lambda n: HEAD + b"\r\n" + b"I endorse your letter.\r\n" * n),
    ("quoted lines", lambda n: HEAD + b"\r\n" + b"> old\r\nnew\r\n" * n),
    ("attributions", lambda n: HEAD + b"\r\n" + b"On 5 Oct 2026 10:23, a <a@x.example> wrote:\r\n> old\r\n" * n),
    ("colons", lambda n: HEAD + b"\r\n" + b"From: a:\r\n" * n),
    ("app footers", lambda n: HEAD + b"\r\n" + b"Sent from my iPhone\r\n\r\n" * n),
    ("notices", lambda n: HEAD + b"\r\n" + (b"confidential addressee disclaimer in error " * 4 + b"\r\n\r\n") * (n // 4)),
    ("signatures", lambda n: HEAD + b"\r\n" + b"-- \r\na\r\n" * n),
    ("HTML blocks", lambda n: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>a<p>b</p></div>" * n),
    ("HTML nesting", lambda n: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * (n // 2)),
    ("HTML quotes", lambda n: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<blockquote type=cite>a</blockquote>b" * n),
    ("encoded words", lambda n: HEAD + b"Subject: " + b"=?utf-8?q?a?= " * (n // 4) + b"\r\n\r\nx"),
    ("addressees", lambda n: HEAD + b"Cc: " + b"a@x.example, " * (n // 4) + b"\r\n\r\nx"),
    ("From with quotes", lambda n: b"From: " + b'"a" ' * (n // 2) + b"\r\n\r\nx"),
    ("fields", lambda n: HEAD + b"X-A: b\r\n" * (n // 2) + b"\r\nx"),
    ("lines of a multipart", lambda n: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + b"a\r\n" * n),
    ("base64 lines", lambda n: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"SSBlbmRvcnNl\r\n" * n),
]


@pytest.mark.case(77)
@pytest.mark.parametrize("build", [row[1] for row in GROWING], ids=[row[0] for row in GROWING])
def test_four_times_the_mail_is_about_four_times_the_work(build: Callable[[int], bytes]) -> None:
    steps(build(10))
    little = steps(build(400))
    assert little > 100 and steps(build(1600)) < 5 * little + 2000
