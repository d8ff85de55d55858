"""A cheap load generator: many reused SMTP sessions in one process, each mail with a Message-ID of its own, against any port."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

SESSIONS = 50
BYTES = 4096
SENDER = b"MAIL FROM:<ann@foo.example>\r\n"
RECIPIENT = b"RCPT TO:<endorse@delta.example>\r\n"
_HEAD = (
    b"From: Ann <ann@foo.example>\r\nTo: endorse@delta.example\r\nSubject: Endorsement\r\n"
    b"Date: Thu, 10 Sep 2026 12:00:00 +0000\r\nMessage-ID: <%b.%012d@foo.example>\r\n\r\n"
)
_LINE = b"I have lived beside the delta for a long time, and I endorse the letter.\r\n"


class Load:
    """What the sessions share: how many mails may still begin, how many were accepted, what went wrong."""

    def __init__(self, mails: int, seconds: float) -> None:
        self.left = mails
        self.until = time.monotonic() + seconds
        self.accepted = 0
        self.refused: list[str] = []
        self.run = os.urandom(6).hex().encode()
        head = len(_HEAD % (self.run, 0))
        self.body = (_LINE * (BYTES // len(_LINE) + 1))[: BYTES - head - 2] + b"\r\n.\r\n"

    def next(self) -> bytes | None:
        """Another mail with its final dot, ``None`` when there have been enough."""
        if self.left <= 0 or time.monotonic() > self.until:
            return None
        self.left -= 1
        return _HEAD % (self.run, self.left) + self.body


class Session(asyncio.Protocol):
    """Speaks without pipelining: one command, one answer, as most senders do."""

    def __init__(self, load: Load, ended: "asyncio.Future[None]") -> None:
        self._load = load
        self._ended = ended
        self._step = self._greeted
        self._mail: bytes | None = b""
        self._buffer = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """A whole answer ends in CRLF and its last line has a blank after the code."""
        self._buffer += data
        if not self._buffer.endswith(b"\r\n"):
            return
        start = self._buffer.rfind(b"\r\n", 0, -2) + 2 if self._buffer.count(b"\n") > 1 else 0
        last = self._buffer[start:]
        if last[3:4] != b" ":
            return
        self._buffer = b""
        self._step(last)

    def _refuse(self, answer: bytes) -> None:
        self._load.refused.append(answer.decode("ascii", "replace").strip())
        self.transport.close()

    def _greeted(self, answer: bytes) -> None:
        self._step = self._next
        self.transport.write(b"EHLO load.example\r\n")

    def _next(self, answer: bytes) -> None:
        if answer[:3] != b"250":
            self._refuse(answer)
            return
        self._mail = self._load.next()
        self._step = self._mail_said
        if self._mail is None:
            self.transport.write(b"QUIT\r\n")
            self.transport.close()
        else:
            self.transport.write(SENDER)

    def _mail_said(self, answer: bytes) -> None:
        self._expect(answer, b"250", RECIPIENT, self._recipient_said)

    def _recipient_said(self, answer: bytes) -> None:
        self._expect(answer, b"250", b"DATA\r\n", self._data_said)

    def _data_said(self, answer: bytes) -> None:
        self._expect(answer, b"354", self._mail or b"", self._kept)

    def _expect(self, answer: bytes, code: bytes, say: bytes, then: Any) -> None:
        if answer[:3] != code:
            self._refuse(answer)
            return
        self._step = then
        self.transport.write(say)

    def _kept(self, answer: bytes) -> None:
        self._load.accepted += answer[:3] == b"250"
        self._next(answer)


async def _drive(port: int, load: Load, sessions: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(sessions)]
    began, cpu = time.perf_counter(), time.process_time()
    for ended in ends:
        await loop.create_connection(partial(Session, load, ended), "127.0.0.1", port)
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - began
    return {"accepted": load.accepted, "seconds": seconds, "cpu": time.process_time() - cpu, "refused": load.refused[:5]}


def drive(port: int, seconds: float, *, mails: int = 10**9, sessions: int = SESSIONS) -> dict[str, Any]:
    """Runs the generator as a process of its own; returns accepted, seconds, cpu and the first refusals."""
    command = [sys.executable, str(Path(__file__)), str(port), str(seconds), str(mails), str(sessions)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=seconds + 60)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("port", int), ("seconds", float), ("mails", int), ("sessions", int)):
        parser.add_argument(name, type=kind)
    given = parser.parse_args()
    print(json.dumps(uvloop.run(_drive(given.port, Load(given.mails, given.seconds), given.sessions))))
