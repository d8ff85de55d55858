"""How mails come in: SMTP, files; and what every door hands to the keeper."""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mailflow.model.mail import Envelope


@dataclass(frozen=True, slots=True)
class Arrival:
    """A complete mail at a door: its bytes, or the spool file that holds them.

    ``set_aside`` says why a mail is to be kept but not read (too large for this campaign's limits).
    """

    raw: bytes | Path
    size: int
    envelope: Envelope
    campaign: str | None
    received_at: datetime
    set_aside: str | None = None


class Keeping(Protocol):
    """What makes mails durable."""

    def keep(self, arrival: Arrival) -> "Future[int]":
        """The future gives the mail's id once it is on disk, or raises StoreUnavailable."""
        ...
