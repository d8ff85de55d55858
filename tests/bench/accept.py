"""Mails accepted a second, on disk before each 250: mailflow's listeners against Postfix, in turns, on the same disk."""

import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Two folders that `make bench` knows and a listener's own process does not.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import generator
import postfix
import sqlalchemy as sa
from stores import opened

from mailflow.config.settings import LimitSettings, SmtpSettings, StoreSettings
from mailflow.intake.keep import Keeper
from mailflow.intake.listener import bound_socket, loop_factory, reserve_port, serve
from mailflow.store.engine import Store, open_store
from mailflow.store.schema import mails

URL = "sqlite:///mailflow.db"
ROUNDS = 5
SECONDS = 5.0
WARM_UP = 1.0


def settings(port: int) -> SmtpSettings:
    """The defaults, but one client may hold all sessions and send without end."""
    return SmtpSettings(port=port, max_connections_per_client=200, max_messages=10**9)


async def _listen(port: int, root: Path, keeper: Keeper) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(
        settings(port),
        {"endorse@delta.example": "delta"},
        keeper,
        lambda: datetime.now(UTC),
        free_bytes=lambda: shutil.disk_usage(root).free,
        free_floor=StoreSettings().free_bytes_floor,
        spool=root / "spool",
        limits=LimitSettings(),
        stop=stop,
        sock=bound_socket(settings(port)),
    )


def listen(port: int, root: Path) -> None:
    """One listener process, as `mailflow run` starts them: own loop, own keeper, the store shared."""
    store = open_store(StoreSettings(url=URL), root)
    keeper = Keeper(lambda: store)
    try:
        with asyncio.Runner(loop_factory=loop_factory(settings(port))) as runner:
            runner.run(_listen(port, root, keeper))
    finally:
        keeper.close()
        store.close()


@contextmanager
def listeners(root: Path, port: int, count: int) -> Iterator[list[int]]:
    """``count`` listener processes on one port; gives their pids."""
    command = [sys.executable, str(Path(__file__)), str(port), str(root)]
    running = [subprocess.Popen(command) for _ in range(count)]
    try:
        _wait_for(port, running)
        yield [process.pid for process in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(40)


def _wait_for(port: int, running: "list[subprocess.Popen[bytes]]") -> None:
    """Until each has its own listening socket: one that answers says nothing about the others."""
    for _ in range(300):
        lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
        if sum(fields[1].endswith(f":{port:04X}") and fields[3] == "0A" for fields in lines) == len(running):
            return
        if any(process.poll() is not None for process in running):
            break
        time.sleep(0.1)
    raise RuntimeError("a listener did not start")


def rate(port: int, seconds: float) -> tuple[int, float]:
    """Accepted mails, and accepted mails a second. Raises RuntimeError where a mail was refused."""
    told = generator.drive(port, seconds)
    if told["refused"]:
        raise RuntimeError(f"mails were refused: {told['refused']}")
    return told["accepted"], told["accepted"] / told["seconds"]


def _kept(store: Store) -> int:
    with store.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(mails)).scalar_one())


def measure(rounds: int = ROUNDS, seconds: float = SECONDS, folder: Path | None = None) -> list[tuple[float, float]]:
    """(mailflow's rate, Postfix's rate) of each round, one right after the other. Raises RuntimeError where the books do not balance."""
    with tempfile.TemporaryDirectory(prefix="accept-", dir=folder) as name:
        root = Path(name)
        # Postfix drops to a user of its own, who must be able to walk in.
        root.chmod(0o755)
        (root / "spool").mkdir(mode=0o700)
        with opened(URL, root) as store, reserve_port(settings(0)) as port:
            with listeners_of_both(root, port) as (theirs, held):
                accepted = [rate(one, WARM_UP)[0] for one in (port, theirs)]
                figures = []
                for _ in range(rounds):
                    (ours, our_rate), (peers, peer_rate) = rate(port, seconds), rate(theirs, seconds)
                    accepted = [accepted[0] + ours, accepted[1] + peers]
                    figures.append((our_rate, peer_rate))
                found = [_kept(store), sum(file.is_file() for file in (held / "hold").rglob("*"))]
            if accepted != found:
                raise RuntimeError(f"accepted {accepted}, on disk {found}")
    return figures


@contextmanager
def listeners_of_both(root: Path, port: int) -> Iterator[tuple[int, Path]]:
    """Both sides run all the time, and each is idle while the other is measured; gives Postfix's port and queue."""
    with listeners(root, port, os.cpu_count() or 1), postfix.running(root) as theirs:
        yield theirs


def bench() -> dict[str, Any] | None:
    """The line of build/bench.json, ``None`` where there is no Postfix."""
    if not postfix.available():
        return None
    figures = measure()
    ours, theirs = zip(*figures, strict=True)
    return {
        "value": statistics.median(ours),
        "unit": "mails/s",
        "median_of": len(figures),
        "peer": "Postfix, default durability, all mail held",
        "peer_value": statistics.median(theirs),
        "ratio": statistics.median(mine / its for mine, its in figures),
        "note": f"{generator.SESSIONS} reused sessions, {generator.BYTES} bytes a mail, generator on the same {os.cpu_count()} cores; "
        f"{os.cpu_count()} listener processes, SQLite WAL and FULL on the same disk",
    }


BENCHES = {"smtp_accept_vs_postfix": bench}

if __name__ == "__main__":
    listen(int(sys.argv[1]), Path(sys.argv[2]))
