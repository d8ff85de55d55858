"""Waits for what the consent screen sends back: by a redirect to this machine, or pasted by hand where the browser is elsewhere."""

import hmac
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from mailflow.intake.oauth.trouble import TokenUnavailable
from mailflow.model.outside import Now

log = logging.getLogger("mailflow.oauth")

PATIENCE = timedelta(minutes=5)
_SLICE = 0.1
_LONGEST = 8192

Said = Mapping[str, str]
"""``code``, or ``error``."""


def said_in(address: str, state: str) -> Said | None:
    """What a redirect's address says (RFC 6749 §4.1.2); None if it is none of ours: its state is not the one we gave."""
    try:
        pairs = parse_qsl(urlsplit(address.strip()[:_LONGEST]).query, max_num_fields=20)
    except ValueError:
        return None
    fields = dict(pairs)
    # Twice the same field: two readers would take different ones (RFC 6749 §3.1).
    if len(fields) != len(pairs) or not hmac.compare_digest(fields.get("state", "").encode(), state.encode()):
        return None
    wanted = {name: fields[name] for name in ("code", "error") if fields.get(name)}
    return wanted or None


class Listener:
    """A web server on 127.0.0.1 for one login, closed at the end of the block. Raises TokenUnavailable if there is no port."""

    def __init__(self, state: str, now: Now) -> None:
        self._state, self._now, self._until = state, now, now() + PATIENCE
        self._heard: queue.SimpleQueue[Said] = queue.SimpleQueue()
        handler = type("Handler", (_Handler,), {"state": state, "heard": self._heard})
        try:
            self._server = _Server(("127.0.0.1", 0), handler)
        except OSError as error:
            raise TokenUnavailable(f"no port can be opened on 127.0.0.1 ({error.strerror})") from None
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": _SLICE}, name="oauth-redirect")

    @property
    def address(self) -> str:
        """The redirect URI; an installed application may use any port (RFC 8252 §7.3)."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, show: Callable[[str], None], ask: Callable[[str], str]) -> Said | None:
        """What came back, whichever way was faster; None after five minutes. ``ask`` is left alone when it is not needed any more."""
        # A daemon: nobody can take back a question that a terminal waits on.
        threading.Thread(target=self._ask, args=(show, ask), daemon=True, name="oauth-paste").start()
        while True:
            try:
                return self._heard.get(timeout=_SLICE)
            except queue.Empty:
                if self._now() >= self._until:
                    return None

    def _ask(self, show: Callable[[str], None], ask: Callable[[str], str]) -> None:
        while True:
            try:
                pasted = ask("Address of the page (or wait): ")
            except (EOFError, OSError):
                return  # Nobody at the keyboard: the browser is then the only way.
            if (said := said_in(pasted, self._state)) is not None:
                self._heard.put(said)
                return
            if pasted.strip():
                show("That is not the address of the page at the end of this login; copy all of it, from http:// on.")


class _Server(ThreadingHTTPServer):
    """A thread for each connection: browsers open some in advance and say nothing on them."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Says only that it was: the library would print a trace among our questions."""
        log.debug("a browser hung up early")


class _Handler(BaseHTTPRequestHandler):
    """Answers the browser. A request of somebody else is refused, and the login goes on waiting."""

    state: ClassVar[str]
    heard: ClassVar["queue.SimpleQueue[Said]"]
    timeout = 5

    def do_GET(self) -> None:
        """Takes the redirect."""
        said = said_in(self.path, self.state)
        if said is None:
            self._say(400, "This is not the login that mailflow waits for.")
            return
        try:
            self._say(200, "Thank you. mailflow goes on in its own window; you can close this page.")
        finally:
            # A browser that does not stay for the thanks has logged in all the same.
            self.heard.put(said)

    def _say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), ("Connection", "close")):
            self.send_header(name, value)
        # The address of this page holds the code.
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing: the request line holds the code."""
