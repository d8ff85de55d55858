"""The table: first match wins. No row above author_is_unproven may change an entry."""

from collections.abc import Callable
from dataclasses import dataclass

from mailflow.decide import rules
from mailflow.decide.facts import Facts
from mailflow.model.decision import Action, Decision, Disposition

Predicate = Callable[[Facts], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, what is done when it matches, and the line of the books."""

    rule: Predicate
    action: Action
    disposition: Disposition

    @property
    def name(self) -> str:
        """The reason that is written onto the mail."""
        return self.rule.__name__


INCOMING: tuple[Row, ...] = (
    Row(rules.sent_by_us, Action.IGNORE, Disposition.AUTOMATIC),
    Row(rules.is_bounce, Action.IGNORE, Disposition.AUTOMATIC),
    Row(rules.is_automatic, Action.IGNORE, Disposition.AUTOMATIC),
    Row(rules.is_a_copy, Action.IGNORE, Disposition.DUPLICATE),
    Row(rules.list_post_names_an_author, Action.HOLD, Disposition.HELD),
    Row(rules.is_list_mail, Action.IGNORE, Disposition.AUTOMATIC),
    Row(rules.is_unreadable, Action.HOLD, Disposition.HELD),
    Row(rules.has_no_single_author, Action.HOLD, Disposition.HELD),
    Row(rules.has_no_campaign, Action.HOLD, Disposition.HELD),
    Row(rules.dns_was_unavailable, Action.DEFER, Disposition.IN_FLIGHT),
    Row(rules.domain_disowns_it, Action.HOLD, Disposition.HELD),
    Row(rules.has_doubled_headers, Action.HOLD, Disposition.HELD),
    Row(rules.is_advertising, Action.IGNORE, Disposition.REFUSED),
    Row(rules.token_not_checked, Action.HOLD, Disposition.HELD),
    Row(rules.author_is_unproven, Action.HOLD, Disposition.HELD),
    Row(rules.campaign_is_not_addressed, Action.HOLD, Disposition.HELD),
    Row(rules.is_stale, Action.HOLD, Disposition.HELD),
    Row(rules.is_older_than_last_word, Action.HOLD, Disposition.HELD),
    Row(rules.asks_to_withdraw, Action.WITHDRAW, Disposition.WITHDRAWN),
    Row(rules.nothing_to_withdraw, Action.HOLD, Disposition.HELD),
    Row(rules.asks_to_correct, Action.CORRECT, Disposition.CHANGED),
    Row(rules.nothing_to_correct, Action.HOLD, Disposition.HELD),
    Row(rules.does_not_endorse, Action.HOLD, Disposition.HELD),
    Row(rules.campaign_is_closed, Action.DECLINE, Disposition.REFUSED),
    Row(rules.lies_in_junk, Action.HOLD, Disposition.HELD),
    Row(rules.wants_a_human, Action.HOLD, Disposition.HELD),
    Row(rules.names_several_people, Action.HOLD, Disposition.HELD),
    Row(rules.name_is_missing, Action.HOLD, Disposition.HELD),
    Row(rules.has_endorsed_before, Action.ACCEPT, Disposition.CHANGED),
    Row(rules.always, Action.ACCEPT, Disposition.COUNTED),
)


def decide(facts: Facts) -> Decision:
    """The one decision for these facts. Pure: the same facts always give the same decision."""
    row = next(row for row in INCOMING if row.rule(facts))
    return Decision(row.action, (row.name, *_flags(facts)), row.disposition)


def _flags(facts: Facts) -> tuple[str, ...]:
    """What else a human would want to know."""
    return tuple(dict.fromkeys([*(str(caution) for caution in facts.mail.cautions), *facts.verdict.flaws, *facts.flags]))
