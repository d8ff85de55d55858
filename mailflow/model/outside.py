"""The outside world as the core sees it: small protocols, passed in as arguments."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Now = Callable[[], datetime]
"""Returns the present as an aware datetime in UTC."""


class Resolver(Protocol):
    """DNS. Raises DnsUnavailable on SERVFAIL, timeout or refusal; an absent name or type is ``()``."""

    def txt(self, name: str) -> tuple[bytes, ...]:
        """The TXT records of ``name``, each with its strings joined (RFC 6376 §3.6.2.2)."""
        ...


class Suffixes(Protocol):
    """The public suffix list."""

    def organisational(self, domain: str) -> str | None:
        """The organisational domain of ``domain`` (lower case A-labels), ``None`` for a public suffix itself."""
        ...
