"""A smarthost that takes everything and writes each mail to a folder."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class CatchAll:
    """Listens on loopback while the block runs; ``folder`` gets one .eml a mail, named by number and recipient."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))
        self._controller = _Controller(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        server = self._controller.server
        if server is None:
            raise AssertionError("the catch-all is not running")
        return int(server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]  # asyncio.Server, seen as AbstractServer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Writes the mail, then says so."""
        self._count += 1
        recipient = "".join(letter if letter.isalnum() or letter in "@.-" else "_" for letter in envelope.rcpt_tos[0])
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        (self._folder / f"{self._count:04d}-{recipient[:80]}.eml").write_bytes(content)
        return "250 2.0.0 caught"


class _Controller(Controller):
    """aiosmtpd's controller asks its own port for a sign of life; port 0 has to be looked up first."""

    def _trigger_server(self) -> None:
        if self.server is not None:
            self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # as above
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd left this one untyped

    def factory(self) -> Any:
        """A listener that says nothing of itself."""
        return SMTP(self.handler, hostname="catch-all.example", ident="catch-all", enable_SMTPUTF8=False)
