"""Who really sent it: a verdict with three ends (proven, not proven, not known yet)."""

from datetime import datetime

from mailflow.authenticate.headers import Block, author_of, split
from mailflow.authenticate.results import Told
from mailflow.authenticate.results import read as read_results
from mailflow.authenticate.signatures import Checked, check_all
from mailflow.model.mail import Assurance, KeptMail, Verdict
from mailflow.model.outside import Resolver, Suffixes

__all__ = ["authenticate"]


def authenticate(
    mail: KeptMail, author: str | None, date: datetime | None, addressees: tuple[str, ...], resolver: Resolver, suffixes: Suffixes
) -> Verdict:
    """Judges whether ``author`` (the one addr-spec in header From) sent the mail. Never raises.

    DNS that does not answer gives UNKNOWN, never NONE or FAILED. A flaw in the header block leaves a mail
    unproven whatever it carries. Where our own check of an aligned signature passes, it counts; a server that
    the door vouches for may prove what we can no longer check (a file whose bytes were touched after delivery),
    but not what came over SMTP with an aligned signature that fails.
    """
    del addressees  # judged by the rules of decide, where a replay to another campaign is told apart
    block = split(mail.raw)
    if author is None or block.flaws or author_of(block) != author:
        flaws = block.flaws or (("author_differs",) if author else ())
        return Verdict(Assurance.NONE, ("no single author that all readers agree on",) if not block.flaws else (), flaws=flaws)
    domain = author.rpartition("@")[2]
    told = read_results(block, mail.envelope.trusted_results, domain, suffixes)
    if told.failed:
        return Verdict(Assurance.FAILED, told.evidence, disowned=told.disowned)
    checked = [(one, _aligned(one, domain, suffixes)) for one in check_all(block, resolver, mail.received_at)]
    return _verdict(mail, block, checked, told, date)


def _verdict(mail: KeptMail, block: Block, checked: list[tuple[Checked, bool]], told: Told, date: datetime | None) -> Verdict:
    evidence = (*(one.evidence("aligned" if aligned else "not aligned") for one, aligned in checked), *told.evidence)
    good = next((one for one, aligned in checked if aligned and one.result == "pass" and one.content), None)
    if good is not None:
        return Verdict(Assurance.ALIGNED, evidence, signed_at=good.signed_at or date)
    broken = any(aligned and one.result == "fail" for one, aligned in checked)
    if told.passed and not (broken and mail.envelope.sender is not None):
        return Verdict(Assurance.ALIGNED, evidence, signed_at=date)
    if any(aligned and one.result == "temperror" for one, aligned in checked):
        return Verdict(Assurance.UNKNOWN, evidence)
    if not checked and not block.values(b"dkim-signature"):
        evidence = ("dkim=none", *evidence)
    return Verdict(Assurance.NONE, evidence)


def _aligned(one: Checked, author_domain: str, suffixes: Suffixes) -> bool:
    """Relaxed alignment (RFC 7489 §3.1.1): the same organisational domain; a public suffix is nobody's."""
    mine = suffixes.organisational(one.domain) if one.domain else None
    return mine is not None and mine == suffixes.organisational(author_domain)
