"""The worker: batches, failures, outages, and a poisonous mail that harms only itself."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import invariants
import pytest
from campaigns import Clock, letter, tools
from stores import keep, opened

from mailflow.config.settings import LimitSettings
from mailflow.jobs.worker import Worker, bound_memory, cpu_limit
from mailflow.model.errors import StoreUnavailable
from mailflow.model.mail import KeptMail, ParsedMail, Verdict
from mailflow.store import books, mails
from mailflow.store.engine import Store

POISON = letter("Eve", "eve@bad.example", breaks=True, words="secret words of Eve")


@dataclass
class Shop:
    """A store, a clock and workers."""

    store: Store
    clock: Clock

    def worker(self, name: str = "w1", **changes: Any) -> Worker:
        return Worker(self.store, tools(self.clock, **changes), name, timedelta(minutes=1), LimitSettings(), killable=False)

    def lines(self) -> dict[str, int]:
        with self.store.read() as tx:
            (page,) = books.balance(tx)
        return {str(line): count for line, count in page.lines.items() if count}

    def error(self, mail_id: int) -> str:
        with self.store.read() as tx:
            return str(tx.exec_driver_sql(f"SELECT error FROM mails WHERE id = {mail_id}").scalar_one())


@pytest.fixture
def shop(store_url: str, tmp_path: Path) -> Iterator[Shop]:
    with opened(store_url, tmp_path) as store:
        yield Shop(store, Clock())
        invariants.hold(store)


def people(count: int) -> list[bytes]:
    return [letter(f"P{n}", f"p{n}@foo.example") for n in range(count)]


def test_a_worker_takes_everything_to_its_end(shop: Shop) -> None:
    keep(shop.store, *people(50))
    assert shop.worker().run(lambda: False, until_idle=True) == 50
    assert shop.lines() == {"counted": 50}


@pytest.mark.case(86)
def test_a_hundred_mails_by_one_person_are_one_entry(shop: Shop) -> None:
    keep(shop.store, *[letter("Ann", "ann@foo.example", message_id=f"m{n}@foo.example") for n in range(100)])
    shop.worker().run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 1, "duplicate": 99}


@pytest.mark.case(21)
def test_a_storm_of_retries_is_one_mail_and_its_copies(shop: Shop) -> None:
    keep(shop.store, *[people(1)[0]] * 50)
    shop.worker().run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 1, "duplicate": 49}


@pytest.mark.case(81)
def test_a_mail_that_breaks_the_reader_is_set_aside_after_three_tries_and_harms_nobody(shop: Shop) -> None:
    ids = keep(shop.store, *people(5), POISON, *people(9)[5:])
    shop.worker().run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 9, "set_aside": 1}
    assert shop.error(ids[5]).startswith("RuntimeError at campaigns.py:")
    assert "secret" not in shop.error(ids[5])


def test_a_mail_that_breaks_the_settling_is_set_aside_and_its_neighbours_are_settled(shop: Shop) -> None:
    class Broken:
        def answer(self, answer: object, *_: object) -> object:
            raise ValueError("a template is broken")

    healthy = tools(shop.clock).render
    ids = keep(shop.store, *people(3))

    class Sometimes:
        def answer(self, answer: object, campaign: object, now: object) -> object:
            chosen = Broken() if "p1@" in str(answer) else healthy
            return chosen.answer(answer, campaign, now)  # type: ignore[arg-type]

    shop.worker(render=Sometimes()).run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 2, "set_aside": 1}
    assert "ValueError" in shop.error(ids[1])


def test_a_log_never_quotes_a_mail(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    keep(shop.store, POISON, *people(2))
    shop.worker().run(lambda: False, until_idle=True)
    for canary in ("secret", "eve", "p1@"):
        assert canary not in caplog.text.lower()


def test_a_retry_takes_a_mended_mail_to_its_end(shop: Shop) -> None:
    (mail_id,) = keep(shop.store, POISON)
    shop.worker().run(lambda: False, until_idle=True)
    with shop.store.write() as tx:
        assert mails.retry(tx, [mail_id], shop.clock()) == 1

    def mended(raw: bytes, _campaign: object) -> ParsedMail:
        return tools(shop.clock).read(raw.replace(b'"breaks": true', b'"breaks": false'), None)

    shop.worker(read=mended).run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 1}


def test_a_worker_that_was_overtaken_settles_nothing(shop: Shop) -> None:
    keep(shop.store, *people(1))
    slow = shop.worker("slow")

    def overtaken(raw: bytes, campaign: object) -> ParsedMail:
        shop.clock.move(minutes=2)
        shop.worker("fast").run(lambda: False, until_idle=True)
        return tools(shop.clock).read(raw, None)

    replace(slow, tools=replace(slow.tools, read=overtaken)).batch()
    assert shop.lines() == {"counted": 1}


def test_slow_dns_gives_mails_back_before_the_lease_runs_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(shop.store, *people(5))
    moments = iter([0.0, 0.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments, 100.0))
    shop.worker().batch()
    monkeypatch.undo()
    assert shop.lines() == {"counted": 1, "in_flight": 4}
    shop.worker().run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 5}


@pytest.mark.fault("db-gone")
def test_an_outage_is_waited_out_and_costs_no_try(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(shop.store, *people(2))
    monkeypatch.setattr("mailflow.jobs.worker.OUTAGE_SECONDS", 0.0)
    failures = iter([StoreUnavailable("away")] * 5)

    def judge(mail: KeptMail, parsed: ParsedMail) -> Verdict:
        if (failure := next(failures, None)) is not None:
            raise failure
        return tools(shop.clock).authenticate(mail, parsed)

    shop.worker(authenticate=judge).run(lambda: False, until_idle=True)
    assert shop.lines() == {"counted": 2}


def in_a_child(work: object) -> int:
    """The wait status of a forked process that runs ``work``."""
    pid = os.fork()
    if pid == 0:
        try:
            work()  # type: ignore[operator]
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


@pytest.mark.fault("cpu-exhausted")
def test_a_process_that_takes_too_much_cpu_over_a_mail_is_killed_by_the_kernel() -> None:
    def spin() -> None:
        with cpu_limit(0.2):
            while True:
                pass

    assert os.WTERMSIG(in_a_child(spin)) == signal.SIGPROF


def test_the_limit_ends_with_the_mail() -> None:
    def work() -> None:
        with cpu_limit(0.2):
            pass
        until = time.process_time() + 0.4
        while time.process_time() < until:
            pass

    assert in_a_child(work) == 0


@pytest.mark.fault("memory-exhausted")
def test_memory_beyond_the_bound_is_an_error_that_can_be_written_down() -> None:
    def grow() -> None:
        bound_memory(50_000_000)
        try:
            bytearray(200_000_000)
        except MemoryError:
            os._exit(3)

    assert os.waitstatus_to_exitcode(in_a_child(grow)) == 3
