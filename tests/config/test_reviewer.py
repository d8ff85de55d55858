"""`mailflow reviewer`: who may review is kept in the store, and in the campaign files."""

import json
from pathlib import Path

import pytest
from config_folders import campaign_text, write_config
from typer.testing import CliRunner, Result

from mailflow.cli import build


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    heath = campaign_text(more='reviewers = ["ines@heath.example"]')
    return write_config(tmp_path / "config", heath=heath, moor=campaign_text("moor", "sign@moor.example"))


def reviewer(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(build(), ["--config", str(folder), "reviewer", *arguments])


def listed(folder: Path, *arguments: str) -> set[tuple[str, str, str]]:
    rows = json.loads(reviewer(folder, "list", "--json", *arguments).stdout)
    return {(row["campaign"], row["address"], row["written_in"]) for row in rows}


def test_a_reviewer_is_added_listed_and_removed(folder: Path) -> None:
    assert reviewer(folder, "add", "Tom@MOOR.example", "--campaign", "moor").exit_code == 0
    assert listed(folder) == {("heath", "ines@heath.example", "campaigns/heath.toml"), ("moor", "Tom@moor.example", "store")}
    assert listed(folder, "--campaign", "moor") == {("moor", "Tom@moor.example", "store")}
    assert "Tom@moor.example" in reviewer(folder, "list").stdout
    assert reviewer(folder, "remove", "Tom@moor.example", "--campaign", "moor").exit_code == 0
    assert listed(folder, "--campaign", "moor") == set()


def test_adding_twice_is_no_failure_and_removing_twice_is(folder: Path) -> None:
    for said in ("may review moor\n", "may review moor already\n"):
        result = reviewer(folder, "add", "tom@moor.example", "--campaign", "moor")
        assert (result.exit_code, result.stdout) == (0, f"tom@moor.example {said}")
    codes = [reviewer(folder, "remove", "tom@moor.example", "--campaign", "moor").exit_code for _ in range(2)]
    assert codes == [0, 1]


def test_a_reviewer_that_the_campaign_file_names_stays_one_and_that_is_said(folder: Path) -> None:
    result = reviewer(folder, "remove", "ines@heath.example", "--campaign", "heath")
    assert result.exit_code == 1
    assert "campaigns/heath.toml names" in result.output


def test_the_only_campaign_need_not_be_named(folder: Path) -> None:
    (folder / "campaigns/heath.toml").unlink()
    assert reviewer(folder, "add", "tom@moor.example").exit_code == 0
    assert listed(folder) == {("moor", "tom@moor.example", "store")}


@pytest.mark.parametrize(
    "arguments",
    [["add", "tom@moor.example"], ["add", "tom@moor.example", "--campaign", "fen"], ["add", "tom", "--campaign", "moor"]],
    ids=["which-campaign", "no-such-campaign", "no-address"],
)
def test_a_wrong_argument_is_a_usage_error(folder: Path, arguments: list[str]) -> None:
    assert reviewer(folder, *arguments).exit_code == 2
