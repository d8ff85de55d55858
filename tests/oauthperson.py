"""Somebody who logs in at the token server of the tests, in a browser here or elsewhere."""

import queue
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.error import HTTPError

from tokenserver import Stay, TokenServer


@dataclass
class Person:
    """Somebody who logs in at Google: in a browser on this machine, or elsewhere and ``pastes`` the address they end at."""

    server: TokenServer
    pastes: bool = False
    change: Callable[[str], str] = lambda address: address
    """What happens to the address on its way."""
    gives_up: Callable[[], None] = lambda: None
    """Called when there is nothing (more) to paste."""
    shown: list[str] = field(default_factory=list)
    answers: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def show(self, text: str) -> None:
        """Reads, and follows an address of the provider."""
        self.shown.append(text)
        if (found := re.search(r"^http://\S+$", text, re.MULTILINE)) is None:
            return
        address = self.change(self.server.consented(found[0]))
        if self.pastes:
            self.answers.put(f" {address}\n")
        else:
            visited(address)

    def ask(self, _question: str) -> str:
        """Gives what there is to paste; else nobody is at the keyboard."""
        if not self.pastes:
            self.gives_up()
            raise EOFError
        try:
            return self.answers.get_nowait()
        except queue.Empty:
            self.gives_up()
            raise EOFError from None


def visited(address: str) -> int:
    """Opens an address as a browser does; its HTTP status."""
    try:
        with urllib.request.build_opener(Stay, urllib.request.ProxyHandler({})).open(address, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
