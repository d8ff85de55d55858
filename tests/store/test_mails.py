"""Mails in the store: kept whole, claimed once, set aside after three tries."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from stores import NOW, keep, new_mail, opened

from mailflow.model.decision import Action, Decision, Disposition
from mailflow.store import books, effects, mails
from mailflow.store.engine import Store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    with opened(store_url, tmp_path) as store:
        yield store


def claim(store: Store, owner: str = "w1", at: timedelta = timedelta(), limit: int = 20) -> list[int]:
    with store.write() as tx:
        return [mail.id for mail in mails.claim(tx, owner, NOW + at, MINUTE, limit)]


def disposition(store: Store, mail_id: int) -> str:
    with store.read() as tx:
        return str(tx.exec_driver_sql(f"SELECT disposition FROM mails WHERE id = {mail_id}").scalar_one())


def test_a_mail_comes_out_byte_for_byte_as_it_went_in(store: Store) -> None:
    raw = bytes(range(256)) * 20
    (mail_id,) = keep(store, raw)
    with store.read() as tx:
        (kept,) = mails.load(tx, [mail_id])
    assert (kept.raw, kept.envelope, kept.received_at) == (raw, new_mail().envelope, NOW)


def test_ids_follow_the_order_of_the_group(store: Store) -> None:
    ids = keep(store, *[f"Subject: {n}\r\n\r\n".encode() for n in range(50)])
    assert ids == sorted(ids)
    assert len(set(ids)) == 50


@pytest.mark.case(23)
def test_envelope_text_that_no_database_takes_is_made_inert(store: Store) -> None:
    odd = new_mail()
    odd = mails.NewMail(odd.raw, odd.sha256, type(odd.envelope)("smtp", "a\0b\ud800@x", ("c\0@d",), None, "h\0"), None, NOW)
    with store.write() as tx:
        (mail_id,) = mails.keep(tx, [odd])
    with store.read() as tx:
        (kept,) = mails.load(tx, [mail_id])
    assert (kept.envelope.sender, kept.envelope.helo) == ("a\ufffdb?@x", "h\ufffd")


def test_two_workers_never_get_the_same_mail(store: Store) -> None:
    keep(store, b"1", b"2", b"3")
    assert not set(claim(store, "w1", limit=2)) & set(claim(store, "w2", limit=2))


def test_a_lease_that_ran_out_gives_the_mail_to_another(store: Store) -> None:
    (mail_id,) = keep(store)
    assert claim(store, "w1") == [mail_id]
    assert claim(store, "w2") == []
    assert claim(store, "w2", at=2 * MINUTE) == [mail_id]


def test_mails_that_were_tried_before_are_claimed_alone(store: Store) -> None:
    ids = keep(store, b"1", b"2", b"3")
    claim(store, "w1")
    with store.write() as tx:
        assert mails.release(tx, "w1", "killed") == 3
    assert [claim(store, f"w{n}") for n in (2, 3, 4)] == [[ids[0]], [ids[1]], [ids[2]]]


def test_the_third_failure_sets_a_mail_aside_whole(store: Store) -> None:
    (mail_id,) = keep(store, b"poison")
    for n in range(3):
        assert claim(store, f"w{n}") == [mail_id]
        with store.write() as tx:
            assert mails.set_aside_worn_out(tx, NOW) == []
            mails.release(tx, f"w{n}", "killed")
    assert claim(store, "w4") == []
    with store.write() as tx:
        assert mails.set_aside_worn_out(tx, NOW) == [(mail_id, "delta")]
    with store.read() as tx:
        assert mails.load(tx, [mail_id])[0].raw == b"poison"
    assert disposition(store, mail_id) == Disposition.SET_ASIDE


def test_a_mail_that_was_set_aside_can_be_tried_again(store: Store) -> None:
    (mail_id,) = keep(store)
    for n in range(3):
        claim(store, f"w{n}")
        with store.write() as tx:
            mails.release(tx, f"w{n}", "killed")
            mails.set_aside_worn_out(tx, NOW)
    with store.write() as tx:
        assert mails.retry(tx, [mail_id], NOW) == 1
        assert mails.retry(tx, None, NOW) == 0
    assert claim(store, "w9") == [mail_id]


def test_giving_back_does_not_count_as_a_try(store: Store) -> None:
    keep(store)
    for n in range(10):
        assert claim(store, f"w{n}")
        with store.write() as tx:
            assert mails.give_back(tx, f"w{n}") == 1


def test_a_postponed_mail_waits_for_its_time(store: Store) -> None:
    (mail_id,) = keep(store)
    claim(store)
    with store.write() as tx:
        decision = Decision(Action.DEFER, ("dns_was_unavailable",), Disposition.IN_FLIGHT)
        effects.write(tx, [effects.Effects(mail_id, mail_id, decision, {}, NOW, postpone=NOW + MINUTE)])
    assert claim(store) == []
    assert claim(store, at=MINUTE) == [mail_id]


def test_a_worker_that_was_away_too_long_has_nothing_to_settle(store: Store) -> None:
    (mail_id,) = keep(store)
    claim(store, "w1")
    claim(store, "w2", at=2 * MINUTE)
    with store.write() as tx:
        assert mails.still_mine(tx, [mail_id], "w1") == set()
        assert mails.still_mine(tx, [mail_id], "w2") == {mail_id}


def test_the_books_count_each_mail_once(store: Store) -> None:
    keep(store, b"1", b"2")
    with store.read() as tx:
        (page,) = books.balance(tx)
    assert (page.received, page.lines[Disposition.IN_FLIGHT], page.balanced) == (2, 2, True)


def test_the_books_tell_when_bytes_are_gone(store: Store) -> None:
    keep(store, b"1", b"2")
    with store.write() as tx:
        tx.exec_driver_sql("DELETE FROM raws WHERE mail_id = 1")
    with store.read() as tx:
        (page,) = books.balance(tx)
    assert not page.balanced


def test_a_campaign_without_mail_has_books_too(store: Store) -> None:
    with store.read() as tx:
        (page,) = books.balance(tx, ("quiet",))
    assert (page.campaign, page.received, page.balanced) == ("quiet", 0, True)
