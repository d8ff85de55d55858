"""Which campaign a mail is for, by the addresses it names; forgiving of typing errors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from mailflow.decide.identity import identity

_SURE = 5
_LONG = 9
"""Letters from which one, and two, slips of the hand cannot turn one word into another."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a mail goes. ``near``: the address was mistyped; ``torn``: it is as near to one campaign's address as to another's."""

    campaign: str | None = None
    near: bool = False
    torn: bool = False

    @property
    def found(self) -> bool:
        """Whether the mail is for one of our campaigns, even if not clear which."""
        return self.campaign is not None or self.torn


def route(addresses: Iterable[str], by_identity: Mapping[str, str]) -> Route:
    """The campaign of the first address that is exactly one of ours, else of the nearest.

    ``by_identity`` maps canonical addresses to slugs. The local part may be off by a letter left out, added, changed or swapped with
    its neighbour (two in a long one); the domain never: its mail would not be here.
    """
    canonical = list(dict.fromkeys(identity(address) for address in addresses if "@" in address))
    for address in canonical:
        if address in by_identity:
            return Route(by_identity[address])
    return next((found for address in canonical if (found := _nearest(address, by_identity)).found), Route())


def is_near(address: str, identities: Iterable[str]) -> bool:
    """Whether an address is, but for a typing error, one of these canonical ones."""
    return route([address], dict.fromkeys(identities, "-")).found


def _nearest(address: str, by_identity: Mapping[str, str]) -> Route:
    local, _, domain = address.rpartition("@")
    distances: dict[int, set[str]] = {}
    for known, slug in by_identity.items():
        theirs, _, at = known.rpartition("@")
        if at == domain and (off := _distance(local, theirs)) is not None:
            distances.setdefault(off, set()).add(slug)
    if not distances:
        return Route()
    nearest = distances[min(distances)]
    return Route(min(nearest), near=True) if len(nearest) == 1 else Route(near=True, torn=True)


def _distance(typed: str, known: str) -> int | None:
    """Slips of the hand between two local parts, ``None`` where there are too many for a typing error.

    Nobody's hand slips from ASCII into another alphabet; look-alikes are made, not typed.
    """
    if known.isascii() and not typed.isascii():
        return None
    allowed = 2 if len(known) >= _LONG else 1 if len(known) >= _SURE else 0
    off = int(OSA.distance(typed, known, score_cutoff=allowed))
    return off if off <= allowed else None
