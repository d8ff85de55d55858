"""When an organiser's digest is due: once a local day, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from answer_people import organiser
from hypothesis import given
from hypothesis import strategies as st

from mailflow.digest import due_day

MONDAY = date(2026, 11, 23)
SUNDAY = MONDAY - timedelta(days=1)

DUE = [
    ("before the hour nothing is due", "Europe/Berlin", 8, SUNDAY, "2026-11-23 06:59:59", None),
    ("on the hour today's is due", "Europe/Berlin", 8, SUNDAY, "2026-11-23 07:00:00", MONDAY),
    ("late in the day it is still due", "Europe/Berlin", 8, SUNDAY, "2026-11-23 22:59:59", MONDAY),
    ("it is due once", "Europe/Berlin", 8, MONDAY, "2026-11-23 07:05:00", None),
    ("the first one is due like any other", "Europe/Berlin", 8, None, "2026-11-23 07:00:00", MONDAY),
    ("the first one waits for its hour", "Europe/Berlin", 8, None, "2026-11-23 06:00:00", None),
    ("after downtime only today's is due", "Europe/Berlin", 8, date(2026, 11, 1), "2026-11-23 07:00:00", MONDAY),
    ("after downtime it waits for its hour", "Europe/Berlin", 8, date(2026, 11, 1), "2026-11-23 03:00:00", None),
    ("a clock that was ahead is waited for", "Europe/Berlin", 8, date(2026, 11, 24), "2026-11-23 12:00:00", None),
    ("the local day counts, not that of UTC", "Pacific/Kiritimati", 8, SUNDAY, "2026-11-22 18:00:00", MONDAY),
    ("and west of it as well", "Pacific/Pago_Pago", 20, SUNDAY - timedelta(days=1), "2026-11-23 07:00:00", SUNDAY),
    ("02:00 that does not exist is due at 03:00", "Europe/Berlin", 2, date(2026, 3, 28), "2026-03-29 01:00:00", date(2026, 3, 29)),
    ("and not before", "Europe/Berlin", 2, date(2026, 3, 28), "2026-03-29 00:59:59", None),
    ("02:00 that comes twice is due the first time", "Europe/Berlin", 2, date(2026, 10, 24), "2026-10-25 00:00:00", date(2026, 10, 25)),
    ("and not the second time", "Europe/Berlin", 2, date(2026, 10, 25), "2026-10-25 01:00:00", None),
    ("a midnight that does not exist is due at 01:00", "America/Santiago", 0, date(2026, 9, 5), "2026-09-06 04:00:00", date(2026, 9, 6)),
    ("a 23:00 cut off is due at midnight", "America/Scoresbysund", 23, date(2026, 3, 27), "2026-03-29 01:00:00", date(2026, 3, 28)),
    ("and the day after has its own", "America/Scoresbysund", 23, date(2026, 3, 28), "2026-03-30 00:00:00", date(2026, 3, 29)),
    ("half an hour of summer time changes nothing", "Australia/Lord_Howe", 8, date(2026, 10, 3), "2026-10-03 21:00:00", date(2026, 10, 4)),
    ("a day that an island left out has no digest", "Pacific/Apia", 8, date(2011, 12, 29), "2011-12-30 18:00:00", date(2011, 12, 31)),
]


@pytest.mark.parametrize(("zone", "hour", "last", "now", "expected"), [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_it_is_due(zone: str, hour: int, last: date | None, now: str, expected: date | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert due_day(organiser(zone=zone, hour=hour), last, moment) == expected


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        due_day(organiser(), None, datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None))


ZONES = ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/Scoresbysund", "Pacific/Kiritimati", "Africa/Casablanca"]


@given(zone=st.sampled_from(ZONES), hour=st.integers(0, 23), start=st.dates(date(2025, 1, 1), date(2027, 1, 1)), step=st.integers(3, 60))
def test_every_local_day_has_exactly_one_digest(zone: str, hour: int, start: date, step: int) -> None:
    """The bell rings every few minutes for nine days around whatever the clocks do there."""
    who = organiser(zone=zone, hour=hour)
    now = datetime.combine(start, datetime.min.time(), UTC)
    last: date | None = None
    sent: list[date] = []
    for _ in range(9 * 24 * 60 // step):
        now += timedelta(minutes=step)
        day = due_day(who, last, now)
        if day is not None:
            sent.append(day)
            last = day
    assert len(sent) >= 8
    assert all(after - before == timedelta(days=1) for before, after in pairwise(sent))
    assert abs((now.astimezone(ZoneInfo(zone)).date() - sent[-1]).days) <= 1
