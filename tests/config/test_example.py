"""The example files and the documentation are what the models say."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from config_folders import write_config
from hypothesis import example, given
from hypothesis import strategies as st

from mailflow.config.campaign import Campaign
from mailflow.config.example import campaign_toml, settings_toml, toml_value, write_examples
from mailflow.config.fields import keys
from mailflow.config.load import load, load_campaign
from mailflow.config.reference import reference, write_all
from mailflow.config.section import Section
from mailflow.config.settings import Settings

TOP = Path(__file__).parents[2]


def sections(model: type[Section]) -> Iterator[type[Section]]:
    yield model
    for key in keys(model).values():
        if key.section is not None:
            yield from sections(key.section)


FIELDS = [(model, name) for root in (Settings, Campaign) for model in sections(root) for name in model.model_fields]


def uncommented(text: str) -> str:
    """The file with every commented key in force, as if its reader took all the # away; tables that are not there stay out."""
    text = text.partition("# [[")[0]
    return re.sub(r'^# ([a-z_]+ = (?!"\.\.\.")(?:.+))$', r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config/mailflow.toml", settings_toml()),
        ("config/campaigns/example.toml", campaign_toml()),
        ("docs/config.md", reference()),
    ],
    ids=["settings", "campaign", "docs"],
)
def test_the_file_is_what_the_models_say(path: str, text: str) -> None:
    """If this fails after a change of a model, write the files anew: python -m mailflow.config.reference."""
    assert (TOP / path).read_text(encoding="utf-8") == text


def test_the_files_are_written_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "config/campaigns").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    write_all(tmp_path)
    for name in ("config/mailflow.toml", "config/campaigns/example.toml", "docs/config.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (TOP / name).read_text(encoding="utf-8")


def test_the_repositorys_own_config_loads() -> None:
    assert list(load(TOP / "config", {}).campaigns) == ["example", "tamar-delta"]


def test_every_key_of_the_example_may_be_uncommented(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", uncommented(settings_toml()), example=uncommented(campaign_toml()))
    config = load(folder, {})
    assert config.settings == Settings()
    assert config.campaigns["example"].opened is not None


def test_a_table_of_the_example_may_be_uncommented_once_its_secret_is_named(tmp_path: Path) -> None:
    block = "[[" + settings_toml().partition("# [[")[2].partition("# [imap.oauth]")[0]
    block = re.sub(r"^# password = .*$", 'password = "app password of the mailbox"', block, flags=re.MULTILINE)
    block = re.sub(r'^# ([a-z_0-9]+ = (?!"\.\.\.")(?:.+))$', r"\1", block, flags=re.MULTILINE)
    folder = write_config(tmp_path / "config", block)
    (folder / "mailflow.toml").chmod(0o600)
    (account,) = load(folder, {}).settings.imap
    assert (account.name, account.port, account.every_folder()) == ("office", 993, ["INBOX"])


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS])
def test_every_key_is_explained_in_the_example_and_in_the_docs(model: type[Section], name: str) -> None:
    key = keys(model)[name]
    assert key.meaning
    assert key.allowed
    docs, examples = reference(), settings_toml() + campaign_toml()
    if key.section is None:
        assert f"| `{name}` | {key.meaning}" in docs
        assert re.search(rf"^(# )?{name} = ", examples, re.MULTILINE)
    else:
        assert re.search(rf"^## \[+([a-z.]+\.)?{name}\]+$", docs, re.MULTILINE)
        assert re.search(rf"^(# )?\[+([a-z.]+\.)?{name}\]+$", examples, re.MULTILINE)


def test_answers_are_written_into_the_files(tmp_path: Path) -> None:
    values = {
        "slug": "heath",
        "name": 'The "Heath"\\',
        "addresses": ["endorse@heath.example"],
        "controller": "c",
        "notice": 'One.\n"""Two."""\\\n\x7f',
        "statements": [{"language": "en", "title": "T", "date": "x", "authors": [{"name": "Ann Heather"}]}],
    }
    text = campaign_toml(values).replace('date = "x"', "date = 2026-09-01")
    write_config(tmp_path / "config", settings_toml({"smtp": {"port": 2600}}), heath=text)
    config = load(tmp_path / "config", {})
    assert config.settings.smtp.port == 2600
    campaign = config.campaigns["heath"]
    assert (campaign.name, campaign.notice) == (values["name"], values["notice"])
    assert campaign.statements[0].authors[0].name == "Ann Heather"
    assert campaign.statements[0].demands == []


def test_an_answer_that_must_be_given_is_missed() -> None:
    with pytest.raises(KeyError, match="name"):
        campaign_toml({"slug": "heath"})


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("a\\nb\n")
@example("\r\n\x7f\x85\u2028")
def test_any_text_survives_as_toml(text: str) -> None:
    assert tomllib.loads(f"value = {toml_value(text)}") == {"value": text}


def test_tables_within_a_line_are_written() -> None:
    assert toml_value([{"name": "Ann", "closed": False}]) == '[{ name = "Ann", closed = false }]'


def test_the_examples_are_the_campaign_they_say(tmp_path: Path) -> None:
    (tmp_path / "config/campaigns").mkdir(parents=True)
    write_examples(tmp_path)
    campaign = load_campaign(tmp_path / "config/campaigns/example.toml")
    assert campaign.address == "endorse@letter.example"
    assert campaign.notice_names_public
