"""Who really sent it: signed mails, tampered ones, forged results, and a DNS that is away."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from signed import GOOD, MAIL, NOW, PEM, RECORD, SUFFIXES, judge, signed, table

from mailflow.authenticate import authenticate
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


BODIES = (
    b"--a\r\nContent-Type: text/plain\r\n\r\nI do not endorse.\r\n--b\r\nContent-Type: text/plain\r\n\r\nI endorse.\r\n--b--\r\n--a--\r\n"
)


@pytest.mark.case(47)
def test_a_signature_that_leaves_content_type_open_does_not_speak_for_the_text() -> None:
    mail = MAIL.replace(b"text/plain; charset=utf-8", b"multipart/mixed; boundary=a").replace(b"I endorse.\r\n", BODIES)
    raw = dkim.sign(mail, b"s", b"foo.example", PEM, include_headers=[b"from", b"subject", b"date", b"to"]) + mail
    swapped = raw.replace(b"boundary=a", b"boundary=b")
    assert dkim.verify(swapped, dnsfunc=lambda *_, **__: RECORD), "the signature itself is good"
    for one in (raw, swapped):
        verdict = judge(one, at=datetime.now(UTC))
        assert (verdict.assurance, "not signed: content-type" in verdict.evidence[0]) == (Assurance.NONE, True)


@pytest.mark.case(44)
@pytest.mark.parametrize("length", [b"l=0", b"l=3", b"l=12"])
def test_a_signature_with_a_length_is_none(length: bytes) -> None:
    raw = dkim.sign(MAIL, b"s", b"foo.example", PEM, canonicalize=(b"relaxed", b"relaxed"), length=True) + MAIL
    raw = re.sub(rb"l=\d+", length, raw, count=1)
    verdict = judge(raw + b"and more\r\n", at=datetime.now(UTC))
    assert (verdict.assurance, "l= leaves" in verdict.evidence[0]) == (Assurance.NONE, True)


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
    "a public suffix that is the author's own domain": ("ann@co.uk", "co.uk", Assurance.NONE),
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


def test_the_authors_own_key_is_asked_for_before_a_strangers_and_then_nobodys() -> None:
    asked: list[str] = []

    class Noting(TableResolver):
        def txt(self, name: str) -> tuple[bytes, ...]:
            asked.append(name)
            return super().txt(name)

    raw = signed(signed(signed(domain="list.example")), domain="bar.example")
    verdict = authenticate(KeptMail(1, raw, Envelope("smtp"), NOW), "ann@foo.example", None, (), Noting(GOOD), SUFFIXES)
    assert (verdict.assurance, asked) == (Assurance.ALIGNED, ["s._domainkey.foo.example"])


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
    "a space before a colon": b"X-A : x\r\n",
}


@pytest.mark.parametrize("trick", HEADER_TRICKS.values(), ids=HEADER_TRICKS)
def test_where_two_readers_could_differ_a_good_signature_proves_nothing(trick: bytes) -> None:
    verdict = judge(trick + signed())
    assert (verdict.assurance, bool(verdict.flaws)) == (Assurance.NONE, True)


def test_evidence_holds_no_text_of_the_sender() -> None:
    raw = signed().replace(b"s=s;", b"s=<script>;").replace(b"d=foo.example", b"d=<b>evil</b>")
    assert "<" not in " ".join(judge(raw).evidence)


def test_a_verdict_is_the_same_each_time() -> None:
    assert judge(signed()) == judge(signed()) == replace(judge(signed()))
