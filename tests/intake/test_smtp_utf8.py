"""SMTPUTF8 (RFC 6531): addresses beyond ASCII, only where the client says so, only as UTF-8, and compared as people mean them."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import smtpdoor
from smtpdoor import MAIL, Dialogue, Listening, listening

from mailflow.intake.paths import canonical

OK = "250 2.1.0 OK"
UNKNOWN = "550 5.1.1 No such recipient here"


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    more = {"unterstützung@fluß.example": "delta", "支持@例子.example": "moor", "STRASSE@delta.example": "delta"}
    monkeypatch.setattr(smtpdoor, "CAMPAIGNS", {**smtpdoor.CAMPAIGNS, **more})
    with listening(tmp_path) as door:
        yield door


@pytest.fixture
def client(door: Listening) -> Iterator[Dialogue]:
    with door.client() as client:
        yield client.greet()


def test_smtputf8_is_offered_with_8bitmime(door: Listening) -> None:
    with door.client() as client:
        client.hear()
        offers = [line[4:] for line in client.say("EHLO client.example").splitlines()]
        assert "SMTPUTF8" in offers and "8BITMIME" in offers


@pytest.mark.parametrize(
    "sender", ["jürg@foo.example", "ann@fluß.example", '"jürg müller"@foo.example', "مثال@مثال.example", "نیم\u200cفاصله@x.example"]
)
def test_a_sender_beyond_ascii_is_kept_as_it_was_written(door: Listening, client: Dialogue, sender: str) -> None:
    assert client.say(f"MAIL FROM:<{sender}> BODY=8BITMIME SMTPUTF8") == OK
    client.say("RCPT TO:<endorse@delta.example>")
    client.say("DATA")
    client.send(MAIL + b".\r\n")
    assert client.hear() == "250 2.0.0 Kept"
    assert door.rows()[0].sender == sender


@pytest.mark.parametrize("options", ["", " BODY=8BITMIME", " SIZE=100"])
def test_a_sender_beyond_ascii_needs_the_parameter(client: Dialogue, options: str) -> None:
    assert client.say(f"MAIL FROM:<jürg@foo.example>{options}") == "550 5.6.7 A sender beyond ASCII needs SMTPUTF8"
    assert client.say("MAIL FROM:<ann@foo.example>") == OK


def test_a_recipient_beyond_ascii_needs_the_parameter(client: Dialogue) -> None:
    client.say("MAIL FROM:<ann@foo.example>")
    assert client.say("RCPT TO:<unterstützung@fluß.example>") == "553 5.6.7 A recipient beyond ASCII needs SMTPUTF8"
    assert client.say("RCPT TO:<endorse@delta.example>") == "250 2.1.5 OK"


def test_the_parameter_holds_for_one_mail(client: Dialogue) -> None:
    client.say("MAIL FROM:<ann@foo.example> SMTPUTF8")
    client.say("RSET")
    client.say("MAIL FROM:<ann@foo.example>")
    assert client.say("RCPT TO:<unterstützung@fluß.example>")[:9] == "553 5.6.7"


@pytest.mark.case(23)
@pytest.mark.parametrize(
    "sender",
    [b"j\xfcrg", b"\xc0\xaf", b"\xed\xa0\x80", b"a\xe2\x80\xa8b", b"a\xc2\x85b", b"a\xe2\x80\xaeb", b"a\xc2\xa0b", b"a\xef\xbb\xbfb"],
    ids=["latin-1", "overlong", "surrogate", "line-separator", "next-line", "bidi-override", "no-break-space", "byte-order-mark"],
)
def test_what_is_no_utf8_or_cannot_be_seen_is_refused(client: Dialogue, sender: bytes) -> None:
    assert client.say(b"MAIL FROM:<" + sender + b"@foo.example> SMTPUTF8")[:1] == "5"
    assert client.say("MAIL FROM:<ann@foo.example> SMTPUTF8") == OK


@pytest.mark.parametrize("line", ["MAIL FROM:<ann@foo.example> SMTPUTF8=1", "MAIL FROM:<ann@foo.example> SMTPÜTF8"])
def test_the_parameter_has_no_value(client: Dialogue, line: str) -> None:
    assert client.say(line)[:1] == "5"


def test_an_address_is_no_longer_in_octets_than_one_may_be(client: Dialogue) -> None:
    assert client.say(f"MAIL FROM:<{'ü' * 200}@foo.example> SMTPUTF8") == "501 5.5.4 Syntax: MAIL FROM:<address>"


@pytest.mark.case(60)
@pytest.mark.parametrize(
    ("recipient", "campaign"),
    [
        ("unterstützung@fluß.example", "delta"),
        (unicodedata.normalize("NFD", "unterstützung@fluß.example"), "delta"),
        ("UNTERSTÜTZUNG@FLUß.EXAMPLE", "delta"),
        ("unterstützung@xn--flu-7ka.example", "delta"),
        ("unterstützung+tag@fluß.example", "delta"),
        ("支持@例子.example", "moor"),
        ("straße@delta.example", "delta"),
        ("endorse@ｄelta.example", "delta"),
        ("unterstutzung@fluß.example", "delta"),
        ("unterstützung@fluss.example", None),
        ("еndorse@delta.example", None),
        ("endorse@délta.example", None),
    ],
    ids=["as-written", "NFD", "upper", "A-label", "tag", "han", "sharp-s", "full-width", "no-umlaut", "ss", "cyrillic", "accent"],
)
def test_a_campaign_is_found_however_its_address_is_composed(
    door: Listening, client: Dialogue, recipient: str, campaign: str | None
) -> None:
    client.say("MAIL FROM:<ann@foo.example> SMTPUTF8")
    answer = client.say(f"RCPT TO:<{recipient}>")
    if campaign is None:
        assert answer == UNKNOWN
        return
    client.say("DATA")
    client.send(MAIL + b".\r\n")
    assert (answer, client.hear()) == ("250 2.1.5 OK", "250 2.0.0 Kept")
    assert [(row.campaign, row.recipients) for row in door.rows()] == [(campaign, [recipient])]


@pytest.mark.parametrize("address", ["É.Ü+x@Fluß.Example", "Ꮿ@x.example", "ΰ@x.example", "a.b@googlemail.com", "İ@x.example"])
def test_the_canonical_form_is_its_own(address: str) -> None:
    assert canonical(canonical(address)) == canonical(address) != ""


@pytest.mark.parametrize("address", ["", "@", "a", "a@", "@x.example", "ü@", "ü@-.example", "ü@" + "ü" * 300 + ".example"])
def test_what_is_no_address_has_no_canonical_form(address: str) -> None:
    assert canonical(address) in ("", f"{address}") and not canonical(address).rpartition("@")[2].startswith("xn--")
