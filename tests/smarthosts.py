"""A smarthost that misbehaves on command: a real socket, a scripted server."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Script = Callable[[str, int], bytes | None]
"""(verb, number of the mail from 1) -> the reply, ``b""`` to hang up, ``None`` for the ordinary reply."""

ORDINARY = {"EHLO": b"250 fake\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n", "DOT": b"250 taken\r\n"}


@dataclass
class FakeSmarthost:
    """What a fake smarthost took, and how often it was called."""

    script: Script
    port: int = 0
    taken: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0
    mails: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Session(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self) -> None:
        host: FakeSmarthost = self.server.host  # type: ignore[attr-defined]
        with host.lock:
            host.connections += 1
        self.wfile.write(b"220 fake\r\n")
        envelope = ["", ""]
        while line := self._line():
            verb = line[:4].decode("ascii").upper().strip()
            if verb == "MAIL":
                with host.lock:
                    host.mails += 1
                envelope[0] = line.decode()[11:].strip().rstrip(">")
            elif verb == "RCPT":
                envelope[1] = line.decode()[9:].strip().rstrip(">")
            if not self._reply(host, verb):
                return
            if verb == "DATA" and not self._data(host, (envelope[0], envelope[1])):
                return

    def _line(self) -> bytes:
        """The next line; nothing when the client was killed."""
        try:
            return self.rfile.readline()
        except ConnectionError:
            return b""

    def _reply(self, host: FakeSmarthost, verb: str) -> bool:
        reply = host.script(verb, host.mails)
        if reply is None:
            reply = ORDINARY.get(verb, b"250 ok\r\n")
        self.wfile.write(reply)
        return bool(reply) and verb != "QUIT" and not reply.startswith(b"421")

    def _data(self, host: FakeSmarthost, envelope: tuple[str, str]) -> bool:
        if (host.script("DATA", host.mails) or b"354").startswith(b"354"):
            lines = []
            while (line := self._line()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            reply = host.script("DOT", host.mails)
            if reply is None or reply.startswith(b"2") or reply == b"":
                with host.lock:
                    host.taken.append(b"".join(lines))
                    host.envelopes.append(envelope)
            return self._reply(host, "DOT")
        return True


@contextmanager
def smarthost(script: Script = lambda _verb, _mail: None) -> Iterator[FakeSmarthost]:
    """A fake smarthost on loopback while the block runs; by default it takes everything."""
    host = FakeSmarthost(script)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), _Session) as server:
        server.host = host  # type: ignore[attr-defined]
        host.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()


def at(verb: str, reply: bytes, mail: int | None = None) -> Script:
    """A script that answers ``verb`` with ``reply`` (for one mail only, if numbered) and is ordinary otherwise."""
    return lambda said, number: reply if said == verb and mail in (None, number) else None
