"""The table of rules, walked with facts; each case is one line."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailflow.decide import INCOMING, Facts, FirstCopy, History, Policy, decide, rules
from mailflow.model.decision import Action, Disposition
from mailflow.model.endorsement import Entry, EntryState
from mailflow.model.mail import Assurance, Caution, Intent, MailClass, ParsedMail, Signer, Verdict

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
POLICY = Policy("delta", frozenset({"endorse@delta.example"}), closed=False, freshness_days=14)
MAIL = ParsedMail(
    sha256="a" * 64,
    content_hash="c" * 64,
    mail_class=MailClass.HUMAN,
    intent=Intent.ENDORSE,
    author="ann@foo.example",
    addressees=("endorse@delta.example",),
    signers=(Signer("Ann Example"),),
    words="I endorse.",
)
PROVEN = Verdict(Assurance.ALIGNED, signed_at=NOW)
NOTHING = Verdict(Assurance.NONE)
ENTRY = Entry(
    id=7, campaign="delta", identity="ann@foo.example", address="ann@foo.example", name="Ann Example", title=None, affiliation=None,
    place=None, country=None, organisation=None, words="", language="en", named=True, words_shown=True, assurance=Assurance.ALIGNED,
    state=EntryState.LIVE, version=1, statement_hash="", notice_version="1", changed_at=NOW, last_word_at=NOW - timedelta(days=1),
)  # fmt: skip


def facts(
    verdict: Verdict = PROVEN, history: History | None = None, policy: Policy | None = POLICY, null: bool = False, **mail: Any
) -> Facts:
    return Facts(replace(MAIL, **mail), verdict, history or History(), policy, NOW, null_sender=null)


OF_ENTRY = History(entry=ENTRY)
OLD = replace(PROVEN, signed_at=NOW - timedelta(days=15))
CASES: dict[str, tuple[Facts, str, Action, Disposition]] = {
    "a proven endorsement is counted": (facts(), "always", Action.ACCEPT, Disposition.COUNTED),
    "a second one changes the entry": (facts(history=OF_ENTRY), "has_endorsed_before", Action.ACCEPT, Disposition.CHANGED),
    "a withdrawn person may come back": (facts(history=History(entry=replace(ENTRY, state=EntryState.WITHDRAWN))), "always", Action.ACCEPT, Disposition.COUNTED),
    "an unproven one waits": (facts(NOTHING), "author_is_unproven", Action.HOLD, Disposition.HELD),
    "DNS away: later, not forged": (facts(Verdict(Assurance.UNKNOWN)), "dns_was_unavailable", Action.DEFER, Disposition.IN_FLIGHT),
    "disowned by its domain": (facts(Verdict(Assurance.FAILED, disowned=True)), "domain_disowns_it", Action.HOLD, Disposition.HELD),
    "our own address": (facts(author="Endorse+x@delta.example"), "sent_by_us", Action.IGNORE, Disposition.AUTOMATIC),
    "a bounce": (facts(mail_class=MailClass.BOUNCE), "is_bounce", Action.IGNORE, Disposition.AUTOMATIC),
    "null envelope sender": (facts(null=True), "is_automatic", Action.IGNORE, Disposition.AUTOMATIC),
    "an absence note": (facts(mail_class=MailClass.AUTO_REPLY), "is_automatic", Action.IGNORE, Disposition.AUTOMATIC),
    "a list post without a name": (facts(mail_class=MailClass.LIST_MAIL, signers=()), "is_list_mail", Action.IGNORE, Disposition.AUTOMATIC),
    "a list post with a name": (facts(mail_class=MailClass.LIST_MAIL), "list_post_names_an_author", Action.HOLD, Disposition.HELD),
    "no author": (facts(author=None), "has_no_single_author", Action.HOLD, Disposition.HELD),
    "no campaign": (facts(policy=None), "has_no_campaign", Action.HOLD, Disposition.HELD),
    "unreadable": (facts(mail_class=MailClass.UNREADABLE), "is_unreadable", Action.HOLD, Disposition.HELD),
    "two subjects": (facts(defects=("duplicate_subject",)), "has_doubled_headers", Action.HOLD, Disposition.HELD),
    "advertising": (facts(intent=Intent.SPAM), "is_advertising", Action.IGNORE, Disposition.REFUSED),
    "an answer to a question": (facts(intent=Intent.CONFIRM), "token_not_checked", Action.HOLD, Disposition.HELD),
    "written to somebody else": (facts(addressees=("other@else.example",)), "campaign_is_not_addressed", Action.HOLD, Disposition.HELD),
    "signed long ago": (facts(OLD), "is_stale", Action.HOLD, Disposition.HELD),
    "signed nobody knows when": (facts(replace(PROVEN, signed_at=None)), "is_stale", Action.HOLD, Disposition.HELD),
    "older than the last word": (facts(replace(PROVEN, signed_at=NOW - timedelta(days=2)), OF_ENTRY), "is_older_than_last_word", Action.HOLD, Disposition.HELD),
    "withdrawal": (facts(history=OF_ENTRY, intent=Intent.WITHDRAW), "asks_to_withdraw", Action.WITHDRAW, Disposition.WITHDRAWN),
    "withdrawal of nothing": (facts(intent=Intent.WITHDRAW), "nothing_to_withdraw", Action.HOLD, Disposition.HELD),
    "correction": (facts(history=OF_ENTRY, intent=Intent.CORRECT), "asks_to_correct", Action.CORRECT, Disposition.CHANGED),
    "correction of what?": (facts(history=OF_ENTRY, intent=Intent.CORRECT, signers=(), words=""), "nothing_to_correct", Action.HOLD, Disposition.HELD),
    "question": (facts(intent=Intent.QUESTION), "does_not_endorse", Action.HOLD, Disposition.HELD),
    "unclear": (facts(intent=Intent.UNCLEAR), "does_not_endorse", Action.HOLD, Disposition.HELD),
    "closed campaign": (facts(policy=replace(POLICY, closed=True)), "campaign_is_closed", Action.DECLINE, Disposition.REFUSED),
    "in the junk folder": (replace(facts(), junk=True), "lies_in_junk", Action.HOLD, Disposition.HELD),
    "a withdrawal in the junk folder": (replace(facts(history=OF_ENTRY, intent=Intent.WITHDRAW), junk=True), "asks_to_withdraw", Action.WITHDRAW, Disposition.WITHDRAWN),
    "a mistyped address": (facts(addressees=("endorce@delta.example",)), "always", Action.ACCEPT, Disposition.COUNTED),
    "a condition": (facts(cautions=(Caution.CONDITION,)), "wants_a_human", Action.HOLD, Disposition.HELD),
    "two people": (facts(signers=(Signer("Ann"), Signer("Bob"))), "names_several_people", Action.HOLD, Disposition.HELD),
    "nobody's name": (facts(signers=()), "name_is_missing", Action.HOLD, Disposition.HELD),
    "a copy": (facts(history=History(FirstCopy(3, proven=True, waits_for_proof=False))), "is_a_copy", Action.IGNORE, Disposition.DUPLICATE),
    "an unproven copy of an unproven mail": (facts(NOTHING, History(FirstCopy(3, proven=False, waits_for_proof=True))), "is_a_copy", Action.IGNORE, Disposition.DUPLICATE),
    "a proven copy of an unproven mail": (facts(PROVEN, History(FirstCopy(3, proven=False, waits_for_proof=True))), "always", Action.ACCEPT, Disposition.COUNTED),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_mail_gets_its_decision_and_a_named_reason(case: tuple[Facts, str, Action, Disposition]) -> None:
    known, reason, action, disposition = case
    decision = decide(known)
    assert (decision.reason, decision.action, decision.disposition) == (reason, action, disposition)


def test_every_row_of_the_table_is_reached_by_a_case() -> None:
    reached = {reason for _, reason, _, _ in CASES.values()}
    assert {row.name for row in INCOMING} == reached


@pytest.mark.case(54)
@pytest.mark.case(90)
@pytest.mark.parametrize("intent", Intent, ids=str)
@pytest.mark.parametrize("kind", MailClass, ids=str)
@pytest.mark.parametrize("assurance", [Assurance.NONE, Assurance.FAILED, Assurance.UNKNOWN], ids=str)
def test_an_unproven_mail_over_an_entry_changes_nothing(assurance: Assurance, kind: MailClass, intent: Intent) -> None:
    decision = decide(facts(Verdict(assurance), OF_ENTRY, intent=intent, mail_class=kind))
    assert decision.action in (Action.HOLD, Action.IGNORE, Action.DEFER)
    assert decision.disposition not in (Disposition.COUNTED, Disposition.CHANGED, Disposition.WITHDRAWN)


def test_no_row_before_the_proof_changes_an_entry() -> None:
    names = [row.name for row in INCOMING]
    before = INCOMING[: names.index("author_is_unproven")]
    assert {row.action for row in before} <= {Action.HOLD, Action.IGNORE, Action.DEFER}


def test_every_reason_is_a_sentence_that_a_human_can_read() -> None:
    for row in INCOMING:
        sentence = row.rule.__doc__ or ""
        assert re.match(r"[A-Z].+\.$", sentence.strip(), re.DOTALL), row.name


def test_each_rule_of_the_module_stands_in_the_table() -> None:
    public = {
        name
        for name, thing in vars(rules).items()
        if callable(thing) and not name.startswith("_") and getattr(thing, "__module__", "") == rules.__name__
    }
    assert public == {row.name for row in INCOMING}
