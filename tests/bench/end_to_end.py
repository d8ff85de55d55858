"""CPU a mail from SMTP in to acknowledgement out, over all of mailflow's processes; and how it grows with the store."""

import asyncio
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

import sqlalchemy as sa
from service import Running, Service, endorsement, provider_signs, wait_until_idle

from mailflow.model.decision import Disposition
from mailflow.model.endorsement import EntryState, EventKind
from mailflow.model.mail import Assurance
from mailflow.store.digests import open_window
from mailflow.store.engine import Store
from mailflow.store.schema import entries, events, mails, outbox, raws, versions

_WORDS = (
    "I endorse the letter and I would like to add my name to it. I grew up two miles from the East Arm, and my grandfather "
    "kept the ferry there until the bridge came. In those years the reed stood higher than a man on a horse, and in October the "
    "whole bank was grey with ibis. My daughter has never seen one.\r\n\r\n"
    "What troubles me most is that nobody has asked the people who live from the water. You cannot move a village inland and call it the "
    "same village. Please keep me informed about what happens in December."
)


def letter(n: int) -> bytes:
    """A signed mail of about 4 KB as webmail sends it: text and the same as HTML, by the n-th person."""
    name = endorsement(n).partition(b"From: ")[2].partition(b" <")[0].decode()
    style = 'style="font-family: Aptos, Calibri, Helvetica, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);"'
    text = f"Dear all,\r\n\r\n{_WORDS}\r\n\r\nWith kind regards,\r\n{name}\r\nHexley, England\r\n"
    rows = "".join(f'<div class="elementToProof" {style}>{line or "<br>"}</div>\r\n' for line in text.split("\r\n"))
    host = f"host{n % 50}.example"
    raw = (
        f"From: {name} <p{n}@{host}>\r\nTo: endorse@delta.example\r\nSubject: Keep the Delta Wild\r\nDate: {format_datetime(datetime.now(UTC))}\r\n"
        f'Message-ID: <b{n}@{host}>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b{n}"\r\n\r\n'
        f"--b{n}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b{n}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f"<html><body>{rows}</body></html>\r\n--b{n}--\r\n"
    )
    return provider_signs(raw.encode(), host)


TICK = os.sysconf("SC_CLK_TCK")
MAILS = 1500
CONNECTIONS = 20


class _Sink(asyncio.Protocol):
    """Takes every mail and keeps nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.in_data = False
        self.buffer = b""
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            line, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            starts_data = not self.in_data and line.upper() == b"DATA"
            self.in_data = starts_data
            self.transport.write(b"354 go\r\n" if starts_data else b"250 ok\r\n")


@contextmanager
def sink() -> Iterator[int]:
    """A smarthost in a thread of this process, whose CPU is not counted; gives its port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(_Sink, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _send(port: int, raws: list[bytes]) -> None:
    """Sends the mails over one connection, as an MTA that has much to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()

    async def say(line: bytes) -> bytes:
        writer.write(line)
        while True:
            answer = await reader.readline()
            if answer[3:4] != b"-":
                return answer

    await say(b"EHLO bench.example\r\n")
    for raw in raws:
        await say(b"MAIL FROM:<someone@host.example>\r\n")
        await say(b"RCPT TO:<endorse@delta.example>\r\n")
        await say(b"DATA\r\n")
        answer = await say(raw + b".\r\n")
        if not answer.startswith(b"250"):
            raise RuntimeError(f"not accepted: {answer!r}")
    writer.close()


async def _send_all(port: int, raws: list[bytes]) -> None:
    await asyncio.gather(*(_send(port, raws[n::CONNECTIONS]) for n in range(CONNECTIONS)))


def cpu_of(running: Running) -> float:
    """CPU seconds of the service so far: supervisor, children, and children that have ended."""
    total = 0
    for pid in [running.process.pid, *running.children()]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(value) for value in fields[11:15])
    return total / TICK


def run(url: str, fill: Callable[[Store], None] = lambda _store: None, offset: int = 0) -> tuple[float, float]:
    """(milliseconds of CPU a mail, mails a second) for MAILS signed 4 KB endorsements by as many people."""
    letters = [letter(n + offset) for n in range(MAILS)]
    warm = [letter(n + offset + MAILS) for n in range(40)]
    with tempfile.TemporaryDirectory() as folder, sink() as port:
        service = Service(Path(folder), url, port)
        store = service.program.store
        fill(store)
        with service.running() as running:
            listening = running.port()
            asyncio.run(_send_all(listening, warm))
            wait_until_idle(store)
            before, began = cpu_of(running), time.monotonic()
            asyncio.run(_send_all(listening, letters))
            wait_until_idle(store, 300)
            spent, took = cpu_of(running) - before, time.monotonic() - began
        with store.read() as tx:
            counted = tx.execute(
                sa.select(sa.func.count()).select_from(outbox).where(outbox.c.state == "sent", outbox.c.kind == "counted")
            ).scalar_one()
        store.close()
    if counted < MAILS:
        raise RuntimeError(f"only {counted} of {MAILS} were counted and answered")
    return spent / MAILS * 1000, MAILS / took


def filled(count: int) -> Callable[[Store], None]:
    """Fills a store with ``count`` endorsements and all that belongs to them."""

    def fill(store: Store) -> None:
        now = datetime.now(UTC)
        raw = letter(1)
        for start in range(0, count, 5000):
            ids = range(start + 1, min(start + 5000, count) + 1)
            with store.write() as tx:
                tx.execute(sa.insert(entries), [_entry(n, now) for n in ids])
                tx.execute(sa.insert(mails), [_mail(n, now, len(raw)) for n in ids])
                tx.execute(sa.insert(raws), [{"mail_id": n, "data": raw} for n in ids])
                tx.execute(
                    sa.insert(versions), [{"entry_id": n, "version": 1, "mail_id": n, "record": {"name": "N"}, "at": now} for n in ids]
                )
                tx.execute(sa.insert(events), [_event(n, now) for n in ids])
                tx.execute(sa.insert(outbox), [_sent(n, now, raw) for n in ids])
        # Today's digest is written: one digest of 200,000 events is no part of what a mail costs.
        with store.write() as tx:
            open_window(tx, "delta", "anna@org.example", now.date(), 0, count, now)

    return fill


def _entry(n: int, now: datetime) -> dict[str, Any]:
    return {
        "campaign": "delta", "identity": f"q{n}@old.example", "address": f"q{n}@old.example", "name": f"Old {n}", "words": "I endorse. " * 10,
        "named": True, "words_shown": True, "published": True, "assurance": Assurance.ALIGNED, "state": EntryState.LIVE, "version": 1,
        "statement_hash": "h", "notice_version": "1", "changed_at": now, "last_word_at": now, "id": n,
    }  # fmt: skip


def _mail(n: int, now: datetime, size: int) -> dict[str, Any]:
    return {
        "id": n, "sha256": f"{n:064d}", "size": size, "campaign": "delta", "door": "smtp", "sender": f"q{n}@old.example",
        "recipients": ["endorse@delta.example"], "trusted_results": [], "received_at": now, "disposition": Disposition.COUNTED, "due_at": now,
        "attempts": 1, "content_hash": f"{n:064d}", "content_key": f"delta:{n:064d}", "entry_id": n, "action": "accept", "reasons": ["always"],
        "assurance": "aligned", "evidence": ["dkim=pass"], "decided_at": now,
    }  # fmt: skip


def _event(n: int, now: datetime) -> dict[str, Any]:
    return {
        "id": n,
        "seq": n,
        "kind": EventKind.ENDORSED,
        "campaign": "delta",
        "entry_id": n,
        "mail_id": n,
        "actor": "mail",
        "reason": "always",
        "at": now,
    }


def _sent(n: int, now: datetime, raw: bytes) -> dict[str, Any]:
    return {
        "key": f"old:{n}", "kind": "counted", "campaign": "delta", "mail_id": n, "entry_id": n, "message_id": f"old{n}@delta.example", "sender": "",
        "recipient": f"q{n}@old.example", "raw": raw, "state": "sent", "due_at": now, "attempts": 1, "created_at": now, "sent_at": now,
    }  # fmt: skip


def end_to_end_cpu_ms(rounds: int = 3) -> dict[str, Any]:
    """SMTP in, DKIM verified, decided, stored, acknowledgement delivered to a sink: CPU a mail over all processes."""
    found = [run("sqlite:///var/m.db") for _ in range(rounds)]
    value = statistics.median(ms for ms, _ in found)
    rate = statistics.median(rate for _, rate in found)
    note = f"{MAILS} signed 4 KB mails by as many people, 2 workers, SQLite; {rate:.0f} mails a second on {os.cpu_count()} cores shared with generator and sink"
    return {
        "name": "end_to_end_cpu_ms",
        "value": round(value, 2),
        "unit": "ms",
        "median_of": rounds,
        "peer": None,
        "peer_value": None,
        "ratio": None,
        "note": note,
    }


def growth_cpu_ratio(rounds: int = 3) -> dict[str, Any]:
    """CPU a mail with 200,000 endorsements stored, against 1,000; in turns."""
    pairs = [(run("sqlite:///var/m.db", filled(200_000))[0], run("sqlite:///var/m.db", filled(1000))[0]) for _ in range(rounds)]
    ratio = statistics.median(large / small for large, small in pairs)
    large, small = (statistics.median(values) for values in zip(*pairs, strict=True))
    note = f"{large:.2f} ms at 200,000 stored, {small:.2f} ms at 1,000"
    return {
        "name": "growth_cpu_ratio",
        "value": round(ratio, 3),
        "unit": "ratio",
        "median_of": rounds,
        "peer": None,
        "peer_value": None,
        "ratio": None,
        "note": note,
    }


BENCHES = {"end_to_end_cpu_ms": end_to_end_cpu_ms, "growth_cpu_ratio": growth_cpu_ratio}
