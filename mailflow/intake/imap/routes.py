"""Which of the mails in a mixed mailbox are ours, by their header alone; the others are not fetched."""

import re
from collections.abc import Callable, Mapping

from mailflow.decide.addressee import Route, route

FIELDS = "TO CC DELIVERED-TO X-ORIGINAL-TO ENVELOPE-TO X-ENVELOPE-TO X-FORWARDED-TO RESENT-TO RESENT-CC"
"""Where a mail says whom it is for: its author's own fields, and what the big hosts note on delivery and forwarding."""

_ADDRESS = re.compile(rb"[^\s<>,;:\"()@\\]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,10}[A-Za-z0-9-]{2,63}")
_MOST = 2000

Routing = Callable[[bytes], Route]


def whole_mailbox(campaign: str) -> Routing:
    """Every mail is the campaign's; the header is not asked for."""
    return lambda _head: Route(campaign)


def by_header(by_identity: Mapping[str, str]) -> Routing:
    """By the addresses in the fields above; plus-tags and typing errors are forgiven."""

    def routing(head: bytes) -> Route:
        named = [found.decode("ascii", "replace").lower() for found in _ADDRESS.findall(head)[:_MOST]]
        return route(named, by_identity)

    return routing
