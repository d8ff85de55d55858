"""A decision: what is to be done with a mail, why, and which line of the books it lands on."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What is done. The words are those of `mailflow explain`."""

    ACCEPT = "accept"
    CONFIRM = "confirm"
    HOLD = "hold"
    IGNORE = "ignore"
    WITHDRAW = "withdraw"
    CORRECT = "correct"
    DECLINE = "decline"
    DEFER = "defer"
    ASK_NAME = "ask_name"


class Disposition(StrEnum):
    """The line of the books a mail stands on; received is their sum (docs/guarantees.md, I2)."""

    COUNTED = "counted"
    CHANGED = "changed"
    DUPLICATE = "duplicate"
    HELD = "held"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    WITHDRAWN = "withdrawn"
    AUTOMATIC = "automatic"
    HANDLED = "handled"
    REFUSED = "refused"
    SET_ASIDE = "set_aside"
    IN_FLIGHT = "in_flight"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one mail. ``reasons[0]`` is the rule that matched, the rest are flags."""

    action: Action
    reasons: tuple[str, ...]
    disposition: Disposition

    @property
    def reason(self) -> str:
        """The name of the rule that decided."""
        return self.reasons[0]
