"""Which addresses are one person."""

GOOGLE = frozenset({"gmail.com", "googlemail.com"})


def identity(address: str) -> str:
    """The canonical form of an addr-spec (domain already lower case and A-label): the key of an entry.

    Local parts are compared without case and without a ``+tag`` everywhere: RFC 5321 §2.4 leaves both to
    the receiving host, but a person who types the address differently is still that person, and an
    opponent must not multiply by tags. Google also ignores dots. Different domains are never merged,
    but for Google's two names of one. Idempotent.
    """
    local, _, domain = address.rpartition("@")
    local = _untagged(local.strip('"').casefold())
    if domain in GOOGLE:
        return f"{local.replace('.', '') or local}@gmail.com"
    return f"{local}@{domain}"


def _untagged(local: str) -> str:
    """The part before the first plus, unless nothing would remain."""
    bare, _, _ = local.partition("+")
    return bare or local
