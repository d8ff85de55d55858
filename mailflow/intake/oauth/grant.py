"""What a provider gave: an access token, how long it lives, and what the next one is made of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from mailflow.intake.oauth.trouble import TokenUnavailable

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_LONGEST = timedelta(days=30)
_USUAL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token; ``keep`` is a refresh token or whatever else the provider's module wants back at the next renewal."""

    access: str = field(repr=False)
    life: timedelta
    keep: str = field(repr=False)


def granted(answer: Mapping[str, Any], keep: str) -> Grant:
    """The grant in a successful answer (RFC 6749 §5.1). Raises TokenUnavailable where it makes no sense.

    A token is sent within a SASL line: one with spaces or control characters would say something else there.
    """
    access, kind = answer.get("access_token"), answer.get("token_type", "Bearer")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenUnavailable("the provider's answer holds no token that can be used")
    return Grant(access, _life(answer.get("expires_in")), keep)


def refresh_token(answer: Mapping[str, Any]) -> str | None:
    """The refresh token in an answer, if there is one that can be used."""
    token = answer.get("refresh_token")
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _life(seconds: Any) -> timedelta:
    """``expires_in`` is only recommended (RFC 6749 §5.1), and some send it as text. Without it: the hour that all give."""
    try:
        return min(max(timedelta(seconds=int(seconds)), timedelta()), _LONGEST)
    except (TypeError, ValueError, OverflowError):
        return _USUAL
