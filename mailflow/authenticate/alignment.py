"""Whether two domains belong to one organisation (RFC 7489 §3.1.1, relaxed)."""

from mailflow.model.outside import Suffixes


def same_organisation(one: str, two: str, suffixes: Suffixes) -> bool:
    """Whether two host names (lower-case A-labels) have one organisational domain; a public suffix is nobody's."""
    mine = suffixes.organisational(one) if one else None
    return mine is not None and mine == suffixes.organisational(two)
