"""`mailflow oauth`: a login by a browser or by paste, and what is logged in."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from config_folders import write_config
from oauthperson import visited
from tokenserver import CLIENT, TENANT, TokenServer, token_server
from typer.testing import CliRunner, Result

from mailflow.cli import oauth, start

PROGRAM = """
import typer
from mailflow.cli import oauth, start
app = typer.Typer()
app.callback()(start)
oauth.register(app)
app()
"""


def account(name: str, server: TokenServer, more: str) -> str:
    return (
        f'\n[[imap]]\nname = "{name}"\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\nuser = "u"\n'
        f'[imap.oauth]\nclient_id = "{CLIENT}"\nauthority = "{server.url}"\ntenant = "{TENANT}"\n{more}\n'
    )


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: TokenServer) -> Path:
    google, microsoft = 'provider = "google"', 'provider = "microsoft"\nflow = "application"\nclient_secret = "secret-of-the-delta"'
    word = '\n[[imap]]\nname = "plain"\nhost = "mail.example"\nuser = "u"\npassword = "open-sesame-9"\n'
    settings = account("office", server, google) + account("robot", server, microsoft) + word
    return write_config(tmp_path / "config", settings)


def run(folder: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.callback()(start)
    oauth.register(app)
    return CliRunner().invoke(app, ["--config", str(folder), "oauth", *arguments])


def rows(result: Result) -> dict[str, str]:
    return {line.split()[0]: line for line in result.stdout.splitlines()[1:]}


@contextmanager
def logging_in(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """`mailflow oauth login office`, with a keyboard that stays open."""
    command = [sys.executable, "-c", PROGRAM, "--config", str(folder), "oauth", "login", "office"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def invited(process: "subprocess.Popen[str]") -> str:
    """The address that the command asks to be opened."""
    assert process.stdout is not None
    return next(line.strip() for line in process.stdout if re.match(r"http://127\.0\.0\.1:\d+/o/", line))


def test_the_command_ends_when_the_browser_is_done_though_the_keyboard_is_open(folder: Path, server: TokenServer) -> None:
    with logging_in(folder) as process:
        assert visited(server.consented(invited(process))) == 200
        assert process.wait(60) == 0
        assert process.stdout is not None and process.stderr is not None
        assert "office is logged in. Try it: mailflow imap read office" in process.stdout.read()
        assert process.stderr.read() == ""
    result = run(folder, "show")
    assert result.exit_code == 0
    assert "logged in; this token is good until" in rows(result)["office"]


@pytest.mark.parametrize("end", ["\n", "\r\n", None], ids=["LF", "CRLF", "end of file"])
def test_the_address_can_be_pasted_instead(end: str | None, folder: Path, server: TokenServer) -> None:
    with logging_in(folder) as process:
        assert process.stdin is not None
        process.stdin.write("what shall I paste?\n" + server.consented(invited(process)) + (end or ""))
        process.stdin.flush()
        if end is None:
            process.stdin.close()
        assert process.wait(60) == 0
    assert run(folder, "show").exit_code == 0


def test_show_tells_who_needs_a_login(folder: Path) -> None:
    result = run(folder, "show")
    assert result.exit_code == 1
    assert "no login; run: mailflow oauth login office" in rows(result)["office"]
    assert "fetched when it is needed" in rows(result)["robot"]
    assert "plain" not in rows(result)


def test_an_application_is_tried_out_at_once(folder: Path, server: TokenServer) -> None:
    result = run(folder, "login", "robot")
    assert result.exit_code == 0
    assert server.counted("client_credentials") == 1
    assert "good until" in rows(run(folder, "show"))["robot"]


def test_show_tells_of_an_open_file_without_stopping_at_it(folder: Path) -> None:
    run(folder, "login", "robot")
    path = folder.parent / "var/oauth/robot.json"
    path.chmod(0o644)
    result = run(folder, "show")
    assert result.exit_code == 1
    assert f"chmod 600 {path}" in rows(result)["robot"]
    assert "office" in rows(result)


def test_no_command_prints_a_token(folder: Path, server: TokenServer) -> None:
    printed = run(folder, "login", "robot").output + run(folder, "show").output
    assert server.access[0] not in printed and "secret-of-the-delta" not in printed


@pytest.mark.parametrize(("name", "said"), [("plain", "logs in with a password"), ("nobody", "there is no account")])
def test_an_account_that_does_not_log_in_so_is_refused(name: str, said: str, folder: Path) -> None:
    assert said in str(run(folder, "login", name).exception)
