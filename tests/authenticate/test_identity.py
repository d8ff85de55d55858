"""One author, the same for every program that reads the mail (F7, cases 29 to 43 and 46)."""

from email import message_from_bytes
from email.utils import parseaddr

import dkim
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from signed import MAIL, NOW, PEM, judge, signed, table

from mailflow.authenticate.headers import author_of, split
from mailflow.authenticate.signing import sign
from mailflow.config.settings import LimitSettings
from mailflow.model.mail import Assurance, ReadingContext
from mailflow.parse.take_apart import take_apart

FROM = b"From: Ann <ann@foo.example>\r\n"
ANN = "ann@foo.example"
EVIL = "evil@bad.example"
pieces = st.sampled_from(
    [
        "\r",
        "\n",
        "\r\n",
        " ",
        "\t",
        "\x00",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
        "\u2028",
        ":",
        ";",
        "a",
        "X-A:",
        "From:",
        "From ",
        "FROM :",
        "Sender:",
        "evil@bad.example",
        "<evil@bad.example>",
        "Subject:",
        "Content-Type: text/html",
        "\r\n\r\n",
        "\n\r\n",
        "\r\r\n",
        "=?utf-8?q?=0d=0a?=",
    ]
)
prefixes = st.lists(pieces, max_size=8).map("".join)


def read_by_the_standard_library(raw: bytes) -> list[str]:
    return [parseaddr(str(value))[1] for value in message_from_bytes(raw).get_all("From", [])]


def read_by_dkimpy(raw: bytes) -> list[bytes]:
    return [value.strip() for name, value in dkim.rfc822_parse(raw)[0] if name.lower() == b"from"]


@given(prefix=prefixes, above=st.sampled_from([b"DKIM-Signature:", b"From:", b"To:"]), lf=st.booleans())
@example(prefix="X-A: a\rFrom: evil@bad.example\rSubject: I ENDORSE\r\n", above=b"DKIM-Signature:", lf=False)
@example(prefix="X-A: a\r\rI endorse\r\n", above=b"DKIM-Signature:", lf=False)
def test_what_is_proven_has_one_from_and_all_readers_see_it(prefix: str, above: bytes, lf: bool) -> None:
    start, sign, end = (b"\n" + signed()).partition(b"\n" + above)
    raw = (start + sign[:1] + prefix.encode() + sign[1:] + end)[1:]
    raw = raw.replace(b"\r\n", b"\n") if lf else raw
    # Asked for the true author, so that this floor stands alone: the parser, too, has its guards.
    if judge(raw).proven:
        parsed = take_apart(raw, ReadingContext(), LimitSettings()).author
        assert (parsed, read_by_the_standard_library(raw), read_by_dkimpy(raw)) == (ANN, [ANN], [b"Ann <ann@foo.example>"])


@given(prefix=prefixes)
def test_nothing_above_a_signed_mail_makes_another_author(prefix: str) -> None:
    assert not judge(prefix.encode() + signed(), author=EVIL).proven


FROMS = {
    29: {
        "two fields": FROM + b"From: evil@bad.example\r\n",
        "two fields, the other way round": b"From: evil@bad.example\r\n" + FROM,
        "two alike": FROM + FROM,
        "two in other letters": FROM + b"fRoM: ann@foo.example\r\n",
    },
    31: {"a space before the colon": b"From : ann@foo.example\r\n", "that and a good one": b"From : evil@bad.example\r\n" + FROM},
    32: {
        "the name folded": b"From\r\n : ann@foo.example\r\n",
        "the name folded, and a good one": b"From\r\n : evil@bad.example\r\n" + FROM,
    },
    33: {"only Sender": b"Sender: ann@foo.example\r\n", "only Resent-From": b"Resent-From: ann@foo.example\r\n", "nothing": b""},
    34: {
        "two addresses": b"From: ann@foo.example, evil@bad.example\r\n",
        "two names": b"From: Ann <ann@foo.example>, Evil <evil@bad.example>\r\n",
        "an empty one first": b"From: <>, ann@foo.example\r\n",
        "a comma at the end": b"From: ann@foo.example,\r\n",
        "two without a comma": b"From: ann@foo.example evil@bad.example\r\n",
    },
    35: {
        "an encoded word": b"From: =?utf-8?q?ann=40foo.example?=\r\n",
        "one as local part": b"From: <=?utf-8?q?ann?=@foo.example>\r\n",
    },
    36: {"a source route": b"From: <@bad.example:ann@foo.example>\r\n", "two hops": b"From: <@a.example,@b.example:ann@foo.example>\r\n"},
    37: {
        "a quoted pair": b"From: <ann@foo.example>\\,<evil@bad.example>\r\n",
        "one in the address": b"From: ann\\@evil@foo.example\r\n",
        "one in a quoted local part": b'From: "a\\"nn"@foo.example\r\n',
    },
    38: {
        "a group": b"From: x: ann@foo.example;\r\n",
        "a group of two": b"From: x:ann@foo.example,evil@bad.example;\r\n",
        "an empty group": b"From: x:;\r\n",
    },
    39: {
        "an address behind the brackets": b"From: <evil@bad.example>ann@foo.example\r\n",
        "an address before the brackets": b"From: ann@foo.example<evil@bad.example>\r\n",
        "two pairs of brackets": b"From: <ann@foo.example> <evil@bad.example>\r\n",
        "brackets within brackets": b"From: <<ann@foo.example>>\r\n",
        "an open bracket": b"From: <ann@foo.example\r\n",
        "a trailing dot": b"From: ann@foo.example.\r\n",
        "a comment in the address": b"From: ann(x)@foo.example\r\n",
        "a comment in the domain": b"From: ann@foo.(x)example\r\n",
        "a comment that holds the author": b"From: (ann@foo.example) evil@bad.example (ann@foo.example)\r\n",
        "an address literal": b"From: ann@[192.0.2.1]\r\n",
        "no local part": b"From: @foo.example\r\n",
        "a space in the address": b"From: ann @foo.example\r\n",
        "a NUL": b"From: ann@foo.example\0.bad.example\r\n",
    },
}
FORMS = [
    pytest.param(form, id=f"{number} {name}", marks=pytest.mark.case(number))
    for number, forms in FROMS.items()
    for name, form in forms.items()
]


@pytest.mark.parametrize("form", [form for number in (34, 35, 36, 37, 38, 39) for form in FROMS[number].values()])
def test_a_from_that_is_not_plainly_one_address_has_no_author(form: bytes) -> None:
    assert author_of(split(form)) is None


@pytest.mark.case(31)
@pytest.mark.parametrize("space", [b" ", b"\t", b"  "])
def test_a_space_before_the_colon_of_from_proves_nobody_under_the_best_signature(space: bytes) -> None:
    verdict = judge(signed().replace(b"\r\nFrom:", b"\r\nFrom" + space + b":"))
    assert (verdict.assurance, verdict.flaws) == (Assurance.NONE, ("space_before_colon",))


@pytest.mark.parametrize("form", FORMS)
def test_a_from_that_programs_read_differently_proves_nobody(form: bytes) -> None:
    raw = MAIL.replace(FROM, form)
    signatures = [raw]
    for domain in ("foo.example", "bad.example"):
        # Signed by whoever could gain: the domain that is pretended, and the other one.
        header = sign(b"From: x@x.example\r\n" + MAIL, domain, "s", PEM, t=int(NOW.timestamp())).split(b"\r\nFrom:")[0]
        signatures.append(header + b"\r\n" + raw)
        if form.lower().startswith(b"from:"):
            signatures.append(sign(raw, domain, "s", PEM, t=int(NOW.timestamp())))
    keys = {**table(), **table("s._domainkey.bad.example")}
    parsed = take_apart(raw, ReadingContext(), LimitSettings()).author
    found = {judge(one, keys, author).assurance for one in signatures for author in ("ann@foo.example", EVIL, parsed)}
    assert found == {Assurance.NONE}


PLAIN = {
    "brackets": FROM,
    "bare": b"From: ann@foo.example\r\n",
    "folded": b"From: Ann\r\n <ann@foo.example>\r\n",
    "a quoted name with a comma": b'From: "Example, Ann" <ann@foo.example>\r\n',
    "an encoded name": b"From: =?utf-8?q?Ann?= <ann@foo.example>\r\n",
    "a name in raw UTF-8": "From: Änn <ann@foo.example>\r\n".encode(),
    "a name in Latin-1": "From: Änn <ann@foo.example>\r\n".encode("latin-1"),
    "the domain in capitals": b"From: Ann <ann@FOO.Example>\r\n",
    "a name with brackets in quotes": b'From: "Ann <at work>" <ann@foo.example>\r\n',
    "no space before the bracket": b"From: Ann<ann@foo.example>\r\n",
}


@pytest.mark.parametrize("form", PLAIN.values(), ids=PLAIN)
def test_a_from_that_is_plainly_one_address_can_be_proven(form: bytes) -> None:
    raw = MAIL.replace(FROM, form)
    author = take_apart(raw, ReadingContext(), LimitSettings()).author
    assert (author, judge(signed(raw), author=author).assurance) == ("ann@foo.example", Assurance.ALIGNED)


@pytest.mark.parametrize("name", [b'"ann@foo.example"', b'"Ann <ann@foo.example>"', b"=?utf-8?b?PGFubkBmb28uZXhhbXBsZT4=?="])
def test_who_is_only_in_the_display_name_is_not_proven(name: bytes) -> None:
    raw = signed(MAIL.replace(FROM, b"From: " + name + b" <evil@bad.example>\r\n"), "bad.example")
    keys = table("s._domainkey.bad.example")
    assert [judge(raw, keys, author).proven for author in ("ann@foo.example", EVIL)] == [False, True]


@pytest.mark.case(30)
@pytest.mark.parametrize("start", [b" X-A: b\r\n", b"\tX-A: b\r\n", b" \r\n", b"\r\n", b" From: evil@bad.example\r\n"])
def test_a_mail_that_starts_with_a_blank_proves_nobody(start: bytes) -> None:
    for author in ("ann@foo.example", EVIL):
        verdict = judge(start + signed(), author=author)
        assert (verdict.assurance, bool(verdict.flaws)) == (Assurance.NONE, True)


def test_a_separator_line_of_an_mbox_is_no_part_of_the_mail() -> None:
    assert judge(b"From ann@foo.example Thu Sep 10 11:00:00 2026\r\n" + signed()).assurance is Assurance.ALIGNED


def test_a_header_block_beyond_all_measure_is_not_looked_into() -> None:
    verdict = judge(b"X-A: " + b"a\r\n " * 100_000 + b"\r\n" + signed())
    assert (verdict.assurance, verdict.flaws) == (Assurance.NONE, ("header_block_too_large",))
