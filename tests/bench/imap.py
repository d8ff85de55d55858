"""10,000 mails drained from a real Dovecot into the store, against fetchmail and against nothing but the fetch."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from dovecots import PASSWORD, PROGRAM, USER, Dovecot, dovecot
from service import Service

from mailflow.store.books import balance

MAILS = 10_000
BYTES = 4096
_LINE = b"I have lived beside the delta for a long time, and I endorse the letter.\r\n"


def letters(count: int) -> Iterator[bytes]:
    """Mails of 4 KB by as many people."""
    for n in range(count):
        head = b"From: P <p%d@foo.example>\r\nTo: endorse@delta.example\r\nSubject: Endorsement\r\nMessage-ID: <%d@foo.example>\r\n\r\n" % (
            n,
            n,
        )
        yield (head + _LINE * (BYTES // len(_LINE) + 1))[: BYTES - 2] + b"\r\n"


def raw_fetch(server: Dovecot) -> float:
    """Seconds for nothing but the fetch, by 500."""
    began = time.perf_counter()
    with server.client() as client:
        client.select_folder("INBOX", readonly=True)
        uids = client.search("ALL")
        got = sum(len(client.fetch(uids[start : start + 500], ["BODY.PEEK[]"])) for start in range(0, len(uids), 500))
    if got != MAILS:
        raise RuntimeError(f"the raw fetch gave {got} mails")
    return time.perf_counter() - began


def fetchmail(server: Dovecot) -> float:
    """Seconds for fetchmail, which hands each mail to a program that drops it: its quickest way, by SMTP it is twenty times slower."""
    with tempfile.TemporaryDirectory() as home:
        rc = Path(home) / "rc"
        rc.write_text(
            f'poll 127.0.0.1 protocol imap port {server.port} auth password user "{USER}" password "{PASSWORD}" is "root" here '
            "mda \"/bin/cat >/dev/null\" fetchall keep no rewrite sslproto ''\n"
        )
        rc.chmod(0o600)
        began = time.perf_counter()
        command = ["fetchmail", "-f", str(rc), "--silent", "--nosyslog", "-d0"]
        done = subprocess.run(command, env={**os.environ, "HOME": home}, capture_output=True, text=True, check=False)
        took = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"fetchmail: {done.stderr[-300:]}")
    return took


def rss() -> int:
    """Resident bytes of this process."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024


def drain(server: Dovecot) -> tuple[float, int]:
    """(seconds, growth of memory in bytes) to keep everything in a fresh store, with progress, durably."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), "sqlite:///var/m.db", 1)
        service.configure(
            f'\n[[imap]]\nname = "bench"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nuser = "{USER}"\n'
            f'password = "{PASSWORD}"\ncampaign = "delta"\n'
        )
        (service.config / "mailflow.toml").chmod(0o600)
        program = service.program
        account = program.config.settings.imap[0]
        with program.store.read():
            before = rss()
        sys.setswitchinterval(0.0005)  # as jobs/imap.py does
        began = time.perf_counter()
        with closing(program.mailboxes.connect(account)) as session:
            kept = program.mailboxes.reader(account, "INBOX").catch_up(session)
        took = time.perf_counter() - began
        sys.setswitchinterval(0.005)
        grown = rss() - before
        with program.store.read() as tx:
            (page,) = balance(tx)
        program.store.close()
    if kept != MAILS or page.received != MAILS:
        raise RuntimeError(f"kept {kept} mails, {page.received} in the books")
    return took, grown


@cache
def measured(rounds: int = 3) -> tuple[list[float], list[float], list[float], int]:
    """(drain, raw fetch, fetchmail) in mails a second, in turns over one mailbox, and the most that memory grew."""
    ours, raw, theirs, grown = [], [], [], 0
    with dovecot() as server:
        server.append_many(letters(MAILS))
        raw_fetch(server)
        for _ in range(rounds):
            seconds, more = drain(server)
            ours.append(MAILS / seconds)
            grown = max(grown, more)
            raw.append(MAILS / raw_fetch(server))
            theirs.append(MAILS / fetchmail(server) if shutil.which("fetchmail") else 0.0)
    return ours, raw, theirs, grown


def _result(name: str, peer: str, choose: Callable[[], list[float]]) -> dict[str, Any] | None:
    if not Path(PROGRAM).exists() or os.geteuid() != 0:
        return None
    ours, _, _, grown = measured()
    others = choose()
    if not all(others):
        return None
    return {
        "name": name,
        "value": round(statistics.median(ours)),
        "unit": "mails/s",
        "median_of": len(ours),
        "peer": peer,
        "peer_value": round(statistics.median(others)),
        "ratio": round(statistics.median(one / other for one, other in zip(ours, others, strict=True)), 3),
        "note": f"{MAILS} mails of {BYTES} bytes in Dovecot's INBOX, kept durably in SQLite; memory grew by {grown / 1e6:.0f} MB",
    }


def imap_drain_vs_fetchmail() -> dict[str, Any] | None:
    """The drain against fetchmail, which hands each mail to a program that drops it."""
    return _result("imap_drain_vs_fetchmail", "fetchmail, mda cat >/dev/null", lambda: measured()[2])


def imap_drain_vs_raw_fetch() -> dict[str, Any] | None:
    """The drain against IMAPClient fetching by 500 and dropping everything."""
    return _result("imap_drain_vs_raw_fetch", "IMAPClient, fetch only", lambda: measured()[1])


BENCHES = {"imap_drain_vs_fetchmail": imap_drain_vs_fetchmail, "imap_drain_vs_raw_fetch": imap_drain_vs_raw_fetch}
