"""Microsoft 365: the device flow for a person, client credentials for an application; both spoken by msal."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mailflow.config.imap import ImapSettings, OauthSettings
from mailflow.intake.oauth.endpoint import Answer, Endpoint, checked
from mailflow.intake.oauth.grant import Grant, granted
from mailflow.intake.oauth.trouble import LoginNeeded, TokenUnavailable, command, refusal
from mailflow.model.errors import BadConfig
from mailflow.model.outside import Now

_LOGIN = "https://login.microsoftonline.com"
_NATIONAL = frozenset({"outlook.office365.us", "outlook-dod.office365.us", "partner.outlook.cn"})
"""IMAP hosts of the national clouds: there the permission is named after the host."""
_LONGEST_PAUSE = 60


def renew(account: ImapSettings, oauth: OauthSettings, keep: str) -> Grant:
    """A new access token, from msal's own cache ``keep`` or from the application's secret.

    Raises LoginNeeded, TokenUnavailable, BadConfig.
    """
    msal = _msal()
    with _sense():
        if oauth.flow == "application":
            # Without a cache: msal would hand out the token that was just refused.
            app = msal.ConfidentialClientApplication(**_settings(account, oauth), client_credential=_secret(oauth))
            return _taken(account, app.acquire_token_for_client(_scopes(account, oauth)), "")
        cache = msal.SerializableTokenCache()
        cache.deserialize(keep)
        app = msal.PublicClientApplication(**_settings(account, oauth), token_cache=cache)
        person = next(iter(app.get_accounts()), None)
        if person is None or not _lasts(cache):
            raise LoginNeeded(f"account {account.name!r}: there is no login that can be used; {command(account)}")
        answer = app.acquire_token_silent_with_error(_scopes(account, oauth), person, force_refresh=True)
        # msal says None when the provider said nothing: there was something to ask with.
        return _taken(account, answer or {}, cache.serialize())


def log_in(
    account: ImapSettings,
    oauth: OauthSettings,
    now: Now,
    show: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Grant:
    """Shows a code that a person types into a page of Microsoft's, and waits for that (RFC 8628).

    Raises LoginNeeded, TokenUnavailable, BadConfig.
    """
    if oauth.flow == "application":
        return renew(account, oauth, "")
    msal = _msal()
    with _sense():
        cache = msal.SerializableTokenCache()
        app = msal.PublicClientApplication(**_settings(account, oauth), token_cache=cache)
        flow = app.initiate_device_flow(_scopes(account, oauth))
        if "user_code" not in flow:
            raise refusal(account, flow, at_login=True)
        address, code = (_printable(flow[name]) for name in ("verification_uri", "user_code"))
        show(f"Open {address} in any browser, enter the code {code} and log in as somebody who may read the mailbox.")
        answer = _polled(account, app, flow, now, sleep)
        grant = _taken(account, answer, cache.serialize(), at_login=True)
        if not _lasts(cache):
            raise LoginNeeded(
                f"account {account.name!r}: the mailbox was not released for long; allow all that is asked: {command(account)}"
            )
        return grant


def _polled(account: ImapSettings, app: Any, flow: dict[str, Any], now: Now, sleep: Callable[[float], None]) -> Mapping[str, Any]:
    """Asks again and again whether the person is done; a lost connection does not end it (RFC 8628 §3.5)."""
    until = now() + timedelta(seconds=int(flow["expires_in"]))
    while now() < until:
        flow["interval"] = max(1, int(flow["interval"]))
        sleep(flow["interval"])
        try:
            answer: Mapping[str, Any] = app.acquire_token_by_device_flow(flow, exit_condition=lambda _flow: True)
        except TokenUnavailable:
            flow["interval"] = min(_LONGEST_PAUSE, 2 * flow["interval"])
            continue
        if answer.get("error") not in ("authorization_pending", "slow_down"):
            return answer
    raise LoginNeeded(f"account {account.name!r}: nobody logged in in time; try again: {command(account)}")


def _lasts(cache: Any) -> bool:
    """Whether there is a refresh token: without one, a login is over with its first access token."""
    return next(iter(cache.search(cache.CredentialType.REFRESH_TOKEN)), None) is not None


def _taken(account: ImapSettings, answer: Mapping[str, Any], keep: str, *, at_login: bool = False) -> Grant:
    if "error" in answer:
        raise refusal(account, answer, at_login=at_login)
    return granted(answer, keep)


def _msal() -> Any:
    # Imported here: it is an extra, and only Microsoft's accounts need it.
    try:
        import msal  # noqa: PLC0415
    except ImportError:
        raise BadConfig("logging in at Microsoft needs one more package: pip install mailflow[oauth]") from None
    return msal


@contextmanager
def _sense() -> Iterator[None]:
    """msal takes answers at their word: one that makes no sense comes out as whatever Python says to it."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, AssertionError) as error:
        raise TokenUnavailable(f"the provider's answer makes no sense ({type(error).__name__})") from None


def _settings(account: ImapSettings, oauth: OauthSettings) -> dict[str, Any]:
    """What both kinds of msal's applications take. Raises BadConfig where the authority is none."""
    address = _authority(oauth)
    parts = urlsplit(address)
    # msal speaks of nothing but https; what is on this machine is then asked in plain.
    plain = parts.netloc if checked(address) and parts.scheme == "http" else None
    return {
        "client_id": oauth.client_id,
        "authority": parts._replace(scheme="https").geturl(),
        "http_client": _Http(Endpoint(account.timeout_seconds), plain),
        # The authority is the one of the configuration: it needs no third party to vouch for it.
        "instance_discovery": False,
    }


def _authority(oauth: OauthSettings) -> str:
    """The authority with its tenant; where it names one itself, that counts."""
    base = (oauth.authority or _LOGIN).rstrip("/")
    return base if urlsplit(base).path else f"{base}/{quote(oauth.tenant, safe='')}"


def _scopes(account: ImapSettings, oauth: OauthSettings) -> list[str]:
    national = account.host.lower() if account.host.lower() in _NATIONAL else None
    if oauth.flow == "application":
        return [f"https://{national or 'outlook.office365.com'}/.default"]
    return [f"https://{national or 'outlook.office.com'}/IMAP.AccessAsUser.All"]


def _secret(oauth: OauthSettings) -> str:
    return oauth.client_secret.get_secret_value() if oauth.client_secret is not None else ""


def _printable(text: Any) -> str:
    """What the provider wants a person to see, without anything that a terminal would obey."""
    return "".join(letter for letter in str(text)[:200] if letter.isprintable())


@dataclass
class _Response:
    """What msal calls a response."""

    status_code: int
    text: str = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Raises nothing: what is temporary was raised before, and msal reads the rest."""


@dataclass(frozen=True)
class _Http:
    """What msal calls an http_client, on our own endpoint. ``plain`` is a host and port of this machine that is asked without TLS."""

    endpoint: Endpoint
    plain: str | None

    def post(
        self, url: str, params: Mapping[str, str] | None = None, data: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> _Response:
        """POSTs a form. Raises TokenUnavailable, BadConfig."""
        return _response(self.endpoint.post(self._at(url, params), data or {}, headers))

    def get(self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: Any) -> _Response:
        """GETs a document. Raises TokenUnavailable, BadConfig."""
        answer = self.endpoint.get(self._at(url, params), headers)
        if answer.status != 200:
            raise BadConfig("Microsoft knows no such directory; see oauth.tenant and oauth.authority")
        return _response(answer)

    def close(self) -> None:
        """Nothing is kept open."""

    def _at(self, url: str, params: Mapping[str, str] | None) -> str:
        parts = urlsplit(url)
        if params:
            parts = parts._replace(query=urlencode(params))
        return (parts._replace(scheme="http") if self.plain and parts.netloc == self.plain else parts).geturl()


def _response(answer: Answer) -> _Response:
    return _Response(answer.status, json.dumps(answer.body))
