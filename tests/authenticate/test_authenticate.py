"""Who really sent it: signed mails, tampered ones, forged results, and a DNS that is away."""

import functools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signed import GOOD, MAIL, NOW, PASS, PEM, RECORD, SUFFIXES, judge, signed, table, with_results

from mailflow.authenticate import authenticate
from mailflow.authenticate.signing import make_key, sign
from mailflow.model.mail import Assurance, Envelope, KeptMail, Verdict
from mailflow.resolver import TableResolver


def test_an_aligned_signature_proves_the_author_and_tells_when() -> None:
    verdict = judge(signed())
    assert (verdict.assurance, verdict.signed_at, verdict.evidence) == (Assurance.ALIGNED, NOW, ("dkim=pass d=foo.example s=s aligned",))


def test_line_ends_of_a_file_do_not_matter() -> None:
    assert judge(signed().replace(b"\r\n", b"\n")).assurance is Assurance.ALIGNED


def test_without_a_signature_nothing_is_proven() -> None:
    assert judge(MAIL) == Verdict(Assurance.NONE, ("dkim=none",))


CHANGED = {
    "the text": (b"I endorse.", b"I do not endorse."),
    "the subject": (b"Subject: E", b"Subject: No e"),
    "From": (b"ann@foo", b"bob@foo"),
    "Content-Type": (b"text/plain", b"text/html"),
    "the date": (b"11:00:00", b"11:00:01"),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_signature_does_not_survive_a_change(change: tuple[bytes, bytes]) -> None:
    author = "bob@foo.example" if b"bob" in change[1] else "ann@foo.example"
    assert judge(signed().replace(*change), author=author).assurance is Assurance.NONE


@pytest.mark.case(46)
@pytest.mark.parametrize("header", [b"Subject: I endorse", b"Content-Type: text/html", b"From: ann@foo.example", b"Reply-To: a@b.example\r\nReply-To: c@d.example",
                                    b"Date: Thu, 10 Sep 2026 10:00:00 +0000", b"MIME-Version: 1.0", b"Message-ID: <other@foo.example>"],
                         ids=["Subject", "Content-Type", "From", "Reply-To", "Date", "MIME-Version", "Message-ID"])  # fmt: skip
def test_a_doubled_header_over_a_good_signature_proves_nothing(header: bytes) -> None:
    verdict = judge(header + b"\r\n" + signed())
    assert verdict.assurance is Assurance.NONE
    assert verdict.flaws


@pytest.mark.case(47)
def test_a_signature_that_leaves_content_type_open_does_not_speak_for_the_text() -> None:
    raw = dkim.sign(MAIL, b"s", b"foo.example", PEM, include_headers=[b"from", b"subject"], canonicalize=(b"relaxed", b"relaxed")) + MAIL
    verdict = judge(raw, at=datetime.now(UTC))
    assert (verdict.assurance, "not signed: content-type" in verdict.evidence[0]) == (Assurance.NONE, True)


@pytest.mark.case(44)
@pytest.mark.parametrize("length", [b"l=0", b"l=3", b"l=12"])
def test_a_signature_with_a_length_is_none(length: bytes) -> None:
    raw = dkim.sign(MAIL, b"s", b"foo.example", PEM, canonicalize=(b"relaxed", b"relaxed"), length=True) + MAIL
    raw = re.sub(rb"l=\d+", length, raw, count=1)
    verdict = judge(raw + b"and more\r\n", at=datetime.now(UTC))
    assert (verdict.assurance, "l= leaves" in verdict.evidence[0]) == (Assurance.NONE, True)


@pytest.mark.case(45)
def test_a_signature_that_leaves_from_out_is_none() -> None:
    raw = re.sub(rb"h=from : ", b"h=", signed(), count=1)
    assert judge(raw).assurance is Assurance.NONE


@pytest.mark.case(41)
def test_somebody_elses_good_signature_proves_nothing() -> None:
    verdict = judge(signed(domain="attacker.example"), table("s._domainkey.attacker.example"))
    assert (verdict.assurance, verdict.evidence) == (Assurance.NONE, ("dkim=pass d=attacker.example s=s not aligned",))


ALIGNMENT = {
    "child signs for parent": ("ann@foo.example", "mail.foo.example", Assurance.ALIGNED),
    "parent signs for child": ("ann@mail.foo.example", "foo.example", Assurance.ALIGNED),
    "siblings": ("ann@a.foo.example", "b.foo.example", Assurance.ALIGNED),
    "another organisation": ("ann@foo.example", "bar.example", Assurance.NONE),
    "a name that only ends alike": ("ann@foo.example", "evilfoo.example", Assurance.NONE),
    "a public suffix": ("ann@foo.co.uk", "co.uk", Assurance.NONE),
    "a top-level domain": ("ann@foo.com", "com", Assurance.NONE),
    "two customers of one suffix": ("ann@foo.co.uk", "bar.co.uk", Assurance.NONE),
}


@pytest.mark.case(42)
@pytest.mark.parametrize("case", ALIGNMENT.values(), ids=ALIGNMENT)
def test_alignment_is_by_organisational_domain(case: tuple[str, str, Assurance]) -> None:
    author, domain, expected = case
    raw = MAIL.replace(b"ann@foo.example", author.encode())
    assert judge(signed(raw, domain), table(f"s._domainkey.{domain}"), author).assurance is expected


@pytest.mark.case(43)
@pytest.mark.parametrize(
    "domain", [b'"foo.example"', b"foo.example\0.evil.example", b"foo(comment).example", b"foo.example;", b"-foo.example", b"foo..example"]
)
def test_a_malformed_signing_domain_is_none(domain: bytes) -> None:
    raw = signed().replace(b"d=foo.example", b"d=" + domain)
    assert judge(raw).assurance is Assurance.NONE


KEYS: dict[str, object] = {
    "no key": [],
    "revoked": ["v=DKIM1; k=rsa; p="],
    "two keys": [RECORD.decode(), RECORD.decode()],
    "another key": [make_key()[1].decode()],
    "too long": ["v=DKIM1; p=" + "A" * 70_000],
    "not DKIM": ["v=spf1 -all"],
    "another type": [RECORD.decode().replace("k=rsa", "k=ed25519")],
    "not for mail": [RECORD.decode() + "; s=tlsrpt"],
    "sha1 only": [RECORD.decode() + "; h=sha1"],
    "rubbish": ["v=DKIM1; p=%%%%"],
}


@pytest.mark.case(49)
@pytest.mark.parametrize("records", KEYS.values(), ids=KEYS)
def test_a_key_that_is_not_good_enough_proves_nothing(records: object) -> None:
    assert judge(signed(), table(value=records)).assurance is Assurance.NONE


@functools.cache
def small_key(bits: int) -> tuple[bytes, bytes]:
    return make_key(bits)


@pytest.mark.case(49)
@pytest.mark.parametrize(("bits", "expected"), [(1024, Assurance.ALIGNED), (2048, Assurance.ALIGNED)])
def test_keys_of_1024_bits_and_more_are_taken(bits: int, expected: Assurance) -> None:
    pem, record = small_key(bits)
    raw = sign(MAIL, "foo.example", "s", pem, t=int(NOW.timestamp()))
    assert judge(raw, table(value=[record.decode()])).assurance is expected


def test_a_key_in_test_mode_counts_and_says_so() -> None:
    verdict = judge(signed(), table(value=[RECORD.decode() + "; t=y"]))
    assert (verdict.assurance, "test mode" in verdict.evidence[0]) == (Assurance.ALIGNED, True)


TIMES = {
    "signed now": (timedelta(), None, Assurance.ALIGNED),
    "a clock that is a little ahead": (timedelta(minutes=10), None, Assurance.ALIGNED),
    "signed in the future": (timedelta(hours=1), None, Assurance.NONE),
    "long ago, still unexpired": (timedelta(days=-100), None, Assurance.ALIGNED),
}


@pytest.mark.case(49)
@pytest.mark.parametrize("case", TIMES.values(), ids=TIMES)
def test_the_time_of_signing_is_judged_at_receipt(case: tuple[timedelta, None, Assurance]) -> None:
    offset, _, expected = case
    assert judge(signed(t=NOW + offset)).assurance is expected


@pytest.mark.case(48)
def test_junk_signatures_do_not_hide_a_good_one_and_only_five_are_tried() -> None:
    asked: list[str] = []

    class Counting(TableResolver):
        def txt(self, name: str) -> tuple[bytes, ...]:
            asked.append(name)
            return super().txt(name)

    junk = b"DKIM-Signature: v=1; a=rsa-sha256; d=foo.example; s=junk; h=from; bh=AAAA; b=AAAA\r\n"
    for count, expected in ((4, Assurance.ALIGNED), (39, Assurance.NONE)):
        asked.clear()
        mail = KeptMail(1, junk * count + signed(), Envelope("smtp", "x@y.example"), NOW)
        assert authenticate(mail, "ann@foo.example", None, (), Counting(GOOD), SUFFIXES).assurance is expected
        assert len(asked) <= 5


@pytest.mark.fault("dns-down")
@pytest.mark.parametrize("trouble", ["SERVFAIL", "TIMEOUT"])
def test_while_dns_is_away_nothing_is_known(trouble: str) -> None:
    assert judge(signed(), table(value=trouble)).assurance is Assurance.UNKNOWN


@pytest.mark.fault("dns-down")
def test_a_stranger_whose_dns_is_away_does_not_delay_a_mail() -> None:
    verdict = judge(signed(domain="attacker.example"), table("s._domainkey.attacker.example", "SERVFAIL"))
    assert verdict.assurance is Assurance.NONE


HEADER_TRICKS = {
    "bare CR before a second From (F7)": b"X-A: a\rFrom: evil@bad.example\rSubject: I ENDORSE\r\n",
    "two bare CRs end the header for CPython": b"X-A: a\r\rI endorse\r\n",
    "NUL": b"X-A: a\0b\r\n",
    "first line folded": b" folded: yes\r\n",
    "a line that is no field": b"no field here\r\n",
    "a space before the colon": b"Subject : x\r\n",
}


@pytest.mark.case(2)
@pytest.mark.case(30)
@pytest.mark.case(31)
@pytest.mark.parametrize("trick", HEADER_TRICKS.values(), ids=HEADER_TRICKS)
def test_where_two_readers_could_differ_a_good_signature_proves_nothing(trick: bytes) -> None:
    verdict = judge(trick + signed())
    assert (verdict.assurance, bool(verdict.flaws)) == (Assurance.NONE, True)


@given(st.text(st.sampled_from("\r\n :aFromSubject@<>\0\t"), max_size=60))
def test_whatever_is_put_above_a_signed_mail_never_makes_another_author(prefix: str) -> None:
    for author in ("evil@bad.example", "a@a.example"):
        assert judge(prefix.encode() + signed(), author=author).assurance in (Assurance.NONE, Assurance.UNKNOWN)


AUTHORS = {
    "two From fields": b"From: ann@foo.example\r\nFrom: ann@foo.example\r\n",
    "two addresses": b"From: ann@foo.example, bob@foo.example\r\n",
    "address beside the brackets": b"From: <ann@foo.example>ann@foo.example\r\n",
    "two pairs of brackets": b"From: <ann@foo.example> <bob@foo.example>\r\n",
    "group": b"From: x:ann@foo.example;\r\n",
    "route": b"From: <@a.example:ann@foo.example>\r\n",
    "encoded word as address": b"From: =?utf-8?q?ann=40foo.example?=\r\n",
}


@pytest.mark.case(29)
@pytest.mark.case(34)
@pytest.mark.case(35)
@pytest.mark.case(36)
@pytest.mark.case(38)
@pytest.mark.case(39)
@pytest.mark.parametrize("from_", AUTHORS.values(), ids=AUTHORS)
def test_a_from_that_is_not_plainly_one_address_is_nobodys_proof(from_: bytes) -> None:
    raw = sign(MAIL.replace(b"From: Ann <ann@foo.example>\r\n", from_), "foo.example", "s", PEM, t=int(NOW.timestamp()))
    assert judge(raw).assurance is Assurance.NONE


ORDER = [Assurance.NONE, Assurance.FAILED, Assurance.UNKNOWN, Assurance.ALIGNED]


@pytest.mark.parametrize(
    "raw", [signed(), MAIL, signed(domain="bar.example"), with_results(PASS)], ids=["signed", "unsigned", "stranger", "results"]
)
@pytest.mark.parametrize("trusted", [(), ("mx.delta.example",)], ids=["no id", "id"])
def test_an_outage_never_makes_a_verdict_worse_than_none_and_never_a_pass(raw: bytes, trusted: tuple[str, ...]) -> None:
    away: dict[str, dict[str, object]] = {f"s._domainkey.{domain}": {"TXT": "SERVFAIL"} for domain in ("foo.example", "bar.example")}
    during = judge(raw, away, door="file", sender=None, trusted_results=trusted)
    nothing = judge(raw, {}, door="file", sender=None, trusted_results=trusted)
    assert not during.disowned
    assert during.assurance is not Assurance.FAILED
    assert during.proven is nothing.proven


def test_evidence_holds_no_text_of_the_sender() -> None:
    raw = signed().replace(b"s=s;", b"s=<script>;").replace(b"d=foo.example", b"d=<b>evil</b>")
    assert "<" not in " ".join(judge(raw).evidence)


def test_a_verdict_is_the_same_each_time() -> None:
    assert judge(signed()) == judge(signed()) == replace(judge(signed()))
