"""Authentication-Results: believed from the door's own servers, ignored from everybody else."""

import pytest
from signed import MAIL, PASS, RESULTS, judge, signed, with_results

from mailflow.model.mail import Assurance

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
}


@pytest.mark.parametrize("case", TOLD.values(), ids=TOLD)
def test_results_are_believed_as_far_as_they_go(case: tuple[bytes, Assurance]) -> None:
    results, expected = case
    assert judge(with_results(results), door="file", sender=None, trusted_results=("MX.delta.example",)).assurance is expected


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
