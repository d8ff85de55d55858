"""One mail after the other through the pipeline: what is stored, said and counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import invariants
import pytest
import sqlalchemy as sa
from campaigns import Clock, delta, dns_is_away, letter, tools
from stores import keep, opened

from mailflow import pipeline
from mailflow.config.campaign import Campaign, Listing, Publish
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState
from mailflow.store import books, entries, mails
from mailflow.store.engine import Store
from mailflow.store.schema import events, outbox
from mailflow.store.schema import mails as mail_rows


@dataclass
class World:
    """A store, a clock, and the tools in between."""

    store: Store
    clock: Clock
    tools: pipeline.Tools

    def receive(self, raw: bytes) -> Decision:
        """Keeps a mail and takes it to its decision."""
        (mail_id,) = keep(self.store, raw)
        return self.again(mail_id)

    def again(self, mail_id: int) -> Decision:
        with self.store.read() as tx:
            (mail,) = mails.load(tx, [mail_id])
        return pipeline.receive(mail, self.store, self.tools)

    def entry(self, identity: str = "ann@foo.example") -> Entry | None:
        with self.store.read() as tx:
            return entries.find(tx, "delta", identity)

    def lines(self) -> dict[str, int]:
        with self.store.read() as tx:
            (page,) = books.balance(tx)
        return {str(line): count for line, count in page.lines.items() if count}

    def answers(self) -> list[tuple[str, str]]:
        with self.store.read() as tx:
            return [(row.kind, row.recipient) for row in tx.execute(sa.select(outbox).order_by(outbox.c.id))]

    def told(self) -> list[str]:
        with self.store.read() as tx:
            return list(tx.execute(sa.select(events.c.kind).order_by(events.c.id)).scalars())


@pytest.fixture
def world(store_url: str, tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    with opened(store_url, tmp_path) as store:
        yield World(store, clock, tools(clock))
        invariants.hold(store)


def with_campaign(world: World, campaign: Campaign) -> World:
    return World(world.store, world.clock, tools(world.clock, campaign))


ANN = letter("Ann", "ann@foo.example")


def test_a_proven_endorsement_is_counted_and_answered_once(world: World) -> None:
    decision = world.receive(ANN)
    entry = world.entry()
    assert entry is not None
    assert (decision.action, entry.name, entry.words, entry.state) == (Action.ACCEPT, "Ann", "I endorse.", EntryState.LIVE)
    assert (world.lines(), world.answers(), world.told()) == ({"counted": 1}, [("counted", "ann@foo.example")], ["endorsed"])


def test_an_unproven_endorsement_is_held_and_nothing_is_said(world: World) -> None:
    world.receive(letter("Ann", "ann@foo.example", proof="none"))
    assert (world.entry(), world.lines(), world.answers(), world.told()) == (None, {"held": 1}, [], ["held"])


@pytest.mark.case(84)
def test_a_byte_identical_copy_counts_nothing_and_says_nothing(world: World) -> None:
    for _ in range(3):
        world.receive(ANN)
    assert (world.lines(), len(world.answers())) == ({"counted": 1, "duplicate": 2}, 1)


@pytest.mark.case(84)
def test_the_same_text_in_a_new_mail_is_one_endorsement_and_says_so_kindly(world: World) -> None:
    world.receive(ANN)
    world.receive(letter("Ann", "ann@foo.example", message_id="other@foo.example"))
    assert world.lines() == {"counted": 1, "duplicate": 1}
    assert [kind for kind, _ in world.answers()] == ["counted", "already"]


@pytest.mark.case(87)
def test_the_same_text_by_two_people_is_two_endorsements(world: World) -> None:
    world.receive(ANN)
    world.receive(letter("Bob", "bob@foo.example"))
    assert world.lines() == {"counted": 2}


@pytest.mark.case(82)
def test_a_message_id_that_somebody_used_before_does_not_hide_a_mail(world: World) -> None:
    world.receive(letter("Mallory", "mallory@bad.example", message_id="ann1@foo.example", proof="none"))
    world.receive(letter("Ann", "ann@foo.example", message_id="ann1@foo.example"))
    assert world.lines() == {"counted": 1, "held": 1}


def test_a_second_endorsement_changes_the_entry(world: World) -> None:
    world.receive(ANN)
    world.receive(letter("Ann", "Ann+x@foo.example", words="With all my heart."))
    entry = world.entry()
    assert entry is not None
    assert (entry.words, entry.version) == ("With all my heart.", 2)
    assert (world.lines(), world.told()) == ({"counted": 1, "changed": 1}, ["endorsed", "updated"])


def test_a_proven_copy_lends_its_proof_to_the_first(world: World) -> None:
    world.receive(letter("Ann", "ann@foo.example", proof="none"))
    world.receive(ANN)
    world.receive(ANN)
    assert (world.lines(), world.answers()) == ({"counted": 1, "duplicate": 2}, [("counted", "ann@foo.example")])


@pytest.mark.case(85)
def test_the_last_word_counts_in_the_order_it_came_in(world: World) -> None:
    world.receive(ANN)
    world.receive(letter("Ann", "ann@foo.example", intent="withdraw", words=""))
    withdrawn = world.entry()
    world.receive(letter("Ann", "ann@foo.example", words="I have thought again."))
    again = world.entry()
    assert withdrawn is not None
    assert again is not None
    assert (withdrawn.state, again.state, again.version) == (EntryState.WITHDRAWN, EntryState.LIVE, 3)
    assert world.lines() == {"counted": 2, "withdrawn": 1}
    assert [kind for kind, _ in world.answers()] == ["counted", "withdrawn", "counted"]


@pytest.mark.case(57)
def test_a_replay_after_the_withdrawal_has_no_effect(world: World) -> None:
    world.receive(ANN)
    world.clock.move(days=2)
    world.receive(letter("Ann", "ann@foo.example", intent="withdraw", words=""))
    world.receive(ANN)
    world.receive(letter("Ann", "ann@foo.example", words="An older mail, held back by somebody.", days_old=1))
    entry = world.entry()
    assert entry is not None
    assert entry.state is EntryState.WITHDRAWN
    assert world.lines() == {"counted": 1, "withdrawn": 1, "duplicate": 1, "held": 1}


@pytest.mark.case(58)
def test_a_mail_signed_weeks_ago_is_shown_to_a_human(world: World) -> None:
    world.receive(letter("Ann", "ann@foo.example", days_old=15))
    assert world.lines() == {"held": 1}


@pytest.mark.case(56)
def test_a_mail_written_to_another_campaign_is_shown_to_a_human(world: World) -> None:
    world.receive(letter("Ann", "ann@foo.example", to=["endorse@other.example"]))
    assert world.lines() == {"held": 1}


@pytest.mark.case(90)
def test_a_forged_withdrawal_changes_nothing(world: World) -> None:
    world.receive(ANN)
    before = world.entry()
    world.receive(letter("Ann", "ann@foo.example", intent="withdraw", proof="none", words=""))
    assert (world.entry(), world.lines()) == (before, {"counted": 1, "held": 1})


def test_a_correction_changes_only_what_it_speaks_of(world: World) -> None:
    world.receive(letter("Ann", "ann@foo.example", country="NZ"))
    world.receive(letter("Anne", "ann@foo.example", intent="correct", words=""))
    entry = world.entry()
    assert entry is not None
    assert (entry.name, entry.country, entry.words, world.told()[-1]) == ("Anne", "NZ", "I endorse.", "corrected")


def test_a_request_to_be_hidden_hides(world: World) -> None:
    world.receive(ANN)
    world.receive(letter("", "ann@foo.example", intent="correct", words="", public=False))
    entry = world.entry()
    assert entry is not None
    assert (entry.named, entry.words_shown, world.lines()) == (False, False, {"counted": 1, "changed": 1})


NAMED = {
    "named by default": (Listing.NAMED, True, True),
    "asked to stay unnamed": (Listing.NAMED, False, False),
    "ask: not before the signer says so": (Listing.ASK, True, False),
    "count: nobody is named": (Listing.COUNT, True, False),
}


@pytest.mark.parametrize("case", NAMED.values(), ids=NAMED)
def test_people_are_named_only_as_the_notice_says(world: World, case: tuple[Listing, bool, bool]) -> None:
    listing, public, named = case
    with_campaign(world, delta(listing=listing)).receive(letter("Ann", "ann@foo.example", public=public))
    entry = world.entry()
    assert entry is not None
    assert entry.named is named


def test_a_campaign_may_want_a_review_before_anything_is_published(world: World) -> None:
    with_campaign(world, delta(publish=Publish.AFTER_REVIEW)).receive(ANN)
    entry = world.entry()
    assert entry is not None
    assert not entry.published


def test_a_closed_campaign_says_so(world: World) -> None:
    with_campaign(world, delta(closed=True)).receive(ANN)
    assert (world.lines(), world.answers()) == ({"refused": 1}, [("closed", "ann@foo.example")])


@pytest.mark.case(104)
@pytest.mark.case(106)
def test_nobody_gets_more_than_a_few_answers_a_day(world: World) -> None:
    for n in range(20):
        world.receive(letter("Ann", "ann@foo.example", words=f"Once more, {n}."))
    assert len(world.answers()) == pipeline.ANSWERS_A_DAY
    world.clock.move(days=1, minutes=1)
    world.receive(letter("Ann", "ann@foo.example", words="And again."))
    assert len(world.answers()) == pipeline.ANSWERS_A_DAY + 1


@pytest.mark.fault("dns-down")
def test_while_dns_is_away_a_mail_waits_and_is_never_called_forged(world: World) -> None:
    away = World(world.store, world.clock, tools(world.clock, authenticate=dns_is_away))
    assert away.receive(ANN).action is Action.DEFER
    assert away.lines() == {"in_flight": 1}
    world.clock.move(hours=47)
    assert world.again(1).action is Action.ACCEPT


@pytest.mark.fault("dns-down")
def test_after_two_days_without_dns_a_human_looks(world: World) -> None:
    away = World(world.store, world.clock, tools(world.clock, authenticate=dns_is_away))
    away.receive(ANN)
    world.clock.move(hours=49)
    assert (away.again(1).reason, away.lines(), away.answers()) == ("dns_was_unavailable", {"held": 1}, [])


def test_a_mail_without_a_campaign_goes_to_the_only_one_there_is(world: World) -> None:
    with world.store.write() as tx:
        tx.execute(sa.select(1))
    (mail_id,) = keep(world.store, ANN)
    with world.store.write() as tx:
        tx.execute(sa.update(mail_rows).values(campaign=None))
    world.again(mail_id)
    assert world.lines() == {"counted": 1}


def test_evidence_and_reasons_stay_with_the_mail(world: World) -> None:
    world.receive(ANN)
    with world.store.read() as tx:
        row = tx.execute(sa.select(mail_rows)).one()
    assert (row.action, row.reasons, row.evidence, row.assurance) == ("accept", ["always"], ["proof=aligned"], "aligned")
    assert row.decided_at - row.received_at < timedelta(days=1)
    assert Disposition(row.disposition) is Disposition.COUNTED
