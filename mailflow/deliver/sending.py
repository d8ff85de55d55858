"""A batch of the outbox: claim, hand over, note how it went."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from mailflow import crash
from mailflow.model.answer import OutgoingMail
from mailflow.model.errors import DeliveryDeferred, DeliveryRefused
from mailflow.model.outside import Now
from mailflow.store import outbox
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.deliver")

BATCH = 20
LEASE = timedelta(minutes=2)
HAND_OVER_SECONDS = 60.0
"""A slow smarthost ends a batch early, long before somebody else may claim the rest."""
GIVE_UP = timedelta(days=5)
"""RFC 5321 §4.5.4.1 wants at least four to five days."""
SCHEDULE = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 10, 30, 60, 120, 240))
"""Pauses after the first, second, ... temporary failure; the last one repeats."""


class Transport(Protocol):
    """What takes one mail."""

    def send(self, mail: OutgoingMail) -> None:
        """Raises DeliveryDeferred or DeliveryRefused."""
        ...


@dataclass
class _Outcome:
    sent: list[int] = field(default_factory=list)
    later: list[tuple[outbox.Letter, str]] = field(default_factory=list)
    refused: list[tuple[outbox.Letter, str]] = field(default_factory=list)


def send_batch(store: Store, transport: Transport, owner: str, now: Now, jitter: Callable[[], float], limit: int = BATCH) -> int:
    """Claims up to ``limit`` due mails and sends them; returns how many were claimed.

    ``jitter`` gives numbers in [0, 1). After a temporary failure of the connection the rest of the batch is
    not tried: the smarthost is down, and each try would cost a time-out. Raises StoreUnavailable.
    """
    with store.write() as tx:
        letters = outbox.claim(tx, owner, now(), LEASE, limit)
    crash.point("outbox.claimed")
    if not letters:
        return 0
    outcome = _hand_over(letters, transport)
    crash.point("outbox.after_250.before_mark")
    with store.write() as tx:
        moment = now()
        if outcome.sent:
            outbox.sent(tx, outcome.sent, moment)
        for letter, error in outcome.refused:
            outbox.failed(tx, letter.id, error)
        for letter, error in outcome.later:
            if moment - letter.created_at > GIVE_UP:
                outbox.failed(tx, letter.id, f"given up after five days: {error}")
            else:
                outbox.later(tx, letter.id, moment + pause(letter.attempts, jitter()), error)
        outbox.release(tx, owner)
    return len(letters)


def _hand_over(letters: list[outbox.Letter], transport: Transport) -> _Outcome:
    outcome = _Outcome()
    until = time.monotonic() + HAND_OVER_SECONDS
    for letter in letters:
        if time.monotonic() > until:
            break
        try:
            transport.send(letter.mail)
        except DeliveryRefused as error:
            log.warning("outgoing mail %d refused: %s", letter.id, error)
            outcome.refused.append((letter, str(error)))
        except DeliveryDeferred as error:
            log.info("outgoing mail %d deferred: %s", letter.id, error)
            outcome.later.append((letter, str(error)))
            if error.broken:
                break
        else:
            outcome.sent.append(letter.id)
    return outcome


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after the ``attempts``-th failure (0-based), stretched by up to a quarter."""
    return SCHEDULE[min(attempts, len(SCHEDULE) - 1)] * (1 + jitter / 4)
