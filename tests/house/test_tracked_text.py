"""What is tracked tells nothing of the machine or the circumstances in which it was written."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FORBIDDEN = {
    # Written in pieces, or this file would find itself.
    "the host of a package registry": r"pypi\." + r"org|python" + r"hosted|registry\." + r"npmjs|proxy\." + r"golang|/sim" + r"ple/",
    "a folder of one machine": r"""(?<![\w.~<>-])/(?:""" + r"wo" + r"rk|ro" + r"ot|tm" + r"p|ho" + r"me/\w+)(?:/|\b)",
    "the circumstances of its writing": r"(?i)\b(?:cod" + r"ing|a" + r"i|l" + r"lm) agents?\b|session of an a" + r"gent|work" + r"shop",
}


def tracked() -> list[Path]:
    """The files git knows, and those it would take; without git, all that are no build product."""
    found = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if found.returncode:
        pytest.skip("NO GIT CHECKOUT HERE: run this in a clone")
    return [ROOT / name for name in found.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_tells(what: str) -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [
            f"{path.relative_to(ROOT)}:{number}: {match[0]}"
            for number, line in enumerate(text.splitlines(), 1)
            if (match := re.search(FORBIDDEN[what], line))
        ]
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "tests/requirements.lock"])
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: str) -> None:
    pin = re.compile(r"[a-z0-9][a-z0-9.-]*(\[[a-z,]+\])?==[\w.+!]+( ; [\w '\"=<>!.()]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    odd = [
        line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if not pin.fullmatch(line) and not digest.fullmatch(line)
    ]
    assert odd == []


def test_the_two_locks_agree() -> None:
    first, second = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "tests/requirements.lock")
    )
    assert {"hatchling", "setuptools"} <= {pin.partition("==")[0] for pin in first}
    assert first - second == set()
