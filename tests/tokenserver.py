"""A provider of tokens on loopback, as strict as the real ones: Google's two endpoints, Microsoft's three, and Dovecot's question."""

import base64
import hashlib
import json
import secrets
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import SecretStr

from mailflow.config.imap import ImapSettings, OauthSettings

CLIENT = "app-of-the-delta"
SECRET = "secret-of-the-delta"
USER = "u"
TENANT = "delta.example"
Form = dict[str, str]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Fault:
    """What is answered instead of the truth: a status with raw bytes, ``hangs`` up, or dripping until the server ends."""

    status: int = 503
    body: bytes = b"{}"
    hangs_up: bool = False
    drips: bool = False


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: Any) -> None:
        """Stays where it is."""


@dataclass
class TokenServer:
    """What a provider knows, and what it was asked."""

    port: int = 0
    asked: list[Form] = field(default_factory=list)
    """The forms that the token endpoint got."""
    faults: list[Fault] = field(default_factory=list)
    """Answered first, one to each question at a token endpoint."""
    life: Any = 3600
    access: list[str] = field(default_factory=list)
    refresh: set[str] = field(default_factory=set)
    codes: dict[str, Form] = field(default_factory=dict)
    redirects: list[str] = field(default_factory=list)
    devices: dict[str, int] = field(default_factory=dict)
    """Device code -> how often "not yet" is said."""
    pending: int = 1
    page: str = "https://microsoft.example/device"
    refused: str = ""
    """The error that every token question gets."""
    instead: dict[str, Any] = field(default_factory=dict)
    """What is said otherwise at a login."""
    valid: set[str] = field(default_factory=set)
    """Access tokens that a mailbox takes."""
    before: Callable[[], None] = lambda: None
    """Called before each answer of a token endpoint."""
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The authority, as it stands in mailflow.toml."""
        return f"http://127.0.0.1:{self.port}"

    def account(self, provider: str, flow: str = "person", *, secret: str | None = SECRET, port: int = 1, **more: Any) -> ImapSettings:
        """An account that logs in here. ``port`` is its mailbox's; ``more`` are keys of [imap.oauth]."""
        known = {"provider": provider, "client_id": CLIENT, "tenant": TENANT, "flow": flow, "authority": self.url}
        oauth = OauthSettings(client_secret=SecretStr(secret) if secret else None, **{**known, **more})
        return ImapSettings(name="office", host="127.0.0.1", port=port, security="none", user=USER, timeout_seconds=10, oauth=oauth)

    def grant(self, *, refresh: bool = True) -> dict[str, Any]:
        """A new pair of tokens, known from now on."""
        with self.lock:
            token = f"access-{len(self.access) + 1}-{secrets.token_hex(8)}"
            self.access.append(token)
            self.valid.add(token)
            answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
            if refresh:
                answer["refresh_token"] = f"refresh-{len(self.refresh) + 1}-{secrets.token_hex(8)}"
                self.refresh.add(answer["refresh_token"])
            return answer

    def revoke(self) -> None:
        """The person takes the permission back: no token of theirs is worth anything any more."""
        with self.lock:
            self.refresh.clear()
            self.valid.clear()

    def counted(self, kind: str) -> int:
        """How often a grant_type was asked for."""
        return sum(form.get("grant_type") == kind for form in self.asked)

    def consented(self, url: str) -> str:
        """What a browser does in which somebody says yes: gives the address it is sent to, and does not go there."""
        try:
            urllib.request.build_opener(Stay, urllib.request.ProxyHandler({})).open(url, timeout=20).close()
        except HTTPError as answer:
            with answer:
                return str(answer.headers["Location"])
        raise AssertionError("the consent screen redirected nobody")


@contextmanager
def token_server(**known: Any) -> Iterator[TokenServer]:
    """Runs a provider while the block runs."""
    server = TokenServer(**known)
    handler = type("Handler", (_Handler,), {"known": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = False
        server.port = http.server_port
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    known: TokenServer
    timeout = 20

    def do_GET(self) -> None:
        """The consent screen, and Microsoft's description of itself."""
        parts = urlsplit(self.path)
        if parts.path == "/o/oauth2/v2/auth":
            self._consent(dict(parse_qsl(parts.query)))
        elif parts.path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            base = f"https://127.0.0.1:{self.known.port}/{TENANT}/oauth2/v2.0"
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "device_authorization_endpoint": "devicecode"}
            self._say(200, {name: f"{base}/{path}" for name, path in names.items()})
        else:
            self._say(400, {"error": "invalid_tenant", "error_codes": [90002]})

    def do_POST(self) -> None:
        """The token endpoints, the device endpoint and the introspection."""
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/introspect":
            active = form.get("token") in self.known.valid
            self._say(200, {"active": active, "username": USER} if active else {"active": False})
        elif self.path == f"/{TENANT}/oauth2/v2.0/devicecode":
            self._device(form)
        elif self.path in ("/token", f"/{TENANT}/oauth2/v2.0/token"):
            self._token(form)
        else:
            self._say(404, {})

    def _consent(self, form: Form) -> None:
        with self.known.lock:
            good = form.get("client_id") == CLIENT and form.get("code_challenge_method") == "S256" and form.get("access_type") == "offline"
            assert good and form["response_type"] == "code" and form["scope"] == "https://mail.google.com/", form
            code = f"code-{secrets.token_hex(8)}"
            self.known.codes[code] = form
            self.known.redirects.append(form["redirect_uri"])
        self.send_response(302)
        self.send_header("Location", f"{form['redirect_uri']}?{urlencode({'state': form['state'], 'code': code, 'scope': form['scope']})}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _device(self, form: Form) -> None:
        assert form["client_id"] == CLIENT and "offline_access" in form["scope"].split(), form
        assert "https://outlook.office.com/IMAP.AccessAsUser.All" in form["scope"].split(), form
        code = f"device-{secrets.token_hex(8)}"
        self.known.devices[code] = self.known.pending
        more = {"verification_uri": self.known.page, "expires_in": 900, "interval": 1}
        self._say(200, {"device_code": code, "user_code": "DELTA-17", **more})

    def _token(self, form: Form) -> None:
        with self.known.lock:
            self.known.asked.append(form)
            fault = self.known.faults.pop(0) if self.known.faults else None
        self.known.before()
        if fault is not None:
            self._fail(fault)
        elif self.known.refused:
            self._say(400, {"error": self.known.refused, "error_description": f"AADSTS7: about {form}", "error_codes": [70008]})
        else:
            status, answer = self._judged(form)
            self._say(status, answer)

    def _judged(self, form: Form) -> tuple[int, dict[str, Any]]:
        known, kind = self.known, form.get("grant_type")
        if form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        if kind == "refresh_token":
            good = form.get("refresh_token") in known.refresh
            return (200, self._granted(form)) if good else (400, {"error": "invalid_grant"})
        if kind == "client_credentials":
            good = form.get("client_secret") == SECRET and form.get("scope") == "https://outlook.office365.com/.default"
            return (200, known.grant(refresh=False)) if good else (401, {"error": "invalid_client", "error_codes": [7000215]})
        if kind == DEVICE:
            code = form["device_code"]
            known.devices[code] -= 1
            return (200, self._granted(form)) if known.devices[code] < 0 else (400, {"error": "authorization_pending"})
        return self._redeemed(form)

    def _redeemed(self, form: Form) -> tuple[int, dict[str, Any]]:
        """RFC 7636 §4.6: the verifier must be the one whose hash came with the question for the code. A code is good once."""
        with self.known.lock:
            asked = self.known.codes.pop(form.get("code", ""), None)
        digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != digest or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        return 200, {"scope": asked["scope"], **self._granted(form)}

    def _granted(self, form: Form) -> dict[str, Any]:
        """Microsoft gives a new refresh token each time, and says who it is; Google keeps the first one."""
        renews = form["grant_type"] == "refresh_token"
        if not self.path.startswith(f"/{TENANT}/"):
            return {**self.known.grant(refresh=not renews), **({} if renews else self.known.instead)}
        info = base64.urlsafe_b64encode(json.dumps({"uid": "1", "utid": "2"}).encode()).decode()
        return {**self.known.grant(), "client_info": info, "scope": form.get("scope", ""), **({} if renews else self.known.instead)}

    def _fail(self, fault: Fault) -> None:
        if fault.hangs_up:
            self.close_connection = True
            return
        if not fault.drips:
            self._say(fault.status, fault.body)
            return
        self.send_response(200)
        self.end_headers()
        # Never silent for long, and never done.
        while not self.known.over.wait(0.05):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def _say(self, status: int, answer: dict[str, Any] | bytes) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""
