"""Decision -> answer: what may be said to whom, in which language, in which thread."""

import re
from collections.abc import Collection

from mailflow.config.campaign import Campaign
from mailflow.model.answer import Answer, AnswerKind
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState
from mailflow.model.mail import MailClass, ParsedMail, Verdict

LANGUAGES = frozenset({"ar", "de", "en", "es", "fa", "fr", "it", "pt", "ru", "tr", "uk", "zh", "zh-Hant"})
"""The languages our answers are written in (a test compares it with templates/answers/languages)."""

MOST_REFERENCES = 10
"""Message-IDs kept in References: a thread needs its end, not every mail that ever was in it."""

_ANSWERS: dict[tuple[Action, Disposition], AnswerKind] = {
    (Action.ACCEPT, Disposition.COUNTED): AnswerKind.COUNTED,
    (Action.ACCEPT, Disposition.CHANGED): AnswerKind.UPDATED,
    (Action.ACCEPT, Disposition.DUPLICATE): AnswerKind.ALREADY,
    (Action.WITHDRAW, Disposition.WITHDRAWN): AnswerKind.WITHDRAWN,
    (Action.WITHDRAW, Disposition.DUPLICATE): AnswerKind.WITHDRAWN,
    (Action.CORRECT, Disposition.CHANGED): AnswerKind.CORRECTED,
    (Action.CORRECT, Disposition.DUPLICATE): AnswerKind.ALREADY,
    (Action.DECLINE, Disposition.REFUSED): AnswerKind.CLOSED,
}
"""What is said for which outcome. DUPLICATE is a new mail that left the entry as it was; a second copy of a mail
is ignored and gets nothing."""

_SAYS_YOU_ARE_COUNTED = frozenset({AnswerKind.COUNTED, AnswerKind.UPDATED, AnswerKind.ALREADY, AnswerKind.CORRECTED})

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
"""A dot-atom address (RFC 5321 §4.1.2) in ASCII. A quoted or UTF-8 local part gets no answer: what one server
reads as one address another may read as two, and RFC 6531 mail cannot be sent back through every smarthost."""

_MACHINES = re.compile(
    r"mailer[-_.]?daemon|postmaster|listserv|majordomo|auto[-_.]?(?:reply|responder|confirm)"
    r"|(?:.*[-_.+])?(?:no|do[-_.]?not)[-_.]?reply(?:[-_.+=0-9].*)?"
    r"|bounces?(?:[-_.+=0-9].*)?|owner-.*|.*-(?:owner|request|bounces?|return|errors)(?:[+=].*)?"
    r"|(?:srs[01]|prvs|btv1)[-+=].*|msprvs1=.*"
)
"""Local parts that machines write from (RFC 3834 §2, RFC 2142 §6, SRS and BATV forms)."""

_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,240}@[!-;=?-~]{1,240}")
"""What may stand between angle brackets in a header of ours: printable ASCII with no bracket (RFC 5322 §3.6.4)."""


def answer_for(
    decision: Decision,
    mail: ParsedMail,
    verdict: Verdict,
    entry: Entry | None,
    campaign: Campaign,
    key: str,
    *,
    null_sender: bool,
    own_addresses: Collection[str] = (),
    languages: Collection[str] = LANGUAGES,
) -> Answer | None:
    """Return the answer that ``mail`` gets, or ``None`` where it gets none.

    ``entry`` is the entry after the decision was carried out; ``key`` names person and event.
    ``null_sender`` says that the envelope sender was ``<>`` or that there was a Return-Path of that kind;
    ``own_addresses`` are addresses of other campaigns and mailboxes of ours. RFC 3834 §2 says when not to
    answer. We leave it in one point: the answer goes to the header From that was proven, and never to
    the envelope sender, Sender or Reply-To, for nobody proved those.
    """
    kind = _ANSWERS.get((decision.action, decision.disposition))
    to = mail.author
    if kind is None or to is None or null_sender or not verdict.proven or mail.mail_class is not MailClass.HUMAN:
        return None
    if not may_be_written_to(to, [*campaign.addresses, *own_addresses]):
        return None
    if kind in _SAYS_YOU_ARE_COUNTED and (entry is None or entry.state is not EntryState.LIVE):
        return None
    return Answer(
        kind=kind,
        key=key,
        campaign=campaign.slug,
        to=to,
        language=language_for(mail.language, campaign, languages),
        entry=entry,
        in_reply_to=mail.message_id if _MESSAGE_ID.fullmatch(mail.message_id) else "",
        references=_thread(mail),
    )


def may_be_written_to(address: str, own: Collection[str]) -> bool:
    """Whether ``address`` is one plain addr-spec of somebody else that a person may read (RFC 3834 §2)."""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        return False
    local, _, domain = address.lower().rpartition("@")
    return not _MACHINES.fullmatch(local) and _mailbox(local, domain) not in {_mailbox_of(one) for one in own}


def language_for(written: str | None, campaign: Campaign, languages: Collection[str] = LANGUAGES) -> str:
    """Return the tag of the texts to use: the mail's language, else the campaign's first that we have, else ``en``."""
    wanted = [written, *campaign.languages] if written else campaign.languages
    return next((have for tag in wanted if (have := _closest(tag, languages))), "en")


def _closest(tag: str, languages: Collection[str]) -> str | None:
    """Look ``tag`` up the way of RFC 4647 §3.4: cut subtags from the right until something is there."""
    if tag in languages:
        return tag
    subtags = tag.replace("_", "-").lower().split("-")
    if subtags[0] == "zh" and not {"hant", "tw", "hk", "mo"}.isdisjoint(subtags):
        subtags = ["zh", "hant"]
    known = {language.lower(): language for language in languages}
    return next((known[cut] for end in range(len(subtags), 0, -1) if (cut := "-".join(subtags[:end])) in known), None)


def _mailbox_of(address: str) -> tuple[str, str]:
    local, _, domain = address.lower().rpartition("@")
    return _mailbox(local, domain)


def _mailbox(local: str, domain: str) -> tuple[str, str]:
    """Without the sub-address: our own VERP and reply tokens are sub-addresses, too (RFC 5233)."""
    return local.partition("+")[0], domain


def _thread(mail: ParsedMail) -> tuple[str, ...]:
    """Return References for the answer: the parent's own, else its In-Reply-To, then the parent (RFC 5322 §3.6.4)."""
    before = mail.references or ((mail.in_reply_to,) if mail.in_reply_to else ())
    chain = dict.fromkeys(one for one in (*before, mail.message_id) if _MESSAGE_ID.fullmatch(one))
    return tuple(chain)[-MOST_REFERENCES:]
