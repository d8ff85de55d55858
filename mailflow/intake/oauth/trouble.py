"""What can go wrong on the way to a token, told without repeating a token, a code or a secret."""

import re
from collections.abc import Mapping
from typing import Any

from mailflow.config.imap import ImapSettings
from mailflow.model.errors import MailflowError, Permanent, Temporary


class LoginNeeded(Permanent):
    """No token without a human: somebody must log in (again), or mend the application. The text names the command."""


class TokenUnavailable(Temporary):
    """The provider gives no token now: no network, overload, or an answer that makes no sense."""


_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_UNNAMED = "an error without a name"
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_APPLICATION = frozenset({"invalid_client", "unauthorized_client"})


def error_code(answer: Mapping[str, Any]) -> str:
    """The error of an answer (RFC 6749 §5.2), with Microsoft's number of it; anything that is no plain word is left out."""
    word = answer.get("error")
    name = word if isinstance(word, str) and _CODE.fullmatch(word) else _UNNAMED
    numbers = answer.get("error_codes")
    first = numbers[0] if isinstance(numbers, list) and numbers else None
    return f"{name}, AADSTS{first}" if type(first) is int and 0 < first < 10**9 else name


def refusal(account: ImapSettings, answer: Mapping[str, Any], *, at_login: bool = False) -> MailflowError:
    """The failure that an answer with an error stands for, with its mend.

    What has no name of RFC 6749 is not the provider's last word: it may be a quota, or a proxy on the way.
    """
    code = error_code(answer)
    word = code.partition(",")[0]
    if word in _PASSING or word == _UNNAMED:
        return TokenUnavailable(f"account {account.name!r}: the provider asks to come back later ({code})")
    if word in _APPLICATION:
        return LoginNeeded(
            f"account {account.name!r}: the provider refuses the application ({code}); see client_id and client_secret "
            f"(has the secret expired?) in mailflow.toml and the application's settings at the provider, then {command(account)}"
        )
    if at_login:
        return LoginNeeded(f"account {account.name!r}: the login did not work ({code}); try again: {command(account)}")
    return LoginNeeded(
        f"account {account.name!r}: the provider takes the login no longer ({code}); log in again: {command(account)}{_why(account)}"
    )


def command(account: ImapSettings) -> str:
    """The command that logs an account in."""
    return f"mailflow oauth login {account.name}"


def _why(account: ImapSettings) -> str:
    if account.oauth is None or account.oauth.provider != "google":
        return ""
    return (
        '. If this comes back after 7 days: the consent screen is in "Testing"; publish it ("In production"), '
        "or use an app password instead, see docs/oauth.md"
    )
