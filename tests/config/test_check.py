"""`mailflow check`: every fault is found, named and mended."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from config_folders import campaign_text, write_config
from typer.testing import CliRunner

from mailflow.cli import build
from mailflow.config.settings import StoreSettings
from mailflow.store import migrate
from mailflow.store.engine import open_store


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAILFLOW_CLOCK_OFFSET", "MAILFLOW_CRASH_AT", "MAILFLOW_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir(mode=0o700)
    return write_config(tmp_path / "config")


def check(folder: Path, *flags: str) -> tuple[int, list[dict[str, str]]]:
    result = CliRunner().invoke(build(), ["--config", str(folder), "check", "--json", "--offline", *flags])
    report = json.loads(result.stdout)
    assert report["errors"] == sum(finding["level"] == "error" for finding in report["findings"])
    assert result.exit_code == (1 if report["errors"] else 0)
    return result.exit_code, report["findings"]


def errors(folder: Path) -> list[dict[str, str]]:
    return [finding for finding in check(folder)[1] if finding["level"] == "error"]


def warnings(folder: Path, about: str) -> list[dict[str, str]]:
    return [finding for finding in check(folder)[1] if finding["level"] == "warning" and finding["about"] == about]


def make_store(root: Path) -> Path:
    with closing(open_store(StoreSettings(), root)) as store:
        migrate.upgrade(store)
    return root / "var/mailflow.db"


def test_a_good_config_has_no_errors_and_warnings_do_not_count(folder: Path) -> None:
    code, findings = check(folder)
    assert code == 0
    assert any(finding["level"] == "warning" for finding in findings)
    assert {"config", "store", "disk", "clock", "templates", "listener", "libraries", "campaign heath"} <= {f["about"] for f in findings}


def test_every_fault_comes_with_its_mend(folder: Path) -> None:
    (folder / "mailflow.toml").write_text('[smtp]\nhost = "0.0.0.0"\nport = 25\ntrust_results = ["mx.heath.example"]\n')
    for finding in check(folder)[1]:
        assert finding["level"] == "ok" or finding["mend"], finding


def test_the_lines_say_the_same_to_people(folder: Path) -> None:
    result = CliRunner().invoke(build(), ["--config", str(folder), "check", "--offline"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("0 errors, ")
    assert all(line.split()[0] in ("ok", "warning") for line in result.stdout.splitlines()[:-1])


def test_what_is_well_may_be_left_out(folder: Path) -> None:
    _, findings = check(folder, "--quiet")
    assert {finding["level"] for finding in findings} <= {"warning", "error"}


def test_a_broken_config_is_reported_line_by_line(folder: Path) -> None:
    (folder / "mailflow.toml").write_text("[smtp]\nport = -1\nprot = 2\n")
    found = errors(folder)
    assert [finding["about"] for finding in found] == ["config", "config"]
    assert found[0]["text"].startswith("mailflow.toml: smtp.port = -1")
    assert found[1]["mend"] == "did you mean port?"


def test_a_missing_config_is_an_error_with_its_mend(tmp_path: Path) -> None:
    [found] = errors(tmp_path / "nowhere")
    assert "mailflow init" in found["mend"]


def test_naming_people_needs_a_notice_that_says_so(folder: Path) -> None:
    path = folder / "campaigns/heath.toml"
    path.write_text(path.read_text().replace("notice_names_public = true", ""))
    [found] = errors(folder)
    assert found["about"] == "campaign heath"
    assert "notice_names_public" in found["mend"]
    for listing in ("ask", "count"):
        path.write_text(f'listing = "{listing}"\n' + campaign_text().replace("notice_names_public = true", ""))
        assert errors(folder) == []


def test_no_campaign_is_an_error(folder: Path) -> None:
    (folder / "campaigns/heath.toml").unlink()
    [found] = errors(folder)
    assert found["mend"] == "mailflow campaign add"


def test_a_digest_that_would_come_back_is_an_error(folder: Path) -> None:
    more = 'organisers = [{ address = "Endorse@heath.example" }]'
    (folder / "campaigns/heath.toml").write_text(campaign_text(more=more))
    assert "come back" in errors(folder)[0]["text"]


def test_one_mailbox_in_two_spellings_cannot_serve_two_campaigns(folder: Path) -> None:
    for slug, address in (("heath", "save.the.heath@gmail.com"), ("moor", "savetheheath+moor@googlemail.com")):
        (folder / f"campaigns/{slug}.toml").write_text(campaign_text(slug, address))
    [found] = errors(folder)
    assert "heath and moor share the mailbox" in found["text"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(('body = "The heath must stay."', ""), "no text yet in en", id="no-statement"),
        pytest.param(('"The heath must stay."', '"Put the text of your statement here."'), "no text yet in en", id="unwritten"),
        pytest.param(("[[statements]]", 'languages = ["tlh"]\n[[statements]]'), "answers are not written in tlh", id="language"),
        pytest.param(("[[statements]]", "closed = true\n[[statements]]"), "is closed", id="closed"),
        pytest.param(("", ""), "nobody gets the digest", id="no-organiser"),
    ],
)
def test_what_works_but_not_as_it_should_is_a_warning(folder: Path, change: tuple[str, str], said: str) -> None:
    path = folder / "campaigns/heath.toml"
    path.write_text(path.read_text().replace(*change, 1))
    assert any(said in finding["text"] for finding in warnings(folder, "campaign heath"))
    assert errors(folder) == []


def test_looking_makes_no_store(folder: Path) -> None:
    check(folder)
    assert list((folder.parent / "var").iterdir()) == []


def test_a_store_is_looked_into(folder: Path) -> None:
    make_store(folder.parent)
    texts = [finding["text"] for finding in check(folder)[1] if finding["about"] == "store"]
    assert any("synchronous = 2" in text for text in texts)
    assert any("is private" in text for text in texts)


@pytest.mark.case(149)
def test_a_store_that_others_can_read_is_an_error(folder: Path) -> None:
    path = make_store(folder.parent)
    path.chmod(0o644)
    assert any(f"chmod 600 {path}" in f"{found['text']}; {found['mend']}" for found in errors(folder))


@pytest.mark.case(149)
def test_a_folder_of_mails_that_others_can_read_is_an_error(folder: Path) -> None:
    (folder.parent / "var").chmod(0o755)
    [found] = errors(folder)
    assert found["mend"] == f"chmod 700 {folder.parent / 'var'}"


@pytest.mark.case(149)
def test_a_secret_that_everybody_can_read_is_an_error(folder: Path) -> None:
    secret = folder.parent / "password"
    secret.write_text("a-real-one")
    secret.chmod(0o644)
    (folder / "mailflow.toml").write_text('[smarthost]\nuser = "letter"\npassword = "file:password"\n')
    [found] = errors(folder)
    assert found["mend"] == f"chmod 600 {secret}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("nonsense", "store.url", id="no-url"),
        pytest.param("mysql://db.heath.example/letter", "not supported", id="another-database"),
        pytest.param("postgresql://letter@127.0.0.1:9/letter", "does not answer", id="nobody-there"),
        pytest.param("sqlite:///config/mailflow.toml", "no SQLite database", id="no-database"),
    ],
)
def test_a_store_that_cannot_be_opened_is_an_error(folder: Path, url: str, said: str) -> None:
    (folder / "mailflow.toml").write_text(f'[store]\nurl = "{url}"\n')
    found = [finding for finding in errors(folder) if finding["about"] == "store"]
    assert len(found) == 1
    assert said in found[0]["text"]


def test_a_full_disk_is_an_error_before_it_is_one(folder: Path) -> None:
    (folder / "mailflow.toml").write_text("[store]\nfree_bytes_floor = 9000000000000000\n")
    assert [finding["about"] for finding in errors(folder)] == ["disk"]


@pytest.mark.parametrize(("name", "value"), [("MAILFLOW_CLOCK_OFFSET", "86400"), ("MAILFLOW_CRASH_AT", "parse.claimed")])
def test_a_tests_variable_in_a_service_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    [found] = errors(folder)
    assert found["mend"] == f"unset {name}"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param('[smtp]\nhost = "0.0.0.0"', "without STARTTLS", id="no-starttls"),
        pytest.param('[smtp]\nhost = "0.0.0.0"', "as localhost", id="hostname"),
        pytest.param('[smtp]\nhost = "0.0.0.0"\ntrust_results = ["mx.heath.example"]', "believes Authentication-Results", id="trust"),
        pytest.param('[workers]\ndns_table = "dns.json"', "instead of DNS", id="dns-table"),
    ],
)
def test_a_listener_open_to_the_world_is_looked_at(folder: Path, settings: str, said: str) -> None:
    (folder / "mailflow.toml").write_text(settings + "\n")
    assert any(said in finding["text"] for finding in warnings(folder, "listener"))
