"""`mailflow init` and `mailflow campaign`: config that works, and nothing overwritten."""

import json
import tomllib
from pathlib import Path

import pytest
from config_folders import campaign_text, write_config
from typer.testing import CliRunner, Result

from mailflow.cli import build
from mailflow.cli.campaign import with_closed
from mailflow.config.campaign import Listing
from mailflow.config.load import load
from mailflow.model.errors import BadConfig

FLAGS = ["--address", "endorse@heath.example", "--name", "Save the Heath", "--organiser", "ann@heath.example", "--language", "de"]


def run(*arguments: str | Path, answers: str = "") -> Result:
    return CliRunner().invoke(build(), [str(argument) for argument in arguments], input=answers)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_flags_make_a_config_that_loads(tmp_path: Path) -> None:
    result = run("init", tmp_path / "letter", "--yes", *FLAGS, "--zone", "Europe/Berlin", "--smarthost", "mail.relay.example:465")
    assert result.exit_code == 0, result.output
    config = load(tmp_path / "letter", {})
    campaign = config.campaigns["save-the-heath"]
    assert (campaign.address, campaign.languages, campaign.listing) == ("endorse@heath.example", ["de"], Listing.NAMED)
    assert [(organiser.address, organiser.zone) for organiser in campaign.organisers] == [("ann@heath.example", "Europe/Berlin")]
    assert campaign.notice_names_public
    assert "endorse@heath.example" in campaign.notice
    assert (config.settings.smarthost.port, config.settings.smarthost.security) == (465, "tls")
    assert config.root == tmp_path / "letter"


def test_yes_alone_takes_the_defaults(tmp_path: Path) -> None:
    assert run("init", tmp_path, "--yes").exit_code == 0
    assert list(load(tmp_path, {}).campaigns) == ["an-open-letter"]


def test_the_config_option_names_the_folder_itself(tmp_path: Path) -> None:
    assert run("--config", tmp_path / "etc", "init", "--yes").exit_code == 0
    assert (tmp_path / "etc/mailflow.toml").is_file()
    assert load(tmp_path / "etc", {}).root == tmp_path


def test_what_is_private_is_private(tmp_path: Path) -> None:
    run("init", tmp_path, "--yes")
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "config/mailflow.toml").stat().st_mode & 0o777 == 0o600


def test_the_files_explain_themselves(tmp_path: Path) -> None:
    run("init", tmp_path, "--yes")
    text = (tmp_path / "config/mailflow.toml").read_text()
    assert "# Port to listen on" in text
    assert "# port = 2525" in text


def test_questions_are_asked_until_the_answer_will_do(tmp_path: Path) -> None:
    answers = "\n".join(  # noqa: FLY002 - one answer a line
        ["Rettet die Heide", "nonsense", "endorse@heath.example", "german", "de", "", "Committee, Heath 1", "Die Heide", "heide", ""]
    )
    result = run("init", tmp_path, answers=answers + "\n")
    assert result.exit_code == 0, result.output
    assert "not an e-mail address" in result.output
    assert "not a language tag" in result.output
    assert "[rettet-die-heide]" in result.output
    campaign = load(tmp_path, {}).campaigns["heide"]
    assert campaign.organisers == []
    assert campaign.controller == "Committee, Heath 1"


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--address", "nonsense", "not an e-mail address"),
        ("--language", "german", "not a language tag"),
        ("--zone", "Berlin", "not an IANA time zone"),
        ("--name", "a\nb", "one line"),
        ("--smarthost", "mail.relay.example:99999999", "whole number from 0 to 65535"),
    ],
)
def test_a_flag_that_will_not_do_writes_nothing(tmp_path: Path, flag: str, value: str, said: str) -> None:
    result = run("init", tmp_path / "letter", "--yes", *FLAGS, flag, value)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("again", [["init", "--yes"], ["init"]], ids=["flags", "questions"])
def test_nothing_is_overwritten(tmp_path: Path, again: list[str]) -> None:
    run("init", tmp_path, "--yes")
    before = everything(tmp_path)
    result = run(again[0], tmp_path, *again[1:])
    assert result.exit_code == 1
    assert "exists already and nothing was written" in result.output
    assert everything(tmp_path) == before


def test_not_even_a_campaign_that_lies_there_alone(tmp_path: Path) -> None:
    old = tmp_path / "config/campaigns/an-open-letter.en.md"
    old.parent.mkdir(parents=True)
    old.write_text("Months of work.")
    assert run("init", tmp_path, "--yes").exit_code == 1
    assert everything(tmp_path) == {str(old): b"Months of work."}


def test_a_campaign_is_added(tmp_path: Path) -> None:
    run("init", tmp_path, "--yes")
    result = run("--config", tmp_path, "campaign", "add", "--yes", *FLAGS)
    assert result.exit_code == 0, result.output
    assert list(load(tmp_path, {}).campaigns) == ["an-open-letter", "save-the-heath"]


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--address", "endorse@LETTER.example", "--name", "Another"], id="address-taken"),
        pytest.param(["--address", "sign@heath.example", "--name", "An Open Letter"], id="slug-taken"),
        pytest.param(["--address", "sign@heath.example", "--name", "Heath", "--slug", "../evil"], id="slug-is-no-slug"),
        pytest.param(["--address", "sign@heath.example"], id="no-name"),
    ],
)
def test_a_campaign_that_cannot_be_added_changes_nothing(tmp_path: Path, flags: list[str]) -> None:
    run("init", tmp_path, "--yes")
    before = everything(tmp_path)
    assert run("--config", tmp_path, "campaign", "add", "--yes", *flags).exit_code != 0
    assert everything(tmp_path) == before


def test_campaigns_are_listed(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", heath=campaign_text(more="closed = true"), moor=campaign_text("moor", "sign@moor.example"))
    rows = json.loads(run("--config", folder, "campaign", "list", "--json").stdout)
    assert [(row["campaign"], row["state"]) for row in rows] == [("heath", "closed"), ("moor", "open")]
    assert "sign@moor.example" in run("--config", folder, "campaign", "list").stdout


def test_a_campaign_is_closed_and_opened_again(tmp_path: Path) -> None:
    run("init", tmp_path, "--yes")
    path = tmp_path / "config/campaigns/an-open-letter.toml"
    path.chmod(0o640)
    before = path.read_text()
    for word, closed in (("close", True), ("close", True), ("open", False)):
        assert run("--config", tmp_path, "campaign", word, "an-open-letter").exit_code == 0
        assert load(tmp_path, {}).campaigns["an-open-letter"].closed is closed
    assert path.read_text() == before.replace("# closed = false", "closed = false")
    assert path.stat().st_mode & 0o777 == 0o640


def test_closing_a_campaign_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    result = run("--config", write_config(tmp_path / "config"), "campaign", "close", "moor")
    assert result.exit_code == 2
    assert "heath" in result.output


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('slug = "heath"\nclosed = false # not yet\n[[statements]]\nx = 1\n', id="set"),
        pytest.param('slug = "heath"\n# closed = false\n[[statements]]\nx = 1\n', id="commented"),
        pytest.param('slug = "heath"\n[[statements]]\nx = 1\n', id="absent"),
        pytest.param('slug = "heath"\nnotice = """\nclosed = false\n"""\n[[statements]]\nx = 1\n', id="in-a-text"),
        pytest.param("[[statements]]\nx = 1\n# closed = false\n", id="comment-in-another-table"),
    ],
)
def test_closing_changes_nothing_else(text: str) -> None:
    changed = with_closed(text, closed=True)
    assert tomllib.loads(changed) == {**tomllib.loads(text), "closed": True}
    assert _other_lines(changed) == _other_lines(text)


def _other_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith(("closed = ", "# closed = "))]


def test_a_file_that_cannot_be_changed_by_one_line_is_left_to_its_author() -> None:
    with pytest.raises(BadConfig, match="write closed = true into it yourself"):
        with_closed('"closed" = false\n', closed=True)
