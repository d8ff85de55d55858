"""Loading a config folder: what is read, and what is said when something is wrong."""

from pathlib import Path

import pytest
from config_folders import campaign_text, write_config

from mailflow.config.campaign import Listing
from mailflow.config.load import builtin_campaign, load, load_campaign, reading_context
from mailflow.model.errors import BadConfig


def errors(folder: Path, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadConfig) as caught:
        load(folder, environment or {})
    return str(caught.value).splitlines()


def test_a_folder_is_read(tmp_path: Path) -> None:
    config = load(write_config(tmp_path / "config", "[smtp]\nport = 2600\n"), {})
    assert config.settings.smtp.port == 2600
    assert config.root == tmp_path
    assert list(config.campaigns) == ["heath"]
    assert config.campaigns["heath"].listing is Listing.NAMED


def test_relative_folders_have_their_parent_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_config(tmp_path / "config")
    monkeypatch.chdir(folder)
    assert load(Path(), {}).root == tmp_path
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")
    assert load(Path(".."), {}).root == tmp_path


def test_an_empty_settings_file_means_all_defaults_and_no_campaign_is_no_error(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config")
    (folder / "campaigns" / "heath.toml").unlink()
    assert load(folder, {}).campaigns == {}


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config")
    (folder / "mailflow.toml").write_bytes(b"\xef\xbb\xbf[smtp]\r\nport = 2600\r\n")
    assert load(folder, {}).settings.smtp.port == 2600


def test_files_of_editors_are_not_campaigns(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config")
    (folder / "campaigns" / ".#heath.toml").write_text("lock")
    (folder / "campaigns" / "heath.toml~").write_text("old")
    assert list(load(folder, {}).campaigns) == ["heath"]


def test_a_missing_folder_says_how_to_get_one(tmp_path: Path) -> None:
    [line] = errors(tmp_path / "config")
    assert str(tmp_path / "config") in line
    assert "mailflow init" in line


def test_a_missing_settings_file_says_how_to_get_one(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config")
    (folder / "mailflow.toml").unlink()
    [line] = errors(folder)
    assert line.startswith("mailflow.toml is missing")
    assert "mailflow init" in line


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        pytest.param(
            "[smtp]\nport = 99999", "mailflow.toml: smtp.port = 99999 is wrong; allowed: a whole number from 0 to 65535", id="bounds"
        ),
        pytest.param(
            '[smtp]\nport = "25"', 'mailflow.toml: smtp.port = "25" is wrong; allowed: a whole number from 0 to 65535', id="quoted"
        ),
        pytest.param(
            "[smtp]\nport = true", "mailflow.toml: smtp.port = true is wrong; allowed: a whole number from 0 to 65535", id="truth"
        ),
        pytest.param("[smtp]\nuvloop = 1", "mailflow.toml: smtp.uvloop = 1 is wrong; allowed: true or false", id="no-truth"),
        pytest.param(
            "[smtp]\nidle_seconds = inf", "mailflow.toml: smtp.idle_seconds = Infinity is wrong; allowed: a number, above 0", id="inf"
        ),
        pytest.param("[smtp]\nprot = 25", "mailflow.toml: smtp.prot: there is no such key; did you mean port?", id="typing-error"),
        pytest.param("[wrokers]\ncount = 1", "mailflow.toml: wrokers: there is no such key; did you mean workers?", id="unknown-table"),
        pytest.param("smtp = 3", "mailflow.toml: smtp = 3 is wrong; allowed: a table", id="no-table"),
        pytest.param(
            '[smarthost]\nsecurity = "ssl"',
            'mailflow.toml: smarthost.security = "ssl" is wrong; allowed: starttls, tls or none',
            id="choice",
        ),
        pytest.param(
            '[smarthost]\nhost = "mx.relay.example"\nsecurity = "none"',
            'mailflow.toml: smarthost: security = "none" is for a relay on this machine only; use starttls or tls',
            id="in-the-clear",
        ),
        pytest.param(
            '[smtp]\ntls_key = "key.pem"',
            "mailflow.toml: smtp: tls_certificate and tls_key belong together; set both or neither",
            id="key-alone",
        ),
        pytest.param(
            '[smarthost]\nuser = "letter"',
            "mailflow.toml: smarthost: user and password belong together; set both or neither",
            id="user-alone",
        ),
        pytest.param(
            '[smtp]\ntrust_results = ["mx.relay.example", 3]', "mailflow.toml: smtp.trust_results[1] = 3 is wrong; allowed: text", id="item"
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(tmp_path: Path, settings: str, line: str) -> None:
    assert errors(write_config(tmp_path / "config", settings)) == [line]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        pytest.param('listing = "all"', 'campaigns/heath.toml: listing = "all" is wrong; allowed: named, ask or count', id="choice"),
        pytest.param(
            "freshness_days = -1", "campaigns/heath.toml: freshness_days = -1 is wrong; allowed: a whole number from 0 to 3650", id="low"
        ),
        pytest.param(
            'opened = "soon"',
            'campaigns/heath.toml: opened = "soon" is wrong; allowed: a date such as 2026-09-01, without quotation marks',
            id="date",
        ),
        pytest.param(
            'sender_name = "a\\nBcc: b@c.example"',
            'campaigns/heath.toml: sender_name = "a\\nBcc: b@c.example" is wrong; must be one line without control characters',
            id="line-break-in-a-name",
        ),
        pytest.param(
            'organisers = [{ address = "ann@heath.example", zone = "Berlin" }]',
            'campaigns/heath.toml: organisers[0].zone = "Berlin" is wrong; not an IANA time zone; write it like Europe/Berlin',
            id="zone",
        ),
        pytest.param(
            'organisers = [{ address = "ann@heath.example" }, { address = "Ann@heath.example" }]',
            "campaigns/heath.toml: organisers: ann@heath.example stands there twice; keep one",
            id="organiser-twice",
        ),
        pytest.param(
            'languages = ["english"]',
            'campaigns/heath.toml: languages[0] = "english" is wrong; not a language tag (BCP 47); write it like en, pt-BR or zh-Hant',
            id="language",
        ),
    ],
)
def test_a_wrong_key_of_a_campaign_is_named(tmp_path: Path, more: str, line: str) -> None:
    assert errors(write_config(tmp_path / "config", heath=campaign_text(more=more))) == [line]


def test_every_error_gets_its_line_and_all_files_are_looked_at(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", "[smtp]\nport = -1\nprocesses = 0\n", heath="slug = 'heath'", moor="nonsense")
    lines = errors(folder)
    assert len(lines) == len(set(lines)) > 6
    assert {line.partition(":")[0].partition(" line")[0] for line in lines} == {
        "mailflow.toml",
        "campaigns/heath.toml",
        "campaigns/moor.toml",
    }
    assert sum("is missing; add" in line for line in lines) == 5


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(b"[smtp]\nport = \n", "mailflow.toml line 2: is not TOML", id="no-value"),
        pytest.param(b"[smtp]\nport = 1\nport = 2\n", "mailflow.toml line 3: is not TOML", id="key-twice"),
        pytest.param(b"[smtp]\n\ntrust_results = [", "mailflow.toml line 3: is not TOML", id="end-of-file"),
        pytest.param(b'[smtp]\nhostname = "m\xfcnchen"\n', "mailflow.toml line 2: is not UTF-8", id="latin-1"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path: Path, text: bytes, line: str) -> None:
    folder = write_config(tmp_path / "config")
    (folder / "mailflow.toml").write_bytes(text)
    [said] = errors(folder)
    assert said.startswith(line)


def test_a_strange_key_cannot_break_the_line(tmp_path: Path) -> None:
    [line] = errors(write_config(tmp_path / "config", '"a\\nb" = 1\n'))
    assert "'a\\nb'" in line


def test_a_campaign_file_has_the_name_of_its_slug(tmp_path: Path) -> None:
    [line] = errors(write_config(tmp_path / "config", moor=campaign_text(slug="heath")))
    assert line == 'campaigns/moor.toml: slug = "heath" must be the name of its file; write slug = "moor", or rename the file to heath.toml'


def test_two_campaigns_do_not_share_an_address_in_any_case_of_letters(tmp_path: Path) -> None:
    moor = campaign_text(slug="moor", address="Endorse@HEATH.example")
    [line] = errors(write_config(tmp_path / "config", heath=campaign_text(), moor=moor))
    assert line.startswith("campaigns/moor.toml: addresses: Endorse@heath.example belongs to campaign heath already")


def test_addresses_lead_to_their_campaigns(tmp_path: Path) -> None:
    moor = campaign_text(slug="moor", address="Sign@moor.example")
    config = load(write_config(tmp_path / "config", heath=campaign_text(), moor=moor), {})
    assert config.by_address() == {"endorse@heath.example": "heath", "sign@moor.example": "moor"}


def test_the_statement_is_read_from_its_file(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", heath=campaign_text().replace('body = "The heath must stay."', 'file = "heath.en.md"'))
    (folder / "campaigns/heath.en.md").write_text("Das *bleibt*.\n", encoding="utf-8-sig")
    assert load(folder, {}).campaigns["heath"].statements[0].body == "Das *bleibt*.\n"
    (folder / "campaigns/heath.en.md").write_bytes(b"M\xfcnchen")
    assert errors(folder) == ['campaigns/heath.toml: statements[0].file = "heath.en.md" is not UTF-8; save it as UTF-8']
    (folder / "campaigns/heath.en.md").unlink()
    [line] = errors(folder)
    assert line.startswith('campaigns/heath.toml: statements[0].file = "heath.en.md": cannot read')


def test_a_statement_has_one_text(tmp_path: Path) -> None:
    text = campaign_text() + 'file = "heath.en.md"\n'
    assert errors(write_config(tmp_path / "config", heath=text)) == [
        "campaigns/heath.toml: statements[0]: body and file are both set; keep one"
    ]


def test_one_campaign_file_can_be_read_alone(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config")
    assert load_campaign(folder / "campaigns/heath.toml").slug == "heath"
    (folder / "campaigns/heath.toml").write_text("slug = 3")
    with pytest.raises(BadConfig, match="controller is missing"):
        load_campaign(folder / "campaigns/heath.toml")


def test_the_reader_knows_addresses_statements_and_templates() -> None:
    campaign = load_campaign(Path(__file__).parents[2] / "config/campaigns/tamar-delta.toml")
    context = reading_context(campaign)
    assert context.addresses == {"endorse@tamar-delta.example"}
    assert [language for language, _ in context.statements] == ["en", "fr", "de", "es", "ar"]
    assert "3. to recognise in law the fishing rights of the people of the delta;" in context.statements[0][1].splitlines()
    assert "May we publish your name? yes/no" in context.own_texts[0]
    assert any("never published" in text for text in context.own_texts)


def test_the_builtin_campaign_knows_nothing_and_its_slug_can_be_no_file() -> None:
    campaign = builtin_campaign()
    assert reading_context(campaign) == reading_context(campaign).__class__()
    assert campaign.freshness_days == 14
    assert not campaign.slug.isalnum()
