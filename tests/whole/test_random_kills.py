"""SIGKILL at random moments while mails pour in: nothing accepted is lost, nobody is counted twice."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import invariants
import pytest
from service import Running, Service, deliver, endorsement, wait_until_idle
from smarthosts import smarthost


def kill_one(running: Running, chance: random.Random) -> None:
    """Kills any process of the service but the supervisor, which is `mailflow run` itself."""
    pids = running.children()
    if pids:
        try:
            os.kill(chance.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return


def pour(port: int, raws: list[bytes], accepted: list[bytes], lock: threading.Lock) -> None:
    for raw in raws:
        deliver(port, raw, tries=200)
        with lock:
            accepted.append(raw)


def survive(service: Service, taken: list[bytes], mails: int, kills: int, seed: int) -> None:
    """Sends ``mails`` over eight connections while ``kills`` processes die, then looks at everything."""
    chance = random.Random(seed)
    raws = [endorsement(n) for n in range(mails)]
    accepted: list[bytes] = []
    lock = threading.Lock()
    with service.running() as running:
        port = running.port()
        threads = [threading.Thread(target=pour, args=(port, raws[n::8], accepted, lock)) for n in range(8)]
        for thread in threads:
            thread.start()
        done = 0
        while any(thread.is_alive() for thread in threads) or done < kills:
            time.sleep(chance.uniform(0.02, 0.35))
            if done < kills:
                kill_one(running, chance)
                done += 1
        for thread in threads:
            thread.join()
        store = service.program.store
        wait_until_idle(store, 240)
    invariants.hold(store, accepted=accepted, delivered=taken, crashes=kills)
    with store.read() as tx:
        counted = tx.exec_driver_sql("SELECT count(*) FROM entries WHERE state = 'live'").scalar_one()
    assert counted == mails


@pytest.mark.fault("process-killed")
@pytest.mark.timeout(300)
def test_ten_kills_while_mails_pour_in(store_url: str, tmp_path: Path) -> None:
    with smarthost() as host:
        survive(Service(tmp_path, store_url, host.port), host.taken, mails=200, kills=10, seed=1)


@pytest.mark.long
@pytest.mark.fault("process-killed")
@pytest.mark.timeout(1800)
def test_fifty_kills_while_two_thousand_mails_pour_in(store_url: str, tmp_path: Path) -> None:
    with smarthost() as host:
        survive(Service(tmp_path, store_url, host.port), host.taken, mails=2000, kills=50, seed=2)
