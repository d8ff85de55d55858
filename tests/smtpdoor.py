"""The real listener on a free port, the real keeper behind it, and a client that says exactly the bytes a test wants."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from stores import opened

from mailflow.config.settings import LimitSettings, SmtpSettings
from mailflow.decide import identity
from mailflow.intake import Keeping
from mailflow.intake.keep import Keeper
from mailflow.intake.listener import bound_socket, loop_factory, serve
from mailflow.store.engine import Store
from mailflow.store.schema import mails, raws

CAMPAIGNS = {identity("endorse@delta.example"): "delta", identity("endorse@moor.example"): "moor"}
PLENTY = 10**12
PATIENCE = 30.0
MAIL = b"From: Ann <ann@foo.example>\r\nSubject: Endorsement\r\n\r\nI endorse the letter.\r\n"
ENVELOPE = b"MAIL FROM:<ann@foo.example>\r\nRCPT TO:<endorse@delta.example>\r\n"


class Dialogue:
    """A client. ``say`` sends as it is told and gives the next reply, whole, as text without its last line end."""

    def __init__(self, port: int) -> None:
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._heard = self.sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._heard.close()
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def hear(self) -> str:
        """The next reply; ``""`` where the server has closed."""
        lines = []
        while line := self._heard.readline():
            lines.append(line.decode("ascii").removesuffix("\r\n"))
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def hear_all(self) -> list[str]:
        """Every reply until the server closes."""
        return list(iter(self.hear, ""))

    def say(self, line: str | bytes) -> str:
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.hear()

    def greet(self) -> Self:
        assert self.hear().startswith("220 ")
        assert self.say("EHLO client.example").startswith("250")
        return self

    def begin(self, recipient: str = "endorse@delta.example", sender: str = "ann@foo.example") -> Self:
        """Everything up to the 354."""
        assert self.say(f"MAIL FROM:<{sender}>")[:3] == "250"
        assert self.say(f"RCPT TO:<{recipient}>")[:3] == "250"
        assert self.say("DATA")[:3] == "354"
        return self

    def mail(self, raw: bytes = MAIL) -> str:
        """One mail, dots stuffed; the answer to its final dot."""
        self.begin()
        self.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return self.hear()

    def start_tls(self, context: Any) -> Self:
        self._heard.close()
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self._heard = self.sock.makefile("rb")
        return self


@dataclass
class Listening:
    """A listener that runs in a thread. ``free`` is how many bytes it believes to be free on the disk."""

    port: int
    root: Path
    store: Store
    free: int
    _loop: asyncio.AbstractEventLoop | None = None
    _stop: asyncio.Event | None = None
    _running: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def client(self) -> Dialogue:
        return Dialogue(self.port)

    def kept(self) -> list[bytes]:
        """The bytes of all kept mails, oldest first."""
        with self.store.read() as tx:
            return [bytes(data) for data in tx.execute(sa.select(raws.c.data).order_by(raws.c.mail_id)).scalars()]

    def rows(self) -> list[Any]:
        with self.store.read() as tx:
            return list(tx.execute(sa.select(mails).order_by(mails.c.id)))

    def spooled(self) -> list[Path]:
        return list(self.root.joinpath("spool").iterdir())

    def start(self, settings: SmtpSettings, keeper: Keeping, limits: LimitSettings) -> None:
        sock = bound_socket(settings)
        # Whoever connects before the loop accepts, waits.
        sock.listen()
        self.port = sock.getsockname()[1]

        async def run() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._running.set()
            await serve(
                settings,
                CAMPAIGNS,
                keeper,
                lambda: datetime.now(UTC),
                free_bytes=lambda: self.free,
                free_floor=0,
                spool=self.root / "spool",
                limits=limits,
                stop=self._stop,
                sock=sock,
            )

        def in_thread() -> None:
            with asyncio.Runner(loop_factory=loop_factory(settings)) as runner:
                runner.run(run())

        self._thread = threading.Thread(target=in_thread, daemon=True)
        self._thread.start()
        assert self._running.wait(PATIENCE)

    def ask_to_stop(self) -> None:
        """What SIGTERM does; does not wait."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    def stop(self) -> None:
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()


@contextmanager
def listening(
    root: Path, *, behind: Callable[[Keeping], Keeping] = lambda real: real, limits: LimitSettings | None = None, **settings: Any
) -> Iterator[Listening]:
    """A listener with ``settings`` (smtp.* of mailflow.toml); ``behind`` may put something between it and the real keeper."""
    root.joinpath("spool").mkdir(exist_ok=True)
    with opened("sqlite:///mailflow.db", root) as store:
        keeper = Keeper(lambda: store)
        door = Listening(0, root, store, PLENTY)
        try:
            door.start(SmtpSettings(port=0, **settings), behind(keeper), limits or LimitSettings())
            try:
                yield door
            finally:
                door.stop()
        finally:
            keeper.close()
