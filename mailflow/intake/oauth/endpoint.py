"""Speaks HTTP with a provider: JSON answers only, bounded in time and size, never redirected."""

import http.client
import json
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from mailflow.config.section import is_loopback
from mailflow.intake.oauth.trouble import TokenUnavailable
from mailflow.model.errors import BadConfig

_LARGEST = 1_048_576
_SLICE = 16_384
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that made sense: a JSON object with a status of 2xx or 4xx."""

    status: int
    body: dict[str, Any]


class _StandsStill(urllib.request.HTTPRedirectHandler):
    """A token endpoint redirects nobody; whoever does would get our secrets."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follows nothing: urllib then raises HTTPError."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``timeout`` is in seconds: for connecting, for each silence, and for the whole of an answer's body."""

    timeout: float

    def post(self, url: str, fields: Mapping[str, Any] | str, headers: Mapping[str, str] | None = None) -> Answer:
        """POSTs a form. Raises TokenUnavailable, BadConfig (neither https nor loopback)."""
        body = fields if isinstance(fields, str) else urlencode({key: value for key, value in fields.items() if value is not None})
        return self._ask(url, body.encode(), headers or {})

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GETs a document. Raises TokenUnavailable, BadConfig (neither https nor loopback)."""
        return self._ask(url, None, headers or {})

    def _ask(self, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        local = checked(url)
        request = urllib.request.Request(url, body, {"Accept": "application/json", **headers})  # noqa: S310 - checked() is for that
        # A proxy of the environment is for what is outside.
        opener = urllib.request.build_opener(_StandsStill, *([urllib.request.ProxyHandler({})] if local else []))
        where = urlsplit(url).hostname
        try:
            status, text = self._exchange(opener, request)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            reason = getattr(error, "reason", error)
            raise TokenUnavailable(f"{where} gives no answer ({type(reason).__name__})") from None
        if status in _LATER or status >= 500 or 300 <= status < 400:
            raise TokenUnavailable(f"{where} does not answer as it should; that may pass (HTTP {status})")
        return Answer(status, _object(text, f"{where} answers with something that is no JSON object (HTTP {status})"))

    def _exchange(self, opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> tuple[int, bytes]:
        until = time.monotonic() + self.timeout
        try:
            response = opener.open(request, timeout=self.timeout)
        except HTTPError as error:
            response = error
        with response:
            return response.status or 0, _body(response, until)


def checked(url: str) -> bool:
    """Whether a URL leads to this machine. Raises BadConfig unless it does or is https: tokens must not travel in the open."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadConfig("oauth.authority is no address of the web") from None
    local = is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise BadConfig("oauth.authority must begin with https://, or be on this machine")
    return local


def _body(response: Any, until: float) -> bytes:
    """All of an answer. Raises OSError when it is too long or drips."""
    text = bytearray()
    while piece := response.read1(_SLICE):
        text += piece
        if len(text) > _LARGEST:
            raise OSError("too long")
        if time.monotonic() > until:
            raise TimeoutError("drips")
    return bytes(text)


def _object(text: bytes, otherwise: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TokenUnavailable(otherwise)
    return value
