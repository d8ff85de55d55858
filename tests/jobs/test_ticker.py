"""The clock: numbers without gaps, one digest an organiser and day, whatever is restarted and whatever the clocks do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import invariants
import pytest
import sqlalchemy as sa
from campaigns import Clock, delta, letter, tools
from stores import keep, opened

from mailflow.config.campaign import Campaign, Organiser
from mailflow.config.settings import LimitSettings
from mailflow.jobs.ticker import Ticker
from mailflow.jobs.worker import Worker
from mailflow.packaged import packaged
from mailflow.render import Renderer
from mailflow.store import leases
from mailflow.store.engine import Store
from mailflow.store.schema import digests, outbox

CARA = Organiser(address="cara@org.example", zone="Europe/Berlin", hour=8, names=True)


@dataclass
class Office:
    """A store, a clock, a campaign with one organiser."""

    store: Store
    clock: Clock
    campaign: Campaign

    def ticker(self, name: str = "t1") -> Ticker:
        return Ticker(self.store, {"delta": self.campaign}, Renderer(packaged("templates"), b"s" * 32), name, self.clock)

    def endorse(self, *names: str) -> None:
        keep(self.store, *[letter(name, f"{name.lower()}@foo.example") for name in names])
        Worker(self.store, tools(self.clock, self.campaign), "w1", timedelta(minutes=1), LimitSettings(), killable=False).run(
            lambda: False, until_idle=True
        )

    def windows(self) -> list[tuple[str, int, int]]:
        with self.store.read() as tx:
            return [(row.day, row.after, row.upto) for row in tx.execute(sa.select(digests).order_by(digests.c.day))]

    def last_digest(self) -> str:
        with self.store.read() as tx:
            raw = tx.execute(sa.select(outbox.c.raw).where(outbox.c.kind == "digest").order_by(outbox.c.id.desc())).scalars().first()
        body = message_from_bytes(bytes(raw or b""), policy=policy.default).get_body(("plain",))
        return str(body.get_content()) if body else ""


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with opened(store_url, tmp_path) as store:
        yield Office(store, Clock(), delta(organisers=[CARA]))
        invariants.hold(store)


def test_a_digest_tells_what_happened_since_the_last_one_and_nothing_twice(office: Office) -> None:
    office.endorse("Ann", "Bob")
    assert office.ticker().digests() == 1
    assert "Ann" in office.last_digest()
    office.clock.move(days=1)
    office.endorse("Cid")
    assert office.ticker().digests() == 1
    assert "Cid" in office.last_digest()
    assert "Ann" not in office.last_digest()
    assert office.windows() == [("2026-09-10", 0, 2), ("2026-09-11", 2, 3)]


def test_one_digest_a_day_whoever_rings_and_however_often(office: Office) -> None:
    office.endorse("Ann")
    assert [office.ticker(name).digests() for name in ("t1", "t2", "t1", "t3")] == [1, 0, 0, 0]


def test_nothing_is_sent_before_the_organisers_hour(office: Office) -> None:
    office.clock.now = datetime(2026, 9, 10, 5, 59, tzinfo=UTC)
    assert office.ticker().digests() == 0
    office.clock.move(minutes=2)
    assert office.ticker().digests() == 1


def test_after_days_of_downtime_one_digest_tells_all(office: Office) -> None:
    office.endorse("Ann")
    office.ticker().digests()
    office.endorse("Bob")
    office.clock.move(days=5)
    assert office.ticker().digests() == 1
    assert office.windows() == [("2026-09-10", 0, 1), ("2026-09-15", 1, 2)]


@pytest.mark.fault("clock-jumps")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Kiritimati"])
def test_whatever_the_clocks_do_a_year_has_one_digest_a_day(store_url: str, tmp_path: Path, zone: str) -> None:
    clock = Clock(datetime(2026, 8, 30, 0, 5, tzinfo=UTC))
    with opened(store_url, tmp_path) as store:
        office = Office(store, clock, delta(organisers=[Organiser(address="dan@org.example", zone=zone, hour=2)]))
        ticker, written = office.ticker(), 0
        for _ in range(70 * 4):
            clock.move(hours=6)
            written += ticker.digests()
        days = [day for day, _, _ in office.windows()]
        assert written == len(days) == len(set(days))
        assert written in (69, 70, 71)
        invariants.hold(store)


@pytest.mark.fault("clock-jumps")
def test_a_clock_that_is_set_back_repeats_nothing(office: Office) -> None:
    office.endorse("Ann")
    office.ticker().digests()
    office.clock.move(hours=-30)
    office.endorse("Bob")
    assert office.ticker().digests() == 0
    office.clock.move(hours=54)
    assert office.ticker().digests() == 1
    assert "Bob" in office.last_digest()


def test_two_numberers_never_work_at_once(office: Office) -> None:
    office.endorse("Ann")
    with office.store.write() as tx:
        assert leases.take(tx, "numbering", "somebody else", office.clock(), timedelta(minutes=5))
    assert office.ticker().number() == 0
    office.clock.move(minutes=6)
    assert office.ticker().number() == 1


def test_a_preview_changes_nothing(office: Office) -> None:
    office.endorse("Ann")
    ticker = office.ticker()
    ticker.number_all()
    before = office.windows()
    composed = ticker.compose(office.campaign, CARA, office.clock().date())
    assert (len(composed.new), office.windows()) == (1, before)
