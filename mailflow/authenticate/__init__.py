"""Who really sent it: a verdict with three ends (proven, not proven, not known yet)."""

from datetime import datetime

from mailflow.authenticate.alignment import same_organisation
from mailflow.authenticate.headers import author_of, split
from mailflow.authenticate.results import Told
from mailflow.authenticate.results import read as read_results
from mailflow.authenticate.signatures import Checked, check_all
from mailflow.model.mail import Assurance, KeptMail, Verdict
from mailflow.model.outside import Resolver, Suffixes

__all__ = ["authenticate"]

_AMBIGUOUS = "no single author that all readers agree on"


def authenticate(
    mail: KeptMail, author: str | None, date: datetime | None, addressees: tuple[str, ...], resolver: Resolver, suffixes: Suffixes
) -> Verdict:
    """Judges whether ``author`` (the one addr-spec in header From) sent the mail. Never raises.

    A flaw in the header block leaves a mail unproven whatever it carries. Otherwise, in this order: our own check of
    an aligned signature that passes counts, whatever others say. DNS that does not answer for an aligned signature gives
    UNKNOWN, never NONE or FAILED. What a server says that the door vouches for comes last; its pass counts also where our
    check fails (a file's bytes may have been touched after delivery, a key taken down), but not where the signed bytes of
    an aligned signature are broken and came over SMTP: there nobody stood between that server and us.
    """
    del addressees  # judged by the rules of decide, where a replay to another campaign is told apart
    if author is None:
        return Verdict(Assurance.NONE, (_AMBIGUOUS,))
    block = split(mail.raw)
    if block.flaws or author_of(block) != author:
        return Verdict(Assurance.NONE, (_AMBIGUOUS,), flaws=block.flaws or ("author_differs",))
    domain = author.rpartition("@")[2]
    checked = check_all(block, resolver, mail.received_at, lambda signer: same_organisation(signer, domain, suffixes))
    told = read_results(block, mail.envelope.trusted_results, domain, suffixes)
    return _verdict(checked, told, date, over_smtp=mail.envelope.sender is not None)


def _verdict(checked: list[Checked], told: Told, date: datetime | None, *, over_smtp: bool) -> Verdict:
    evidence = (*(tuple(one.evidence() for one in checked) or ("dkim=none",)), *told.evidence)
    good = next((one for one in checked if one.proves), None)
    if good is not None:
        # A Date that is not signed could be anybody's: it says nothing of when the author wrote.
        return Verdict(Assurance.ALIGNED, evidence, signed_at=good.signed_at or (None if b"date" in good.open else date))
    if told.passed and not (over_smtp and any(one.aligned and one.broken for one in checked)):
        return Verdict(Assurance.ALIGNED, evidence, signed_at=date)
    if any(one.aligned and one.result == "temperror" for one in checked):
        return Verdict(Assurance.UNKNOWN, evidence)
    if told.failed:
        return Verdict(Assurance.FAILED, evidence, disowned=told.disowned)
    return Verdict(Assurance.NONE, evidence)
