"""What all sessions of one listener share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mailflow.config.settings import LimitSettings, SmtpSettings
from mailflow.intake import Keeping
from mailflow.intake.answers import Answers
from mailflow.intake.limits import House, Network
from mailflow.model.outside import Now


class Visit(Protocol):
    """A session, as the listener looks after it."""

    @property
    def busy(self) -> bool:
        """Whether a mail is arriving or being committed."""
        ...

    def overdue(self) -> str:
        """Why this session must end now, or ``""``."""
        ...

    @property
    def outside_since(self) -> float | None:
        """Since when nothing of a mail has come; ``None`` for who is in the midst of one, or was not let in."""
        ...

    def give_way(self) -> None:
        """Ends the session for another's sake."""
        ...

    def dismiss(self) -> None:
        """Ends the session, unless a mail is being committed at this moment."""
        ...


@dataclass(frozen=True)
class Door:
    """``campaigns`` maps canonical addresses to slugs; ``tasks`` outlive their sessions.

    ``proxies`` must begin with a PROXY header; of ``relays`` XFORWARD is believed.
    """

    settings: SmtpSettings
    limits: LimitSettings
    campaigns: Mapping[str, str]
    keeper: Keeping
    now: Now
    house: House
    spool: Path
    large: asyncio.Semaphore
    answers: Answers
    proxies: tuple[Network, ...] = ()
    relays: tuple[Network, ...] = ()
    sessions: "set[Visit]" = field(default_factory=set)
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def make_room(self) -> bool:
        """Sends away whoever has been here longest without handing in a mail; ``False`` where everybody is at it."""
        waiting = [(since, number, visit) for number, visit in enumerate(self.sessions) if (since := visit.outside_since) is not None]
        if not waiting:
            return False
        min(waiting)[2].give_way()
        return True

    def outlive(self, task: "asyncio.Task[None]") -> None:
        """Holds a task until it ends, whatever becomes of its session."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
