"""The map in mailflow/__init__.py, the floors, and what is built on each other, are as they are said to be."""

import ast
import itertools
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from mailflow.crash import POINTS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mailflow"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def entries() -> set[str]:
    """What lies in mailflow/: modules and packages, without those that Python itself wants."""
    found = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return found - {"__init__", "__main__"}


def test_the_map_names_every_entry_and_nothing_else() -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))) or ""
    named = re.findall(r"^    (\w+) {2,}\S", text, re.MULTILINE)
    assert sorted(named) == sorted(entries())


def test_the_floors_name_every_entry_and_nothing_else() -> None:
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    named = [name.strip() for floor in contract["layers"] for name in floor.split("|")]
    assert sorted(named) == sorted(entries() | {"__main__"})


def test_no_floor_imports_from_above_or_beside() -> None:
    linter = shutil.which("lint-imports", path=sysconfig.get_path("scripts"))
    if linter is None:
        pytest.skip("NO LINT-IMPORTS HERE: `pip install --require-hashes -r tests/requirements.lock`")
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def imported() -> set[str]:
    """The distributions' top-level modules that mailflow imports."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"mailflow"}


MODULE_OF = {"dkimpy": "dkim", "dnspython": "dns", "pynacl": "nacl"}
UNSEEN = {"tzdata", "nacl", "psycopg", "pysqlite3"}
"""Needed without an import statement of ours: zoneinfo, dkimpy and SQLAlchemy look for them by name, and so do we."""


def declared() -> set[str]:
    """The modules of the dependencies that pyproject.toml declares."""
    extras = itertools.chain(*PROJECT["project"]["optional-dependencies"].values())
    names = [re.split(r"[\[<>=;~! ]", line, maxsplit=1)[0] for line in (*PROJECT["project"]["dependencies"], *extras)]
    return {MODULE_OF.get(name, name.replace("-", "_")) for name in names}


def test_everything_imported_is_declared() -> None:
    assert imported() - declared() == set()


def test_everything_declared_is_used() -> None:
    assert declared() - imported() - UNSEEN - {"msal"} == set()


def test_the_locks_meet_what_is_declared() -> None:
    pins = {
        name: Version(version)
        for name, version in re.findall(
            r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==([\w.+!]+)", (ROOT / "tests/requirements.lock").read_text("utf-8"), re.MULTILINE
        )
    }
    wanted = [Requirement(line) for line in (*PROJECT["project"]["dependencies"], *itertools.chain(*PROJECT["dependency-groups"].values()))]
    assert [str(one) for one in wanted if pins.get(canonicalize_name(one.name), Version("0")) not in one.specifier] == []


def test_every_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    _, _, after = text.partition("\ndependencies = [\n")
    lists = [after.partition("\n]")[0], *re.findall(r"^(?:test|lint|build) = \[\n(.*?)\n\]", text, re.MULTILINE | re.DOTALL)]
    lines = [line for block in lists for line in block.splitlines()]
    assert len(lines) >= len(PROJECT["project"]["dependencies"]) + sum(map(len, PROJECT["dependency-groups"].values()))
    assert [line for line in lines if not re.search(r'",\s+# \w.{8,}', line)] == []


def test_every_rule_of_the_linter_that_is_off_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    off = re.findall(r'^  "[A-Z]+[0-9]*",.*$', text, re.MULTILINE)
    assert len(off) > 20
    assert [line for line in off if not re.search(r"# \S.{4,}", line)] == []


def guarantees(pattern: str) -> list[str]:
    """What docs/guarantees.md lists under a pattern with one group."""
    return re.findall(pattern, (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_guarantees_are_numbered_without_a_gap() -> None:
    assert guarantees(r"^- (\d+)\. \S.*\.$") == [str(number) for number in range(1, 151)]
    assert guarantees(r"^- (K\d+) \S.*\.$") == [f"K{number:02}" for number in range(1, 33)]
    assert guarantees(r"^- (I\d+) \S.*\.$") == [f"I{number}" for number in range(1, 13)]


def test_every_kill_point_in_the_code_stands_in_the_guarantees_by_name() -> None:
    listed = re.findall(r"^- (K\d+) `(\S+)`", (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: number for number, name in listed} == POINTS


def test_every_fault_that_a_test_claims_stands_in_the_guarantees() -> None:
    claimed = {
        slug
        for path in (ROOT / "tests").rglob("*.py")
        for mark in re.findall(r"mark\.fault\(([^)]*)\)", path.read_text("utf-8"))
        for slug in re.findall(r"[\w-]+", mark)
    }
    assert claimed
    assert claimed - set(guarantees(r"^- `(\S+)` \S.*\.$")) == set()
