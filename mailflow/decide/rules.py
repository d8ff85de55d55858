"""One small predicate a rule: may it be said of this mail? Each docstring is the sentence that a human reads."""

from datetime import timedelta

from mailflow.decide.addressee import is_near
from mailflow.decide.facts import Facts
from mailflow.decide.identity import identity
from mailflow.model.endorsement import EntryState
from mailflow.model.mail import Assurance, Intent, MailClass

CLOCKS_DIFFER = timedelta(minutes=10)
"""Two servers' clocks may be this far apart before an older mail counts as older."""

SINGLETONS = ("from", "subject", "date", "content-type", "mime-version", "message-id", "to", "cc", "reply-to", "sender")
"""Headers that RFC 5322 §3.6 and RFC 2045 allow once; a second one is how text is changed under a good signature."""


_DOUBLED = frozenset(f"duplicate_{name.replace('-', '_')}" for name in SINGLETONS)


def sent_by_us(facts: Facts) -> bool:
    """It carries one of our own addresses as its author."""
    return facts.policy is not None and facts.mail.author is not None and identity(facts.mail.author) in facts.policy.identities


def is_bounce(facts: Facts) -> bool:
    """A mail server reports that a mail could not be delivered."""
    return facts.mail.mail_class is MailClass.BOUNCE


def is_automatic(facts: Facts) -> bool:
    """A machine wrote it: an absence note, a receipt, a calendar."""
    return facts.mail.mail_class in (MailClass.AUTO_REPLY, MailClass.CALENDAR) or facts.null_sender


def list_post_names_an_author(facts: Facts) -> bool:
    """A mailing list delivered it, and it holds an endorsement that names its author."""
    return facts.mail.mail_class is MailClass.LIST_MAIL and facts.mail.intent is Intent.ENDORSE and bool(facts.mail.signers)


def is_list_mail(facts: Facts) -> bool:
    """A mailing list delivered it."""
    return facts.mail.mail_class is MailClass.LIST_MAIL


def is_a_copy(facts: Facts) -> bool:
    """The same mail came in before, with no less proof."""
    copy = facts.history.copy
    return copy is not None and not (copy.waits_for_proof and facts.verdict.proven)


def is_unreadable(facts: Facts) -> bool:
    """It is too large, too deep or too broken to be read by a program."""
    return facts.mail.mail_class is MailClass.UNREADABLE


def has_no_single_author(facts: Facts) -> bool:
    """It does not have exactly one address in From."""
    return facts.mail.author is None


def has_no_campaign(facts: Facts) -> bool:
    """It names no address of a campaign."""
    return facts.policy is None


def dns_was_unavailable(facts: Facts) -> bool:
    """The keys of its sender could not be looked up now."""
    return facts.verdict.assurance is Assurance.UNKNOWN


def domain_disowns_it(facts: Facts) -> bool:
    """The sender's own domain says that such a mail is forged."""
    return facts.verdict.disowned or facts.verdict.assurance is Assurance.FAILED


def has_doubled_headers(facts: Facts) -> bool:
    """A header that may stand once stands twice: text may have been changed under a good signature."""
    return not _DOUBLED.isdisjoint(facts.mail.defects)


def is_advertising(facts: Facts) -> bool:
    """It advertises something."""
    return facts.mail.intent is Intent.SPAM


def token_not_checked(facts: Facts) -> bool:
    """It answers a question of ours; confirmations are not read yet."""
    return facts.mail.intent is Intent.CONFIRM


def author_is_unproven(facts: Facts) -> bool:
    """Nothing proves that the author in From wrote it."""
    return not facts.verdict.proven


def campaign_is_not_addressed(facts: Facts) -> bool:
    """Its signed To and Cc do not name the campaign: it may have been written for something else."""
    if not facts.age_matters or facts.policy is None:
        return False
    named = {identity(address) for address in facts.mail.addressees}
    return not facts.policy.identities & named and not any(is_near(address, facts.policy.identities) for address in named)


def is_stale(facts: Facts) -> bool:
    """It was signed so long before it came in that it may be a replay."""
    signed, policy = facts.verdict.signed_at, facts.policy
    if not facts.age_matters or policy is None or policy.freshness_days == 0:
        return False
    return signed is None or facts.received_at - signed > timedelta(days=policy.freshness_days)


def is_older_than_last_word(facts: Facts) -> bool:
    """It was written before the author's latest word that we have."""
    entry, signed = facts.history.entry, facts.verdict.signed_at
    if not facts.age_matters or entry is None or entry.last_word_at is None or signed is None:
        return False
    return signed < entry.last_word_at - CLOCKS_DIFFER


def asks_to_withdraw(facts: Facts) -> bool:
    """The author wants to be taken off, and has an entry."""
    return facts.mail.intent is Intent.WITHDRAW and _has_entry(facts)


def nothing_to_withdraw(facts: Facts) -> bool:
    """The author wants to be taken off, but has no entry at this address."""
    return facts.mail.intent is Intent.WITHDRAW


def asks_to_correct(facts: Facts) -> bool:
    """The author wants the entry changed and says how."""
    return facts.mail.intent is Intent.CORRECT and _has_entry(facts) and _says_how(facts)


def nothing_to_correct(facts: Facts) -> bool:
    """The author wants something changed, but what, or in which entry, is not clear."""
    return facts.mail.intent is Intent.CORRECT


def campaign_is_closed(facts: Facts) -> bool:
    """The campaign takes no more endorsements."""
    return facts.policy is not None and facts.policy.closed and facts.mail.intent is Intent.ENDORSE


def does_not_endorse(facts: Facts) -> bool:
    """It is a question, a refusal, or not clear."""
    return facts.mail.intent is not Intent.ENDORSE


def lies_in_junk(facts: Facts) -> bool:
    """The mailbox's own filter had taken it for junk."""
    return facts.junk


def wants_a_human(facts: Facts) -> bool:
    """It endorses, but something in it should be seen by a human first."""
    return bool(facts.mail.cautions)


def name_is_missing(facts: Facts) -> bool:
    """It endorses, but does not say who."""
    return not facts.mail.signers


def names_several_people(facts: Facts) -> bool:
    """It endorses for several people from one address."""
    return len(facts.mail.signers) > 1


def has_endorsed_before(facts: Facts) -> bool:
    """The author has a live entry, and this changes it."""
    return facts.history.entry is not None and facts.history.entry.state is EntryState.LIVE


def always(facts: Facts) -> bool:  # noqa: ARG001 - a rule like the others
    """It is a proven endorsement by one named person."""
    return True


def _has_entry(facts: Facts) -> bool:
    entry = facts.history.entry
    return facts.history.presumed or (entry is not None and entry.state is EntryState.LIVE)


def _says_how(facts: Facts) -> bool:
    mail = facts.mail
    return len(mail.signers) == 1 or bool(mail.words) or not mail.public or mail.asks_to_be_named
