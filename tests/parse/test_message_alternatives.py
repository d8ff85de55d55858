"""Two forms of one mail: which is read, and whether they say the same."""

import pytest

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.letter import Letter
from mailflow.parse.take_apart import take_apart

HEAD = b"From: ana@delta.example\r\nTo: list@delta.example\r\nSubject: yes\r\n"


def read(rest: bytes) -> Letter:
    return take_apart(HEAD + rest, ReadingContext(), LimitSettings())


def multi(kind: str, *parts: bytes, more: str = "") -> Letter:
    body = b"".join(b"\r\n--b\r\n" + part for part in parts)
    return read(f'Content-Type: multipart/{kind}; boundary="b"{more}\r\n\r\n'.encode() + body + b"\r\n--b--\r\n")


def part(type_: str, text: str, more: str = "") -> bytes:
    return f"Content-Type: {type_}; charset=utf-8\r\n{more}\r\n{text}".encode()


ALTERNATIVES = [
    pytest.param("I do NOT endorse.", "<p>I endorse.</p>", True, id="not in the text", marks=pytest.mark.case(74)),
    pytest.param("I endorse.", "<p>I do not endorse.</p>", True, id="not in the HTML", marks=pytest.mark.case(74)),
    pytest.param("Ich unterstütze das.", "<p>Ich unterstütze das nicht.</p>", True, id="a single word", marks=pytest.mark.case(74)),
    pytest.param(
        "I endorse " + "and so on " * 60,
        "<p>I decline " + "for good, nothing, never ever " * 60,
        True,
        id="two long texts",
        marks=pytest.mark.case(74),
    ),
    pytest.param("I endorse.", "<p>I <b>endorse</b>.</p>", False, id="emphasis"),
    pytest.param("I endorse.\n\nAna", "<div>I endorse.</div><div><br></div><div>Ana</div>", False, id="layout"),
    pytest.param("See <https://x.example/a> now", '<a href="https://x.example/a">See</a> now', False, id="links"),
    pytest.param("*I* endorse [image: logo]", "<b>I</b> endorse <img src=x>", False, id="pictures"),
    pytest.param(
        "I endorse.\n\n-- \nAna\nDelta", '<p>I endorse.</p><div class="gmail_signature">Ana<br>Delta</div>', False, id="signature"
    ),
    pytest.param("I endorse.\n\n> old text", "<p>I endorse.</p><blockquote type=cite>old words</blockquote>", False, id="quotes differ"),
    pytest.param("Endorsed", "<p>En<b>dor</b>sed</p>", False, id="a word in pieces"),
    pytest.param("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>", False, id="numbers of a list"),
    pytest.param("Grüße", "<p>Gr&uuml;&szlig;e</p>", False, id="entities"),
    pytest.param("co\u00adoperate", "<p>cooperate</p>", False, id="soft hyphen"),
]


@pytest.mark.parametrize(("plain", "html", "differ"), ALTERNATIVES)
def test_alternatives_are_compared_by_their_words(plain: str, html: str, differ: bool) -> None:
    assert multi("alternative", part("text/plain", plain), part("text/html", html)).html_differs is differ


def test_the_plain_text_is_read_where_both_say_the_same() -> None:
    assert (
        multi("alternative", part("text/plain", "I endorse.\n  Ana"), part("text/html", "<p>I endorse. Ana</p>")).reply
        == "I endorse.\n  Ana"
    )


def test_the_html_is_read_where_the_text_is_a_stub() -> None:
    html = "<p>" + "I endorse your letter with all my heart and hope for the best. " * 3 + "</p>"
    letter = multi("alternative", part("text/plain", "Please view this in HTML."), part("text/html", html))
    assert letter.reply.startswith("I endorse your letter")


@pytest.mark.parametrize("stub", ["", " \r\n\r\n", "\u00a0"])
def test_the_html_is_read_where_the_text_is_empty(stub: str) -> None:
    assert multi("alternative", part("text/plain", stub), part("text/html", "<p>I endorse.</p>")).reply == "I endorse."
