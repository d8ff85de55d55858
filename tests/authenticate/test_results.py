"""Authentication-Results: believed from the door's own servers, ignored from everybody else."""

from collections.abc import Callable

import pytest
from signed import MAIL, PASS, RESULTS, judge, signed, table, with_results

from mailflow.model.mail import Assurance, Verdict

CLAUSES = PASS.partition(b";")[2].strip()


def told(results: bytes) -> Verdict:
    """A file at a door that believes mx.delta.example."""
    return judge(with_results(results), door="file", sender=None, trusted_results=("MX.delta.example",))


TOLD = {
    "dmarc and dkim pass": (PASS, Assurance.ALIGNED),
    "dkim pass, aligned": (b"mx.delta.example; dkim=pass header.d=foo.example", Assurance.ALIGNED),
    "dkim pass for somebody else": (b"mx.delta.example; dkim=pass header.d=evil.example", Assurance.NONE),
    "dkim pass by header.i": (b"mx.delta.example; dkim=pass header.i=@foo.example", Assurance.NONE),
    "spf pass alone": (b"mx.delta.example; spf=pass smtp.mailfrom=ann@foo.example", Assurance.NONE),
    "dmarc pass for another From": (b"mx.delta.example; dmarc=pass header.from=evil.example", Assurance.NONE),
    "dmarc fail beats dkim pass": (
        b"mx.delta.example; dkim=pass header.d=foo.example; dmarc=fail header.from=foo.example",
        Assurance.FAILED,
    ),
    "another host's results": (PASS.replace(b"mx.delta", b"mx.evil"), Assurance.NONE),
    "a host of the same organisation": (PASS.replace(b"mx.delta", b"mx2.delta"), Assurance.NONE),
    "no id at all": (b"dkim=pass header.d=foo.example", Assurance.NONE),
    "rubbish": (b"mx.delta.example; ((((", Assurance.NONE),
    "none": (b"mx.delta.example; none", Assurance.NONE),
    "a version and a comment behind the id": (b"mx.delta.example (amavisd-new) 1; dkim=pass header.d=foo.example", Assurance.ALIGNED),
    "a semicolon at the end": (PASS + b";", Assurance.ALIGNED),
    "a clause that is broken beside one that is not": (b"mx.delta.example; spf=pass smtp.mailfrom=<a@b>; " + CLAUSES, Assurance.ALIGNED),
    "another method that begins alike": (b"mx.delta.example; dkim-atps=pass header.d=foo.example", Assurance.NONE),
    "an outcome that is none": (b"mx.delta.example; dmarc=bestguesspass header.from=foo.example", Assurance.NONE),
    "dmarc fail for another From": (
        b"mx.delta.example; dkim=pass header.d=foo.example; dmarc=fail header.from=evil.example",
        Assurance.ALIGNED,
    ),
    "a quote that stays open": (PASS + b'; spf=pass smtp.mailfrom="a', Assurance.NONE),
    "too long": (PASS + b"; x=pass (" + b"a" * 8192 + b")", Assurance.NONE),
}


@pytest.mark.parametrize("case", TOLD.values(), ids=TOLD)
def test_results_are_believed_as_far_as_they_go(case: tuple[bytes, Assurance]) -> None:
    results, expected = case
    assert told(results).assurance is expected


@pytest.mark.case(52)
def test_results_are_ignored_at_a_door_that_names_no_id_and_that_is_told() -> None:
    verdict = judge(with_results(PASS))
    assert (verdict.assurance, verdict.evidence[-1]) == (Assurance.NONE, "authentication-results=ignored (1)")


@pytest.mark.case(52)
def test_results_below_another_hosts_received_are_ignored() -> None:
    foreign = RESULTS + b"Received: from evil.example by relay.evil.example; Thu, 10 Sep 2026 10:00:00 +0000\r\n"
    verdict = judge(with_results(PASS, foreign), door="file", sender=None, trusted_results=("mx.delta.example",))
    assert verdict.assurance is Assurance.NONE


@pytest.mark.case(53)
def test_a_chain_of_arc_seals_is_nobodys_proof() -> None:
    arc = b"ARC-Authentication-Results: i=1; mx.delta.example; dkim=pass header.d=foo.example\r\nARC-Seal: i=1; a=rsa-sha256; cv=none; d=evil.example; s=a; b=AAAA\r\n"
    assert judge(arc + MAIL, trusted_results=("mx.delta.example",)).assurance is Assurance.NONE


def test_over_smtp_our_own_failed_check_beats_a_believed_pass() -> None:
    tampered = RESULTS + b"Authentication-Results: " + PASS + b"\r\n" + signed().replace(b"I endorse.", b"I do.")
    assert judge(tampered, trusted_results=("mx.delta.example",)).assurance is Assurance.NONE
    assert judge(tampered, door="file", sender=None, trusted_results=("mx.delta.example",)).assurance is Assurance.ALIGNED


INJECTED = {
    "a parenthesis in the signing domain": b"dkim=pass header.d=foo.example(.evil.example)",
    "that, open": b"dkim=pass header.d=foo.example(.evil.example",
    "that, with spaces": b"dkim=pass header.d = foo.example(.evil.example)",
    "that, in quotes": b'dkim=pass header.d="foo.example"(.evil.example)',
    "a parenthesis in From": b"dmarc=pass header.from=foo.example(.evil.example)",
    "a quote in the signing domain": b'dkim=pass header.d=foo.example".evil.example',
    "more after a quoted domain": b'dkim=pass header.d="foo.example".evil.example',
    "a NUL in the signing domain": b"dkim=pass header.d=foo.example\0.evil.example",
    "two domains": b"dkim=pass header.d=evil.example header.d=foo.example",
    "two domains, the good one first": b"dkim=pass header.d=foo.example header.d=evil.example",
    "a comma": b"dkim=pass header.d=foo.example,evil.example",
    "an address for a domain": b"dkim=pass header.d=evil@foo.example",
    "a clause in quotes": b'spf=pass smtp.mailfrom="a; dkim=pass header.d=foo.example"@evil.example',
    "a clause in a comment": b"spf=pass (a; dkim=pass header.d=foo.example) smtp.mailfrom=evil.example",
    "a clause in a reason": b'dkim=fail reason="; dkim=pass header.d=foo.example"',
    "a clause behind an escaped quote": b'spf=pass smtp.mailfrom="a\\"; dkim=pass header.d=foo.example; x=\\""@evil.example',
    "an open quote": b'spf=pass smtp.mailfrom="; dkim=pass header.d=foo.example',
    "an open comment": b"spf=pass (; dkim=pass header.d=foo.example",
    "an aligned envelope sender": b"spf=pass smtp.mailfrom=ann@foo.example smtp.helo=foo.example",
    "an envelope sender that looks aligned": b"spf=pass smtp.mailfrom=evil.example smtp.mailfrom=@foo.example",
}


@pytest.mark.case(28)
@pytest.mark.parametrize("clause", INJECTED.values(), ids=INJECTED)
def test_what_a_sender_smuggles_into_a_believed_header_is_no_aligned_pass(clause: bytes) -> None:
    assert told(b"mx.delta.example; " + clause).assurance is Assurance.NONE


POLICIES = {
    "opendmarc, reject": (b"dmarc=fail (p=reject dis=none) header.from=foo.example", True),
    "opendmarc, none": (b"dmarc=fail (p=none dis=none) header.from=foo.example", False),
    "google, reject": (b"dmarc=fail (p=REJECT sp=REJECT dis=NONE) header.from=foo.example", True),
    "google, none with reject for names below": (b"dmarc=fail (p=NONE sp=REJECT dis=NONE) header.from=foo.example", False),
    "rspamd, quarantine": (b'dmarc=fail reason="No valid SPF, No valid DKIM" header.from=foo.example (policy=quarantine)', True),
    "fastmail, reject": (b"dmarc=fail policy.published-domain-policy=reject header.from=foo.example", True),
    "RFC 8601": (b"dmarc=fail policy.dmarc=quarantine header.from=foo.example", True),
    "no policy told": (b"dmarc=fail header.from=foo.example", False),
    "the word in a reason": (b'dmarc=fail reason="p=reject" header.from=foo.example', False),
    "in another clause's comment": (b"dmarc=fail header.from=foo.example; spf=fail (p=reject) smtp.mailfrom=a.example", False),
}


@pytest.mark.parametrize("case", POLICIES.values(), ids=POLICIES)
def test_a_believed_dmarc_fail_is_a_fail_and_disowned_as_the_domain_asks(case: tuple[bytes, bool]) -> None:
    clause, disowned = case
    verdict = told(b"mx.delta.example; " + clause)
    assert (verdict.assurance, verdict.disowned) == (Assurance.FAILED, disowned)


@pytest.mark.parametrize(("policy", "disowned"), [(b"p=none sp=reject", True), (b"p=reject sp=none", False), (b"p=reject", True)])
def test_below_the_organisational_domain_its_policy_for_names_below_applies(policy: bytes, disowned: bool) -> None:
    results = RESULTS + b"Authentication-Results: mx.delta.example; dmarc=fail (" + policy + b") header.from=a.foo.example\r\n"
    raw = results + MAIL.replace(b"@foo.example>\r\nTo", b"@a.foo.example>\r\nTo")
    assert judge(raw, author="ann@a.foo.example", door="file", sender=None, trusted_results=("mx.delta.example",)).disowned is disowned


A_R = b"Authentication-Results: mx.delta.example; "
ZONES = {
    "no Received at all": (b"", True),
    "by the id": (b"Received: from a.example by mx.delta.example; x\r\n", True),
    "by a host of its organisation": (b"Received: from a.example by store3.delta.example; x\r\n", True),
    "by a private address": (b"Received: by 10.1.2.3 with SMTP; x\r\n", True),
    "by a private address as Google writes it": (b"Received: by 2002:a05:6a10:1234:b0:1f6:aaaa:bbbb with SMTP id x; x\r\n", True),
    "by a name for private use": (b"Received: from mx (mx [10.0.0.1]) by store.internal (Cyrus) with LMTPA; x\r\n", True),
    "by nobody": (b"Received: (qmail 1234 invoked by uid 89); x\r\n", True),
    "where the client calls itself by": (b"Received: from by (HELO stand by me) by mx.delta.example; x\r\n", True),
    "by another host": (b"Received: from mx.delta.example by relay.evil.example; x\r\n", False),
    "by another host, the client called by": (b"Received: from by by relay.evil.example; x\r\n", False),
    "by another host, ours in a comment": (b"Received: from a (by mx.delta.example) by relay.evil.example; x\r\n", False),
    "by a name that ends alike": (b"Received: from a by mx.evildelta.example; x\r\n", False),
    "by a public address": (b"Received: by 8.8.8.8 with SMTP; x\r\n", False),
    "by what is neither a name nor an address": (b"Received: by 2002:a05:1 with SMTP; x\r\n", False),
    "by a public address in 6to4": (b"Received: by 2002:808:808::1 with SMTP; x\r\n", False),
    "by a public address, IPv6": (b"Received: by 2607:f8b0::1 with SMTP; x\r\n", False),
    "another host above ours": (b"Received: by relay.evil.example; x\r\nReceived: by mx.delta.example; x\r\n", False),
}


@pytest.mark.case(52)
@pytest.mark.parametrize("case", ZONES.values(), ids=ZONES)
def test_the_first_foreign_received_ends_what_is_believed(case: tuple[bytes, bool]) -> None:
    above, believed = case
    verdict = judge(above + A_R + CLAUSES + b"\r\n" + MAIL, door="file", sender=None, trusted_results=("mx.delta.example",))
    assert (verdict.proven, "authentication-results=ignored (1)" in verdict.evidence) == (believed, not believed)


TOPMOST = {
    "a forged pass below the server's own none": (
        [b"dmarc=none header.from=foo.example", b"dmarc=pass header.from=foo.example"],
        Assurance.NONE,
    ),
    "a forged pass below the server's own fail": ([b"dkim=none", b"dkim=pass header.d=foo.example"], Assurance.NONE),
    "one header for each method": ([b"spf=none", b"dmarc=pass header.from=foo.example", b"dkim=none"], Assurance.ALIGNED),
    "one fail and one pass in one header": ([b"dkim=fail header.d=foo.example; dkim=pass header.d=foo.example"], Assurance.ALIGNED),
}


@pytest.mark.case(52)
@pytest.mark.parametrize("case", TOPMOST.values(), ids=TOPMOST)
def test_the_topmost_header_that_speaks_of_a_method_decides_on_it(case: tuple[list[bytes], Assurance]) -> None:
    clauses, expected = case
    raw = RESULTS + b"".join(A_R + clause + b"\r\n" for clause in clauses) + MAIL
    assert judge(raw, door="file", sender=None, trusted_results=("mx.delta.example",)).assurance is expected


FAIL = b"mx.delta.example; dmarc=fail (p=reject) header.from=foo.example"
OURS: dict[str, tuple[Callable[[], bytes], object, Assurance]] = {
    "passes, they say fail": (lambda: ours(FAIL), None, Assurance.ALIGNED),
    "passes, they say nothing": (lambda: ours(b"mx.delta.example; none"), None, Assurance.ALIGNED),
    "is not to be had, they say fail": (lambda: ours(FAIL), "SERVFAIL", Assurance.UNKNOWN),
    "is not to be had, they say pass": (lambda: ours(PASS), "SERVFAIL", Assurance.ALIGNED),
    "finds no key, they say pass": (lambda: ours(PASS), [], Assurance.ALIGNED),
    "finds no key, they say fail": (lambda: ours(FAIL), [], Assurance.FAILED),
    "finds other bytes, they say pass": (lambda: ours(PASS).replace(b"I endorse.", b"I do."), None, Assurance.NONE),
    "finds another header, they say pass": (
        lambda: ours(PASS).replace(b"11:00:00 +0000\r\nMess", b"11:00:01 +0000\r\nMess"),
        None,
        Assurance.NONE,
    ),
}


def ours(results: bytes) -> bytes:
    return RESULTS + b"Authentication-Results: " + results + b"\r\n" + signed()


@pytest.mark.parametrize("case", OURS.values(), ids=OURS)
def test_over_smtp_our_own_check_comes_before_what_others_say(case: tuple[Callable[[], bytes], object, Assurance]) -> None:
    raw, records, expected = case
    assert judge(raw(), table(value=records), trusted_results=("mx.delta.example",)).assurance is expected
