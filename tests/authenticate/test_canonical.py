"""What is hashed: as dkimpy and the RFC have it, in CRLF and in LF files, and without its quadratic spots."""

import hashlib
from datetime import UTC, datetime

import dkim
import pytest
from dkim.canonicalization import CanonicalizationPolicy
from hypothesis import given
from hypothesis import strategies as st
from signed import MAIL, PEM, RECORD, judge

from mailflow.authenticate.canonical import body_hash, header_hash
from mailflow.model.mail import Assurance

FAR = datetime(2100, 1, 1, tzinfo=UTC)
"""dkimpy takes t= from the clock: whatever it signs, is signed by then."""

FORMS = [(header, body) for header in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]
IDS = [b"/".join(form).decode() for form in FORMS]
lines = st.lists(st.text(st.sampled_from("ab= \t\r."), max_size=8), max_size=8)
plain_lines = st.lists(st.text(st.sampled_from("ab= \t."), max_size=8), max_size=8)
values = st.text(st.sampled_from("ab= \t;:"), max_size=12)
folded = st.lists(values, min_size=1, max_size=3).map("\r\n ".join)
names = st.sampled_from([b"From", b"from", b"To", b"Subject", b"X-A", b"x-a"])
fields = st.lists(st.tuples(names, folded.map(lambda value: value.encode() + b"\r\n")), max_size=8)


def policy(form: tuple[bytes, bytes]) -> CanonicalizationPolicy:
    return CanonicalizationPolicy.from_c_value(b"/".join(form))


@pytest.mark.parametrize("form", FORMS, ids=IDS)
@given(lines=lines, end=st.sampled_from(["\r\n", "\n"]))
def test_a_body_is_hashed_as_dkimpy_does(form: tuple[bytes, bytes], lines: list[str], end: str) -> None:
    body = "".join(line + end for line in lines).encode()
    theirs = dkim.rfc822_parse(b"A: b\r\n\r\n" + body)[1]
    assert body_hash(body, policy(form)) == hashlib.sha256(policy(form).canonicalize_body(theirs)).digest()


@pytest.mark.parametrize("form", FORMS, ids=IDS)
@given(fields=fields, chosen=st.lists(names, max_size=6))
def test_fields_are_chosen_and_hashed_as_dkimpy_does(
    form: tuple[bytes, bytes], fields: list[tuple[bytes, bytes]], chosen: list[bytes]
) -> None:
    signature = (b"DKIM-Signature", b" v=1; h=from; b=QUJD\r\n REVG; d=foo.example\r\n")
    wanted = [name.lower() for name in chosen]
    theirs = hashlib.sha256()
    canonical = policy(form).canonicalize_headers(fields)
    dkim.hash_headers(theirs, policy(form), canonical, [*wanted, b"from"], signature, {})
    assert header_hash(fields, wanted, signature, policy(form)) == theirs.digest()


@pytest.mark.parametrize("value", [b"b= QUJD ;d=x", b"b=\r\n\tQUJD\r\n\t ;d=x", b"b=;d=x"])
def test_the_white_space_around_b_goes_with_it(value: bytes) -> None:
    def hashed(text: bytes) -> bytes:
        return header_hash([], [], (b"DKIM-Signature", text + b"\r\n"), policy((b"simple", b"simple")))

    assert hashed(value) == hashed(b"b=;d=x")


@pytest.mark.parametrize("form", FORMS, ids=IDS)
@given(lines=plain_lines)
def test_what_dkimpy_signs_is_proven_with_crlf_and_with_lf(form: tuple[bytes, bytes], lines: list[str]) -> None:
    raw = MAIL + "".join(f"{line}\r\n" for line in lines).encode()
    raw = dkim.sign(raw, b"s", b"foo.example", PEM, canonicalize=form) + raw
    assert judge(raw, at=FAR).assurance is Assurance.ALIGNED
    assert judge(raw.replace(b"\r\n", b"\n"), at=FAR).assurance is Assurance.ALIGNED


GOOD_MAIL = dkim.sign(MAIL, b"s", b"foo.example", PEM, canonicalize=(b"relaxed", b"relaxed")) + MAIL


def dkimpy_takes(raw: bytes) -> bool:
    try:
        return bool(dkim.verify(raw, dnsfunc=lambda *_, **__: RECORD))
    except (dkim.DKIMException, ValueError, IndexError):
        return False


@given(at=st.integers(0, len(GOOD_MAIL) - 1), byte=st.sampled_from(b'\r\n \t:;=<>@aA\0("'), insert=st.booleans())
def test_we_never_take_what_dkimpy_refuses(at: int, byte: int, insert: bool) -> None:
    raw = GOOD_MAIL[:at] + bytes([byte]) + GOOD_MAIL[at + (not insert) :]
    assert dkimpy_takes(raw) or not judge(raw, at=FAR).proven


@pytest.mark.parametrize(
    "fill", [b" ", b"\t ", b"\r\n", b"\r", b" \r\n"], ids=["spaces", "blanks", "empty lines", "bare CR", "blank lines"]
)
@pytest.mark.parametrize("form", FORMS[2:], ids=IDS[2:])
def test_a_megabyte_of_nothing_is_hashed_at_once(form: tuple[bytes, bytes], fill: bytes) -> None:
    body = fill * (1_000_000 // len(fill))
    assert body_hash(b"a" + body + b"b\r\n", policy(form)) != body_hash(b"ab\r\n", policy(form))


def test_ten_thousand_names_in_h_are_looked_up_at_once() -> None:
    fields = [(b"X-%d" % number, b" a\r\n") for number in range(10_000)]
    wanted = [name.lower() for name, _ in fields]
    signature = (b"DKIM-Signature", b" b=\r\n")
    assert header_hash(fields, wanted, signature, policy(FORMS[0])) != header_hash(fields, wanted[1:], signature, policy(FORMS[0]))
