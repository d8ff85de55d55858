"""Exactly one author, or nobody: the same answer on every version of Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse import parse
from mailflow.parse.addresses import a_label, addr_spec, all_in, author_of
from mailflow.parse.knowledge import load_lexicon
from mailflow.parse.take_apart import take_apart
from mailflow.parse.text import Guesser


def author(*head: bytes) -> str | None:
    return take_apart(b"\r\n".join(head) + b"\r\nTo: x@delta.example\r\n\r\nI endorse.\r\n", ReadingContext(), LimitSettings()).author


NOBODY = [
    pytest.param([b"From: a@x.example", b"From: b@y.example"], id="two From fields", marks=pytest.mark.case(29)),
    pytest.param([b"From: a@x.example", b"from: a@x.example"], id="the same From twice", marks=pytest.mark.case(29)),
    pytest.param([b" From: a@x.example"], id="a space before the first field", marks=pytest.mark.case(30)),
    pytest.param([b" X: y", b"From: a@x.example"], id="another folded first line", marks=pytest.mark.case(30)),
    pytest.param([b"From : a@x.example"], id="a space before the colon", marks=pytest.mark.case(31)),
    pytest.param([b"From\t: a@x.example"], id="a tab before the colon", marks=pytest.mark.case(31)),
    pytest.param([b"From : a@x.example", b"From: b@y.example"], id="From with and without a space", marks=pytest.mark.case(31)),
    pytest.param([b"From", b" : a@x.example"], id="a folded field name", marks=pytest.mark.case(32)),
    pytest.param([b"Subject: x", b"From", b" : a@x.example", b"From: b@y.example"], id="a folded name above a good one", marks=pytest.mark.case(32)),
    pytest.param([b"Sender: a@x.example"], id="Sender instead of From", marks=pytest.mark.case(33)),
    pytest.param([b"Resent-From: a@x.example"], id="Resent-From instead of From", marks=pytest.mark.case(33)),
    pytest.param([b"From: a@x.example, b@y.example"], id="two addresses", marks=pytest.mark.case(34)),
    pytest.param([b"From: A <a@x.example>, B <b@y.example>"], id="two mailboxes", marks=pytest.mark.case(34)),
    pytest.param([b"From: a@x.example b@y.example"], id="two addresses, no comma", marks=pytest.mark.case(34)),
    pytest.param([b"From: =?utf-8?q?a=40x=2Eexample?="], id="an encoded word as address", marks=pytest.mark.case(35)),
    pytest.param([b"From: A <=?utf-8?b?YUB4LmV4YW1wbGU=?=>"], id="an encoded word in brackets", marks=pytest.mark.case(35)),
    pytest.param([b"From: <@relay.example:a@x.example>"], id="a source route", marks=pytest.mark.case(36)),
    pytest.param([b"From: <@a.example,@b.example:a@x.example>"], id="a long source route", marks=pytest.mark.case(36)),
    pytest.param([b"From: a\\,b@x.example"], id="a quoted pair", marks=pytest.mark.case(37)),
    pytest.param([b"From: admin@x.example\\,<b@y.example>"], id="a quoted pair before brackets", marks=pytest.mark.case(37)),
    pytest.param([b'From: "a\\"b"@x.example'], id="a quoted pair in a local part", marks=pytest.mark.case(37)),
    pytest.param([b"From: x:a@x.example,b@y.example;"], id="a group", marks=pytest.mark.case(38)),
    pytest.param([b"From: x:a@x.example;"], id="a group of one", marks=pytest.mark.case(38)),
    pytest.param([b"From: undisclosed:;"], id="an empty group", marks=pytest.mark.case(38)),
    pytest.param([b"From: <a@attack.example>admin@legit.example"], id="an address behind the brackets", marks=pytest.mark.case(39)),
    pytest.param([b"From: <a@x.example> <b@y.example>"], id="two pairs of brackets", marks=pytest.mark.case(39)),
    pytest.param([b"From: a@x.example <b@y.example>"], id="an address as name", marks=pytest.mark.case(39)),
    pytest.param([b"From: a@x.example."], id="a trailing dot", marks=pytest.mark.case(39)),
    pytest.param([b"From: a(comment)@x.example"], id="a comment in the address", marks=pytest.mark.case(39)),
    pytest.param([b"From: <a@x.example(comment)>"], id="a comment in the brackets", marks=pytest.mark.case(39)),
    pytest.param([b"From: (a@x.example)"], id="nothing but a comment", marks=pytest.mark.case(39)),
    pytest.param([b"From: a@b@x.example"], id="two at signs", marks=pytest.mark.case(39)),
    pytest.param([b"From: a@[192.0.2.1]"], id="an address literal"),
    pytest.param([b"From: a..b@x.example"], id="two dots"),
    pytest.param([b"From: .a@x.example"], id="a leading dot"),
    pytest.param([b"From: a@localhost"], id="a domain of one label"),
    pytest.param([b"From: a@-x.example"], id="a label that starts with a hyphen"),
    pytest.param([b"From: a@" + b"x" * 64 + b".example"], id="a label of 64"),
    pytest.param([b"From: " + b"a" * 65 + b"@x.example"], id="a local part of 65"),
    pytest.param([b"From: a@x\0.example"], id="a NUL"),
    pytest.param([b"From: a\xe2\x80\xae@x.example"], id="a mark of direction"),
    pytest.param([b'From: "A <a@x.example>'], id="an open quote"),
    pytest.param([b"From: (A <a@x.example>"], id="an open comment"),
    pytest.param([b"From: A <a@x.example"], id="an open bracket"),
    pytest.param([b"From: >a@x.example<"], id="brackets the wrong way"),
    pytest.param([b"From:"], id="empty"),
    pytest.param([b"From: <>"], id="null"),
    pytest.param([b"From: Ana"], id="a name only"),
    pytest.param([b"From: a@x.example", b"no field at all", b"Subject: x"], id="a line that is no field"),
    pytest.param([b"X-A: b\rFrom: evil@x.example", b"From: a@y.example"], id="a From behind a lone CR", marks=pytest.mark.case(29)),
]  # fmt: skip


@pytest.mark.parametrize("head", NOBODY)
def test_what_two_programs_may_read_differently_has_no_author(head: list[bytes]) -> None:
    assert author(*head) is None


SOMEBODY = [
    ("plain", b"a@x.example", "a@x.example", ""),
    ("brackets", b"<a@x.example>", "a@x.example", ""),
    ("name", b"Ana Melo <a@x.example>", "a@x.example", "Ana Melo"),
    ("quoted name", b'"Melo, Ana" <a@x.example>', "a@x.example", "Melo, Ana"),
    ("quote in a quoted name", b'"Ana \\"Nan\\" Melo" <a@x.example>', "a@x.example", 'Ana "Nan" Melo'),
    ("old form", b"a@x.example (Ana Melo)", "a@x.example", "Ana Melo"),
    ("comment behind", b"Ana <a@x.example> (home)", "a@x.example", "Ana"),
    ("encoded name", b"=?utf-8?q?Ana_Mel=C3=B5?= <a@x.example>", "a@x.example", "Ana Melõ"),
    ("encoded name in quotes", b'"=?utf-8?q?Ana_Mel=C3=B5?=" <a@x.example>', "a@x.example", "Ana Melõ"),
    ("encoded comma", b"=?utf-8?q?Melo=2C_Ana?= <a@x.example>", "a@x.example", "Melo, Ana"),
    ("no space", b"Ana<a@x.example>", "a@x.example", "Ana"),
    ("apostrophe", b"Sean O'Neill <s.o'neill@x.example>", "s.o'neill@x.example", "Sean O'Neill"),
    ("domain in capitals", b"Ana.Melo@X.EXAMPLE", "Ana.Melo@x.example", ""),
    ("plus", b"a+tag@x.example", "a+tag@x.example", ""),
    ("quoted local part", b'"a.b"@x.example', '"a.b"@x.example', ""),
    ("international domain", "a@bücher.example".encode(), "a@xn--bcher-kva.example", ""),
    ("international local part", "анна@почта.example".encode(), "анна@xn--80a1acny.example", ""),
    ("raw UTF-8 name", "Ana Melõ <a@x.example>".encode(), "a@x.example", "Ana Melõ"),
    ("raw Latin-1 name", "José Núñez <j@x.example>".encode("latin-1"), "j@x.example", "José Núñez"),
    ("brackets in a quoted name", b'"<Ana>" <a@x.example>', "a@x.example", "<Ana>"),
    ("folded", b"Ana\r\n Melo\r\n <a@x.example>", "a@x.example", "Ana Melo"),
]


@pytest.mark.parametrize(("value", "address", "name"), [row[1:] for row in SOMEBODY], ids=[row[0] for row in SOMEBODY])
def test_one_mailbox_is_read_with_its_name(value: bytes, address: str, name: str) -> None:
    letter = take_apart(b"From: " + value + b"\r\n\r\nhi\r\n", ReadingContext(), LimitSettings())
    assert (letter.author, letter.author_name) == (address, name)


@pytest.mark.case(40)
@pytest.mark.parametrize("name", ['"ceo@good.example"', "=?utf-8?q?ceo=40good=2Eexample?=", '"CEO <ceo@good.example>"'])
def test_a_name_that_is_an_address_is_nobodys_name(name: str) -> None:
    mail = parse(f"From: {name} <a@evil.example>\r\n\r\nI endorse.\r\n".encode(), ReadingContext(), load_lexicon(), LimitSettings())
    assert (mail.author, mail.signers) == ("a@evil.example", ())


def test_a_name_that_is_an_address_never_becomes_the_author() -> None:
    assert author_of([b'"ceo@good.example" <a@evil.example>'], Guesser()) == ("a@evil.example", "ceo@good.example")


@pytest.mark.parametrize("domain", ["ⓔxample.example", "EXAMPLE.example", "example.EXAMPLE"])
def test_one_domain_written_in_several_ways_is_one(domain: str) -> None:
    assert a_label(domain) == "example.example"


@pytest.mark.parametrize(
    "domain", ["", ".", "x", "x..example", "x.example.", "a" * 300 + ".example", "ü" * 300 + ".example", "x y.example", "x!.example"]
)
def test_what_is_no_domain_has_no_a_label(domain: str) -> None:
    assert a_label(domain) == ""


def test_addressees_are_all_that_to_and_cc_name() -> None:
    values = [b"A <a@x.example>, b@Y.example", b'"c@no.example" <c@z.example>; list:d@x.example;', b"a@x.example"]
    assert all_in(values, Guesser()) == ("a@x.example", "b@y.example", "c@no.example", "c@z.example", "d@x.example")


def test_a_mail_to_thousands_names_a_hundred() -> None:
    assert len(all_in([b", ".join(b"a%d@x.example" % n for n in range(5000))], Guesser())) == 100


@given(st.text(max_size=80))
def test_what_is_taken_for_an_address_has_one_at_sign_and_no_space(text: str) -> None:
    spec = addr_spec(text)
    assert spec is None or (spec.count("@") == 1 and not any(letter.isspace() or letter in "<>,;:()" for letter in spec))


@given(st.binary(max_size=120))
def test_the_author_is_the_same_when_it_is_read_again(value: bytes) -> None:
    found, _ = author_of([value], Guesser())
    assert found is None or author_of([found.encode()], Guesser())[0] == found
