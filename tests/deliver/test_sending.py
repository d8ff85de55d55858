"""The outbox goes out: sent once, later, or given up."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from stores import NOW, opened

from mailflow.deliver.sending import GIVE_UP, SCHEDULE, pause, send_batch
from mailflow.model.answer import OutgoingMail
from mailflow.model.errors import DeliveryDeferred, DeliveryRefused
from mailflow.store import outbox
from mailflow.store.engine import Store

MAIL = OutgoingMail("id0@delta.example", "", "ann@foo.example", b"To: ann@foo.example\r\n\r\nThank you.\r\n")


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    with opened(store_url, tmp_path) as store:
        yield store


@dataclass
class Scripted:
    """A transport that fails as told, mail by mail."""

    failures: list[Exception | None] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.sent.append(mail.message_id)


def fill(store: Store, count: int) -> None:
    with store.write() as tx:
        for n in range(count):
            outbox.add(tx, replace(MAIL, message_id=f"id{n}@delta.example"), key=f"k{n}", kind="counted", campaign="delta", now=NOW)


def send(store: Store, transport: Scripted, at: datetime = NOW) -> int:
    return send_batch(store, transport, "s1", lambda: at, lambda: 0.0)


def counts(store: Store) -> tuple[int, int, int]:
    with store.read() as tx:
        found = outbox.counts(tx)
    return found["waiting"], found["sent"], found["failed"]


def test_everything_due_is_sent_once(store: Store) -> None:
    fill(store, 3)
    transport = Scripted()
    assert (send(store, transport), send(store, transport)) == (3, 0)
    assert (transport.sent, counts(store)) == ([f"id{n}@delta.example" for n in range(3)], (0, 3, 0))


def test_a_refused_mail_is_given_up_and_the_others_go_on(store: Store) -> None:
    fill(store, 3)
    send(store, Scripted([None, DeliveryRefused("the smarthost refused the mail (550)")]))
    assert counts(store) == (0, 2, 1)


def test_a_deferred_mail_is_tried_again_when_its_pause_is_over(store: Store) -> None:
    fill(store, 1)
    assert send(store, Scripted([DeliveryDeferred("later (451)")])) == 1
    assert send(store, Scripted(), NOW + SCHEDULE[0] / 2) == 0
    assert send(store, Scripted(), NOW + SCHEDULE[0]) == 1
    assert counts(store) == (0, 1, 0)


@pytest.mark.fault("smarthost-down")
def test_when_the_connection_breaks_the_rest_of_the_batch_waits_untouched(store: Store) -> None:
    fill(store, 5)
    transport = Scripted([None, DeliveryDeferred("no connection", broken=True)])
    send(store, transport)
    assert (len(transport.sent), counts(store)) == (1, (4, 1, 0))
    send(store, transport)
    assert len(transport.sent) == 4


def test_after_five_days_a_mail_is_given_up(store: Store) -> None:
    fill(store, 1)
    late = NOW + GIVE_UP + timedelta(minutes=1)
    send(store, Scripted([DeliveryDeferred("later (451)")]), late)
    assert counts(store) == (0, 0, 1)


def test_pauses_grow_and_are_stretched_by_at_most_a_quarter() -> None:
    assert [pause(n, 0.0) for n in range(9)] == [*SCHEDULE, SCHEDULE[-1], SCHEDULE[-1]]
    assert pause(0, 1.0) == SCHEDULE[0] * 1.25
