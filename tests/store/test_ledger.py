"""Entries, events, outbox, digest windows, leases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from stores import NOW, new_mail, opened

from mailflow.model.answer import OutgoingMail
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState, EventKind
from mailflow.model.mail import Assurance
from mailflow.store import digests, effects, entries, events, leases, mails, outbox, reviewers
from mailflow.store.engine import Store
from mailflow.store.schema import versions

ENTRY = Entry(
    id=0, campaign="delta", identity="ann@foo.example", address="ann@foo.example", name="Ann", title=None, affiliation=None, place=None,
    country="NZ", organisation=None, words="Keep it.", language="en", named=True, words_shown=True, assurance=Assurance.ALIGNED,
    state=EntryState.LIVE, version=1, statement_hash="h", notice_version="1", changed_at=NOW, last_word_at=NOW,
)  # fmt: skip
MAIL = OutgoingMail("id1@delta.example", "", "ann@foo.example", b"To: ann@foo.example\r\n\r\nThank you.\r\n")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    with opened(store_url, tmp_path) as store:
        yield store


def save(store: Store, entry: Entry) -> Entry:
    """Saves an entry as the effect of a mail that is not there: only the entry's own rows matter here."""
    decision = Decision(Action.ACCEPT, ("always",), Disposition.COUNTED)
    found = dict.fromkeys(("campaign", "assurance", "evidence", "language", "content_hash", "content_key"))
    with store.write() as tx:
        (mail_id,) = mails.keep(tx, [new_mail()])
        effects.write(tx, [effects.Effects(mail_id, mail_id, decision, found, NOW, "delta", entry, changed=True)])
        saved = entries.find(tx, entry.campaign, entry.identity)
    assert saved is not None
    return saved


def test_an_entry_is_found_as_it_was_saved(store: Store) -> None:
    saved = save(store, ENTRY)
    with store.read() as tx:
        assert entries.find(tx, "delta", "ann@foo.example") == saved == replace(ENTRY, id=saved.id)
        assert entries.find(tx, "other", "ann@foo.example") is None


def test_every_version_of_an_entry_is_kept(store: Store) -> None:
    first = save(store, ENTRY)
    save(store, replace(first, name="Anne", version=2))
    with store.read() as tx:
        assert [row.record["name"] for row in tx.execute(sa.select(versions).order_by(versions.c.version))] == ["Ann", "Anne"]


def test_a_second_entry_for_one_person_is_refused(store: Store) -> None:
    save(store, ENTRY)
    with pytest.raises(sa.exc.IntegrityError):
        save(store, ENTRY)


def test_only_live_entries_are_counted(store: Store) -> None:
    save(store, ENTRY)
    save(store, replace(ENTRY, identity="bob@foo.example", state=EntryState.WITHDRAWN))
    with store.read() as tx:
        assert entries.count_live(tx, "delta") == 1
        assert [entry.identity for entry in entries.live(tx, "delta")] == ["ann@foo.example"]


def append(store: Store, count: int = 1, campaign: str = "delta") -> None:
    with store.write() as tx:
        for _ in range(count):
            events.append(tx, EventKind.HELD, campaign=campaign, at=NOW, actor="mail", reason="r")


def number(store: Store) -> int:
    with store.write() as tx:
        return events.number(tx)


def test_events_get_numbers_without_gaps_in_the_order_they_were_committed(store: Store) -> None:
    append(store, 3)
    assert number(store) == 3
    append(store, 2)
    assert number(store) == 2
    with store.read() as tx:
        assert [event.seq for event in events.window(tx, "delta", 0, 99)] == [1, 2, 3, 4, 5]


def test_an_event_that_is_committed_late_gets_a_higher_number_than_those_already_read(store: Store) -> None:
    if store.path is not None:
        pytest.skip("SQLite has one writer at a time, so no event can be committed out of order")
    with store.engine.begin() as slow:
        events.append(slow, EventKind.HELD, campaign="delta", at=NOW, actor="mail", reason="slow")
        append(store)
        assert number(store) == 1
    assert number(store) == 1
    with store.read() as tx:
        assert [event.reason for event in events.window(tx, "delta", 0, 9)] == ["r", "slow"]


def test_a_window_holds_one_campaign_only(store: Store) -> None:
    append(store, 1, "delta")
    append(store, 1, "other")
    number(store)
    with store.read() as tx:
        assert [event.campaign for event in events.window(tx, "other", 0, 9)] == ["other"]


def add(store: Store, key: str = "k1", mail: OutgoingMail = MAIL) -> int:
    with store.write() as tx:
        return outbox.add(tx, mail, key=key, kind="counted", campaign="delta", now=NOW)


def test_the_same_thing_is_not_said_twice(store: Store) -> None:
    add(store)
    with pytest.raises(sa.exc.IntegrityError):
        add(store)


def test_two_senders_never_get_the_same_mail(store: Store) -> None:
    add(store)
    with store.write() as tx:
        assert len(outbox.claim(tx, "s1", NOW, MINUTE, 9)) == 1
        assert outbox.claim(tx, "s2", NOW, MINUTE, 9) == []
        assert len(outbox.claim(tx, "s2", NOW + 2 * MINUTE, MINUTE, 9)) == 1


def test_a_deferred_mail_waits_and_a_refused_one_is_given_up(store: Store) -> None:
    one, two = add(store, "k1"), add(store, "k2", replace(MAIL, message_id="id2@delta.example"))
    with store.write() as tx:
        outbox.later(tx, one, NOW + MINUTE, "the smarthost said later (451)")
        outbox.failed(tx, two, "the smarthost refused the mail (550)")
        assert outbox.claim(tx, "s", NOW, MINUTE, 9) == []
        assert [(letter.id, letter.attempts) for letter in outbox.claim(tx, "s", NOW + MINUTE, MINUTE, 9)] == [(one, 1)]
        assert outbox.counts(tx) == {"waiting": 1, "sent": 0, "failed": 1}


def test_what_was_sent_is_not_claimed_again(store: Store) -> None:
    id_ = add(store)
    with store.write() as tx:
        outbox.sent(tx, [id_], NOW)
        assert outbox.claim(tx, "s", NOW + 9 * MINUTE, MINUTE, 9) == []
        assert outbox.next_due(tx) is None


def test_an_organiser_has_one_window_a_day(store: Store) -> None:
    day = date(2026, 9, 10)
    with store.write() as tx:
        assert digests.last_window(tx, "delta", "org@foo.example") == (None, 0)
        digests.open_window(tx, "delta", "org@foo.example", day, 0, 5, NOW)
        assert digests.last_window(tx, "delta", "org@foo.example") == (day, 5)
    with pytest.raises(sa.exc.IntegrityError), store.write() as tx:
        digests.open_window(tx, "delta", "org@foo.example", day, 5, 6, NOW)


def test_a_lease_has_one_holder_until_it_ends(store: Store) -> None:
    with store.write() as tx:
        assert leases.take(tx, "numbering", "one", NOW, MINUTE)
        assert leases.take(tx, "numbering", "one", NOW, MINUTE)
        assert not leases.take(tx, "numbering", "two", NOW, MINUTE)
        assert leases.take(tx, "numbering", "two", NOW + 2 * MINUTE, MINUTE)
        leases.give_back(tx, "numbering", "two")
        assert leases.take(tx, "numbering", "one", NOW, MINUTE)


def test_the_secret_of_a_store_is_made_once(store: Store) -> None:
    with store.write() as tx:
        first = leases.secret(tx)
    with store.write() as tx:
        assert (leases.secret(tx), len(first)) == (first, 32)


def test_a_removed_reviewer_can_come_back(store: Store) -> None:
    with store.write() as tx:
        assert reviewers.add(tx, "delta", "rev@foo.example", "reviewer", NOW)
        assert not reviewers.add(tx, "delta", "rev@foo.example", "reviewer", NOW)
        assert reviewers.remove(tx, "delta", "rev@foo.example", NOW)
        assert not reviewers.remove(tx, "delta", "rev@foo.example", NOW)
        assert reviewers.current(tx, "delta") == []
        assert reviewers.add(tx, "delta", "rev@foo.example", "owner", NOW)
        assert [row["role"] for row in reviewers.current(tx)] == ["owner"]
