"""DNS that is away makes nobody worse than unproven and nobody proven; and nothing at all makes authenticate() raise."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signed import MAIL, PASS, RESULTS, judge, signed

from mailflow.authenticate.signing import make_key
from mailflow.model.mail import Assurance

RECORD_OF_ANOTHER_KEY = make_key()[1].decode()
OWN = {
    "unsigned": MAIL,
    "signed": signed(),
    "tampered": signed().replace(b"I endorse.", b"I do."),
    "signed by a stranger": signed(domain="bar.example"),
    "signed twice": signed(signed(), domain="bar.example"),
    "signed twice, tampered": signed(signed(), domain="bar.example").replace(b"I endorse.", b"I do."),
}
TOLD = {
    "nothing": b"",
    "pass": b"Authentication-Results: " + PASS + b"\r\n",
    "fail": b"Authentication-Results: mx.delta.example; dmarc=fail (p=reject) header.from=foo.example\r\n",
    "temperror": b"Authentication-Results: mx.delta.example; dkim=temperror header.d=foo.example; dmarc=temperror header.from=foo.example\r\n",
    "permerror": b"Authentication-Results: mx.delta.example; dkim=permerror header.d=foo.example; dmarc=permerror header.from=foo.example\r\n",
}
DOORS: dict[str, dict[str, Any]] = {
    "smtp": {"trusted_results": ("mx.delta.example",)},
    "file": {"door": "file", "sender": None, "trusted_results": ("mx.delta.example",)},
    "a door that believes nobody": {},
}
TABLE = [
    pytest.param(*(value for _, value in row), id=", ".join(name for name, _ in row))
    for row in product(OWN.items(), TOLD.items(), DOORS.items())
]


def answers(foo: object, bar: object) -> dict[str, dict[str, object]]:
    return {"s._domainkey.foo.example": {"TXT": foo}, "s._domainkey.bar.example": {"TXT": bar}}


@pytest.mark.fault("dns-down")
@pytest.mark.parametrize("trouble", ["SERVFAIL", "TIMEOUT"])
@pytest.mark.parametrize(("own", "told", "door"), TABLE)
def test_an_outage_is_never_worse_than_no_key_and_never_a_pass(own: bytes, told: bytes, door: dict[str, Any], trouble: str) -> None:
    raw = RESULTS + told + own
    nothing = judge(raw, answers([], []), **door)
    for foo, bar in ((trouble, trouble), (trouble, []), (trouble, [RECORD_OF_ANOTHER_KEY])):
        during = judge(raw, answers(foo, bar), **door)
        assert during.proven == nothing.proven
        if during != nothing and not nothing.proven and b"d=foo.example;" in own:
            assert (during.assurance, during.disowned) == (Assurance.UNKNOWN, False)


@pytest.mark.fault("dns-down")
@pytest.mark.parametrize(("own", "told", "door"), TABLE)
def test_an_outage_at_a_stranger_changes_nothing(own: bytes, told: bytes, door: dict[str, Any]) -> None:
    raw = RESULTS + told + own
    during, nothing = judge(raw, answers([], "SERVFAIL"), **door), judge(raw, answers([], []), **door)
    assert (during.assurance, during.disowned) == (nothing.assurance, nothing.disowned)


fragments = st.sampled_from(
    [
        b"DKIM-Signature: ",
        b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=foo.example; s=s; h=from:subject:content-type; bh=AAAA; b=AAAA",
        b"c=x/y; ",
        b"d=",
        b"s=",
        b"h=",
        b"t=99999999999999999999; ",
        b"x=-1; ",
        b"l=0; ",
        b"i=@",
        b"b==",
        b";",
        b"=",
        b"\xff\xfe",
        b"\x00",
        b"\r",
        b"\r\n",
        b"\n",
        b" ",
        b"\t",
        b"Authentication-Results: mx.delta.example; ",
        b"dkim=pass header.d=",
        b"dmarc=fail",
        b"(",
        b")",
        b'"',
        b"\\",
        b"foo.example",
        "bücher.example".encode(),
        b"Received: from a by ",
        b"From: ",
        b"ann@foo.example",
        b"xn--a",
        b"." * 64,
        b"a" * 70,
        b"\xef\xbb\xbf",
        b"From ",
        b"<",
        b">",
        b",",
        b":",
    ]
)


@given(st.lists(fragments, max_size=25).map(b"".join), st.booleans())
def test_nothing_makes_it_raise_and_nothing_of_it_is_a_proof(head: bytes, above: bool) -> None:
    raw = head + b"\r\n" + MAIL if above else head
    verdict = judge(raw, door="file", sender=None, trusted_results=("mx.delta.example",))
    assert all(line.isascii() and line.isprintable() for line in verdict.evidence)
    assert verdict.assurance in (Assurance.NONE, Assurance.FAILED) or b"=pass" in head


@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes_and_any_author_are_answered(raw: bytes, author: str) -> None:
    assert not judge(raw, author=author).proven
