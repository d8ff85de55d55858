"""Secrets stand elsewhere and are never repeated; the environment goes before the file."""

from pathlib import Path

import pytest
from config_folders import write_config

from mailflow.config.load import load
from mailflow.model.errors import BadConfig

CANARY = "hunter2-canary-7731"
LOGIN = '[smarthost]\nuser = "letter"\npassword = "{}"\n'


def password(folder: Path, environment: dict[str, str] | None = None) -> str:
    found = load(folder, environment or {}).settings.smarthost.password
    assert found is not None
    assert CANARY not in repr(load(folder, environment or {}))
    return found.get_secret_value()


def error(folder: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(BadConfig) as caught:
        load(folder, environment or {})
    return str(caught.value)


def secret_file(root: Path, text: str = CANARY, mode: int = 0o600) -> Path:
    path = root / "secrets" / "smarthost"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_secret_comes_from_a_file_beside_the_config_folder(tmp_path: Path) -> None:
    secret_file(tmp_path, f"{CANARY}\n")
    assert password(write_config(tmp_path / "config", LOGIN.format("file:secrets/smarthost"))) == CANARY


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", LOGIN.format("env:RELAY_PASSWORD"))
    assert password(folder, {"RELAY_PASSWORD": CANARY}) == CANARY
    assert "RELAY_PASSWORD is not set" in error(folder)


def test_a_secret_in_the_environment_may_point_to_a_file(tmp_path: Path) -> None:
    secret_file(tmp_path)
    folder = write_config(tmp_path / "config", '[smarthost]\nuser = "letter"\n')
    assert password(folder, {"MAILFLOW_SMARTHOST_PASSWORD": "file:secrets/smarthost"}) == CANARY


@pytest.mark.case(149)
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666], ids=oct)
def test_a_secret_that_everybody_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, mode=mode)
    said = error(write_config(tmp_path / "config", LOGIN.format("file:secrets/smarthost")))
    assert f"chmod 600 {path}" in said
    assert CANARY not in said


def test_a_secret_may_be_shared_with_the_group_of_the_service(tmp_path: Path) -> None:
    secret_file(tmp_path, mode=0o640)
    assert password(write_config(tmp_path / "config", LOGIN.format("file:secrets/smarthost"))) == CANARY


@pytest.mark.case(149)
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(LOGIN.format(CANARY), id="password"),
        pytest.param(f'[store]\nurl = "postgresql://letter:{CANARY}@db.heath.example/letter"\n', id="store-url"),
    ],
)
def test_a_settings_file_that_holds_a_secret_must_not_be_readable_by_everybody(tmp_path: Path, settings: str) -> None:
    folder = write_config(tmp_path / "config", settings)
    assert load(folder, {}).settings is not None
    (folder / "mailflow.toml").chmod(0o644)
    said = error(folder)
    assert f"chmod 600 {folder / 'mailflow.toml'}" in said
    assert CANARY not in said


@pytest.mark.parametrize("settings", ["[smtp]\nport = 25\n", LOGIN.format("env:RELAY_PASSWORD")], ids=["no-secret", "says-where"])
def test_a_settings_file_without_a_secret_may_be_readable(tmp_path: Path, settings: str) -> None:
    folder = write_config(tmp_path / "config", settings)
    (folder / "mailflow.toml").chmod(0o644)
    assert load(folder, {"RELAY_PASSWORD": CANARY}).root == tmp_path


@pytest.mark.case(149)
@pytest.mark.parametrize("secret", ["changeme", "Password", "secret", "..."])
def test_a_placeholder_is_not_a_secret(tmp_path: Path, secret: str) -> None:
    assert "smarthost.password: still holds a placeholder" in error(write_config(tmp_path / "config", LOGIN.format(secret)))


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("\n", "is empty"), (None, "cannot read")], ids=["empty", "blank", "absent"])
def test_a_secret_file_that_holds_none_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        secret_file(tmp_path, text)
    assert said in error(write_config(tmp_path / "config", LOGIN.format("file:secrets/smarthost")))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(f'[smarthost]\npassword = ["{CANARY}"]\n', id="list"),
        pytest.param(f'[smarthost]\npasword = "{CANARY}"\n', id="typing-error"),
        pytest.param(f'smarthost = ["{CANARY}"]\n', id="wrong-place"),
        pytest.param(f'[smarthost]\npassword = "{CANARY}"\n', id="no-user"),
        pytest.param(f'[store]\nurl = ["postgresql://letter:{CANARY}@db.heath.example/letter"]\n', id="url"),
        pytest.param(f'[smtp]\nport = "postgresql://letter:{CANARY}@db.heath.example/letter"\n', id="url-astray"),
    ],
)
def test_no_error_repeats_a_secret(tmp_path: Path, settings: str) -> None:
    assert CANARY not in error(write_config(tmp_path / "config", settings))


@pytest.mark.parametrize(
    ("variable", "value", "path", "expected"),
    [
        ("MAILFLOW_SMTP_PORT", "2600", "smtp.port", 2600),
        ("MAILFLOW_SMTP_UVLOOP", "false", "smtp.uvloop", False),
        ("MAILFLOW_SMTP_IDLE_SECONDS", "7", "smtp.idle_seconds", 7.0),
        ("MAILFLOW_SMTP_HOSTNAME", "25", "smtp.hostname", "25"),
        ("MAILFLOW_SMTP_TRUST_RESULTS", "a.example, b.example", "smtp.trust_results", ["a.example", "b.example"]),
        ("MAILFLOW_SMTP_TRUST_RESULTS", '["a.example"]', "smtp.trust_results", ["a.example"]),
        ("MAILFLOW_STORE_URL", "sqlite:///x.db", "store.url", "sqlite:///x.db"),
        ("MAILFLOW_SMTP_PORT", "", "smtp.port", 2599),
    ],
    ids=["number", "truth", "float", "text-of-digits", "commas", "toml-list", "url", "empty-is-unset"],
)
def test_the_environment_goes_before_the_file(tmp_path: Path, variable: str, value: str, path: str, expected: object) -> None:
    settings = load(write_config(tmp_path / "config", "[smtp]\nport = 2599\n"), {variable: value}).settings
    section, _, key = path.partition(".")
    assert getattr(getattr(settings, section), key) == expected


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MAILFLOW_SMTP_PROT", "25", "environment variable MAILFLOW_SMTP_PROT: there is no such setting; did you mean MAILFLOW_SMTP_PORT?"),
        ("MAILFLOW_SMTP_PORT", "many", 'environment variable MAILFLOW_SMTP_PORT: smtp.port = "many" is wrong; allowed: a whole number'),
        ("MAILFLOW_SMTP_PORT", "1\nprocesses = 3", "environment variable MAILFLOW_SMTP_PORT: smtp.port ="),
    ],
    ids=["unknown", "wrong", "two-lines"],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, said: str) -> None:
    assert error(write_config(tmp_path / "config"), {variable: value}).startswith(said)


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config")
    assert load(folder, {"MAILFLOW_CONFIG": "x", "MAILFLOW_REQUIRE_SERVERS": "1", "SMTP_PORT": "9"}).settings.smtp.port == 2525
