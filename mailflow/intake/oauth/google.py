"""Google: the authorization code with PKCE for an installed application, and the renewal by one POST."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from mailflow.config.imap import ImapSettings, OauthSettings
from mailflow.intake.oauth.endpoint import Answer, Endpoint, checked
from mailflow.intake.oauth.grant import Grant, granted, refresh_token
from mailflow.intake.oauth.redirect import Listener
from mailflow.intake.oauth.trouble import LoginNeeded, command, refusal
from mailflow.model.outside import Now

SCOPE = "https://mail.google.com/"
"""All of a mailbox; IMAP takes no narrower one."""


def renew(account: ImapSettings, oauth: OauthSettings, keep: str) -> Grant:
    """A new access token for the refresh token ``keep`` (RFC 6749 §6). Raises LoginNeeded, TokenUnavailable, BadConfig."""
    answer = _ask(account, oauth, {"grant_type": "refresh_token", "refresh_token": keep})
    if answer.status != 200 or "error" in answer.body:
        raise refusal(account, answer.body)
    return granted(answer.body, refresh_token(answer.body) or keep)


def log_in(account: ImapSettings, oauth: OauthSettings, now: Now, show: Callable[[str], None], ask: Callable[[str], str]) -> Grant:
    """Sends a person to the consent screen and takes what comes back (RFC 8252, RFC 7636).

    Raises LoginNeeded, TokenUnavailable, BadConfig.
    """
    checked(_consent(oauth))
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with Listener(state, now) as listener:
        show(_INVITATION.format(url=_address(account, oauth, listener.address, state, verifier)))
        said = listener.wait(show, ask)
        if said is None:
            raise LoginNeeded(f"account {account.name!r}: nobody logged in within five minutes; try again: {command(account)}")
        if "code" not in said:
            raise refusal(account, said, at_login=True)
        return _redeemed(account, oauth, said["code"], verifier, listener.address)


_INVITATION = """Open this address in a browser and log in as the mailbox that is to be read:

{url}

If the browser runs on another machine, it ends at a page that cannot be shown: copy the address of that page
(it begins with http://127.0.0.1) and paste it here."""


def _address(account: ImapSettings, oauth: OauthSettings, redirect: str, state: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    # Without access_type and prompt, Google gives no refresh token to somebody who has consented before.
    question = {
        "client_id": oauth.client_id,
        "redirect_uri": redirect,
        "response_type": "code",
        "scope": SCOPE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": state,
        "access_type": "offline",
        "prompt": "consent",
        "login_hint": account.user,
    }
    return f"{_consent(oauth)}?{urlencode(question)}"


def _redeemed(account: ImapSettings, oauth: OauthSettings, code: str, verifier: str, redirect: str) -> Grant:
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect}
    answer = _ask(account, oauth, fields)
    if answer.status != 200 or "error" in answer.body:
        raise refusal(account, answer.body, at_login=True)
    keep = refresh_token(answer.body)
    scope = answer.body.get("scope", SCOPE)
    if keep is None or not isinstance(scope, str) or SCOPE not in scope.split():
        raise LoginNeeded(f"account {account.name!r}: the mailbox was not released for long; allow all that is asked: {command(account)}")
    return granted(answer.body, keep)


def _ask(account: ImapSettings, oauth: OauthSettings, fields: dict[str, str]) -> Answer:
    secret = oauth.client_secret.get_secret_value() if oauth.client_secret is not None else None
    url = f"{_base(oauth)}/token" if oauth.authority else "https://oauth2.googleapis.com/token"
    return Endpoint(account.timeout_seconds).post(url, {"client_id": oauth.client_id, "client_secret": secret, **fields})


def _consent(oauth: OauthSettings) -> str:
    return f"{_base(oauth) if oauth.authority else 'https://accounts.google.com'}/o/oauth2/v2/auth"


def _base(oauth: OauthSettings) -> str:
    return (oauth.authority or "").rstrip("/")
