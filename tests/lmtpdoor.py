"""The real LMTP listener, on a unix socket or a port, and a mail server in front of it that says exactly the bytes a test wants."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from smtpdoor import CAMPAIGNS, MAIL, PATIENCE, PLENTY, Dialogue, Listening
from stores import opened

from mailflow.config.settings import LimitSettings, LmtpSettings, SmtpSettings
from mailflow.intake import Keeping
from mailflow.intake.keep import Keeper
from mailflow.intake.listener import bound_socket, loop_factory, serve

OURS = ("endorse@delta.example", "endorse@moor.example", "endorse+2@delta.example")
"""Three recipients of two campaigns."""


class Relay(Dialogue):
    """A mail server that hands on mail. ``place`` is a path or a port."""

    def __init__(self, place: str | int) -> None:
        if isinstance(place, int):
            super().__init__(place)
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(place)
        self._heard = self.sock.makefile("rb")

    def greet(self) -> Self:
        assert self.hear().startswith("220 ") and self.say("LHLO relay.example").startswith("250")
        return self

    def hand_on(self, *recipients: str, raw: bytes = MAIL) -> list[str]:
        """One mail to these recipients, who are all accepted; the answers to its final dot."""
        assert self.say("MAIL FROM:<ann@foo.example>")[:3] == "250"
        for recipient in recipients:
            assert self.say(f"RCPT TO:<{recipient}>")[:3] == "250"
        assert self.say("DATA")[:3] == "354"
        self.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return [self.hear() for _ in recipients]


class LmtpListening(Listening):
    """Both listeners in a thread; ``place`` is where LMTP is."""

    place: str | int = ""

    def relay(self) -> Relay:
        return Relay(self.place)

    def start_both(self, settings: SmtpSettings, lmtp: LmtpSettings, keeper: Keeping) -> None:
        sock = bound_socket(settings)
        sock.listen()
        self.port = sock.getsockname()[1]
        self.place = lmtp.unix_path or (lmtp.address or ("", 0))[1]

        async def run() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._running.set()
            await serve(
                settings, CAMPAIGNS, keeper, lambda: datetime.now(UTC), free_bytes=lambda: self.free, free_floor=0,
                spool=self.root / "spool", limits=LimitSettings(), stop=self._stop, sock=sock, lmtp=lmtp,
            )  # fmt: skip

        def in_thread() -> None:
            with asyncio.Runner(loop_factory=loop_factory(settings)) as runner:
                runner.run(run())

        self._thread = threading.Thread(target=in_thread, daemon=True)
        self._thread.start()
        assert self._running.wait(PATIENCE)
        # LMTP is opened first: whoever hears the SMTP greeting knows that it is there.
        with self.client() as client:
            client.greet()


@contextmanager
def lmtp_listening(
    root: Path,
    *,
    behind: Callable[[Keeping], Keeping] = lambda real: real,
    listen: str = "",
    lmtp: dict[str, Any] | None = None,
    **smtp: Any,
) -> Iterator[LmtpListening]:
    """Both listeners; ``listen`` and ``lmtp`` are lmtp.* of mailflow.toml, the rest is smtp.*."""
    root.joinpath("spool").mkdir(exist_ok=True)
    with opened("sqlite:///mailflow.db", root) as store:
        keeper = Keeper(lambda: store)
        door = LmtpListening(0, root, store, PLENTY)
        settings = LmtpSettings(listen=listen or f"unix:{root}/lmtp", **(lmtp or {}))
        try:
            door.start_both(SmtpSettings(port=0, **smtp), settings, behind(keeper))
            try:
                yield door
            finally:
                door.stop()
        finally:
            keeper.close()
