"""Each kill point pulled once: what must hold after a restart does hold."""

from collections.abc import Iterator
from pathlib import Path

import invariants
import pytest
from service import Service, deliver, endorsement, wait_until_idle
from smarthosts import FakeSmarthost, smarthost

from mailflow.crash import POINTS


@pytest.fixture
def host() -> Iterator[FakeSmarthost]:
    with smarthost() as fake:
        yield fake


@pytest.fixture
def service(store_url: str, tmp_path: Path, host: FakeSmarthost) -> Service:
    return Service(tmp_path, store_url, host.port)


def survive(service: Service, host: FakeSmarthost, point: str, raws: list[bytes], settings: str = "") -> None:
    """Runs with the plug pulled at ``point`` in each process that passes it, then without, and looks at everything."""
    if settings:
        service.configure(settings)
    with service.running(crash_at=point) as running:
        port = running.port()
        for raw in raws:
            try:
                deliver(port, raw, tries=4)
            except AssertionError:
                continue
    with service.running() as running:
        port = running.port()
        for raw in raws:
            deliver(port, raw)
        store = service.program.store
        wait_until_idle(store)
    service.program.ticker("test").digests()
    invariants.hold(store, accepted=raws, delivered=host.taken, crashes=3)
    with store.read() as tx:
        counted = tx.exec_driver_sql("SELECT count(*) FROM entries WHERE state = 'live'").scalar_one()
    assert counted == len(raws), "I3: everybody is counted once"


INTAKE = ["data.partial", "data.complete.before_write", "raw.insert.before_commit", "raw.commit.before_250", "250.sent.before_notify"]
SPOOL = ["raw.tmp_written", "raw.fsynced.before_insert"]
WORKER = ["parse.claimed", "parse.child_killed", "auth.dns_in_flight", "effect.before_commit", "effect.after_commit.before_lease_release"]
SENDER = ["outbox.claimed", "outbox.before_data", "outbox.after_final_dot.before_reply", "outbox.after_250.before_mark"]
DIGEST = ["digest.window_opened", "digest.composed.before_commit", "digest.sent.before_mark"]
MAILBOX = ["imap.fetched.before_commit", "imap.commit.before_flag", "imap.moved.before_record"]
"""These need a real server: tests/whole/test_imap_dovecot.py."""


def points(names: list[str]) -> list[object]:
    return [pytest.param(name, marks=pytest.mark.kill(POINTS[name]), id=POINTS[name]) for name in names]


@pytest.mark.parametrize("point", points(INTAKE))
def test_a_listener_killed_loses_nothing_that_it_said_it_kept(service: Service, host: FakeSmarthost, point: str) -> None:
    survive(service, host, f"{point}:2", [endorsement(n) for n in range(3)])


@pytest.mark.parametrize("point", points(SPOOL))
def test_a_listener_killed_over_a_large_mail_leaves_no_file_behind(service: Service, host: FakeSmarthost, point: str) -> None:
    survive(service, host, point, [endorsement(1, size=200_000), endorsement(2)], "\n[limits]\nhops = 50\n")
    assert list((service.root / "var" / "spool").glob("*.arriving")) == []


@pytest.mark.parametrize("point", points(WORKER))
def test_a_worker_killed_does_nothing_twice_and_nothing_by_half(service: Service, host: FakeSmarthost, point: str) -> None:
    survive(service, host, f"{point}:2", [endorsement(n) for n in range(4)])


@pytest.mark.parametrize("point", points(SENDER))
def test_a_sender_killed_repeats_at_most_what_it_cannot_know(service: Service, host: FakeSmarthost, point: str) -> None:
    survive(service, host, point, [endorsement(n) for n in range(3)])


@pytest.mark.parametrize("point", points(DIGEST))
def test_a_clock_killed_over_a_digest_neither_skips_nor_repeats(service: Service, host: FakeSmarthost, point: str) -> None:
    survive(service, host, point, [endorsement(1)])


def test_every_kill_point_in_the_code_is_pulled_by_a_test() -> None:
    assert set(POINTS) == {*INTAKE, *SPOOL, *WORKER, *SENDER, *DIGEST, *MAILBOX}
