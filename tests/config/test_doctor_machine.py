"""`mailflow check` looks at the machine itself: clock, user, Python, libraries."""

import datetime
import platform
from importlib.metadata import PackageNotFoundError

import pytest

from mailflow.cli.doctor.machine import clock_findings, user_findings
from mailflow.cli.doctor.patches import FLAWS, LIBRARIES, Flaw, library_findings, patch_findings, python_findings, release, sqlite_findings

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


def test_a_clock_in_the_past_is_an_error() -> None:
    assert [f.level for f in clock_findings(datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC), {})] == ["error"]
    assert [f.level for f in clock_findings(NOW, {})] == ["ok"]


def test_root_is_a_warning() -> None:
    assert [f.level for f in user_findings(0)] == ["warning"]
    assert list(user_findings(1000)) == []


# Patch levels.


def flaw(*, live: bool) -> Flaw:
    return Flaw("CVE-0000-0000", {(3, 11): 10}, lambda: live, "mailflow does something else")


@pytest.mark.case(150)
@pytest.mark.parametrize(
    ("running", "live", "level", "said"),
    [
        pytest.param((3, 11, 7), True, "warning", "go to 3.11.10", id="live"),
        pytest.param((3, 11, 2), False, "ok", "mended by your distribution", id="mended-by-the-distribution"),
        pytest.param((3, 11, 10), False, "ok", "is past", id="at-the-floor"),
        pytest.param((3, 14, 0), False, "ok", "is past", id="newer"),
        pytest.param((3, 14, 0), True, "warning", "go to a newer Python", id="come-back"),
    ],
)
def test_an_old_python_is_a_warning_that_says_what_is_done_instead(running: tuple[int, ...], live: bool, level: str, said: str) -> None:
    [finding] = python_findings(running, (flaw(live=live),))
    assert finding.level == level
    assert said in f"{finding.text}; {finding.mend}"
    assert level == "ok" or "mailflow does something else" in finding.text


@pytest.mark.case(150)
@pytest.mark.parametrize("known", FLAWS, ids=lambda known: known.name.partition(" ")[0])
def test_the_flaws_of_this_python_are_found_by_trying(known: Flaw) -> None:
    running = release(platform.python_version())
    floor = known.mended.get((running[0], running[1]), 0)
    assert not (known.live() and running[2] >= floor)
    [finding] = python_findings(running, (known,))
    assert finding.level == ("warning" if known.live() else "ok")


@pytest.mark.case(150)
@pytest.mark.parametrize(
    ("name", "found", "level"),
    [
        ("aiosmtpd", "1.4.5", "error"),
        ("aiosmtpd", "1.4.6", "ok"),
        ("idna", "3.14", "error"),
        ("idna", "3.15", "ok"),
        ("jinja2", "3.1.5", "error"),
        ("jinja2", "3.10", "ok"),
        ("apscheduler", "3.11.1", "error"),
        ("apscheduler", "3.11.2.post1", "ok"),
        ("apscheduler", "", "error"),
    ],
)
def test_a_library_below_its_floor_is_an_error(name: str, found: str, level: str) -> None:
    def installed(asked: str) -> str:
        if asked == name and not found:
            raise PackageNotFoundError(asked)
        return found if asked == name else "99"

    findings = [finding for finding in library_findings(installed) if name in finding.text]
    assert [finding.level for finding in findings] == [level]
    assert level == "ok" or f"{name}>={LIBRARIES[name]}" in findings[0].mend


@pytest.mark.case(150)
@pytest.mark.parametrize(("found", "level"), [((3, 40, 1), "error"), ((3, 51, 2), "error"), ((3, 51, 3), "ok")], ids=str)
def test_an_sqlite_that_can_damage_its_file_is_an_error(found: tuple[int, ...], level: str) -> None:
    assert [finding.level for finding in sqlite_findings(found)] == [level]


@pytest.mark.case(150)
def test_what_is_installed_here_is_past_all_floors() -> None:
    findings = list(patch_findings())
    assert [finding.text for finding in findings if finding.level == "error"] == []
    assert {finding.about for finding in findings} == {"python", "libraries"}
