"""The file with the tokens is private, whole or not there, and written by one at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from campaigns import NOW, Clock
from tokenserver import TokenServer, token_server

from mailflow.intake.oauth import LoginNeeded, Tokens, TokenUnavailable, microsoft
from mailflow.intake.oauth.cache import CacheFile, Record
from mailflow.intake.oauth.tokens import cache_of, recorded
from mailflow.model.errors import BadConfig

KEPT = Record("owner", "access", NOW, NOW + timedelta(hours=1), "keep")


@pytest.fixture
def file(tmp_path: Path) -> CacheFile:
    return CacheFile(tmp_path / "var" / "oauth", "office")


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


def written(file: CacheFile, record: Record = KEPT) -> CacheFile:
    with file.locked(1):
        file.write(record)
    return file


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_what_is_written_is_read(file: CacheFile) -> None:
    assert file.read() is None
    assert written(file).read() == KEPT


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
def test_nobody_else_can_read_it_whatever_the_umask(mask: int, file: CacheFile) -> None:
    before = os.umask(mask)
    try:
        written(file)
    finally:
        os.umask(before)
    assert mode(file.folder) == 0o700
    assert {path.name: mode(path) for path in file.folder.iterdir()} == {"office.json": 0o600, "office.lock": 0o600}


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o620, 0o666], ids=oct)
def test_a_file_that_others_can_read_is_refused(loose: int, file: CacheFile) -> None:
    written(file).path.chmod(loose)
    with pytest.raises(BadConfig, match=rf"chmod 600 {file.path}$"):
        file.read()


@pytest.mark.parametrize("loose", [0o750, 0o705, 0o777], ids=oct)
def test_a_folder_that_is_open_to_others_is_refused(loose: int, file: CacheFile) -> None:
    file.folder.mkdir(parents=True)
    file.folder.chmod(loose)
    with pytest.raises(BadConfig, match=rf"chmod 700 {file.folder}$"):
        written(file)


@pytest.mark.parametrize("name", ["office.json", ".office.new", "office.lock"])
def test_no_link_leads_a_token_elsewhere(name: str, file: CacheFile, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch(0o600)
    file.folder.mkdir(parents=True, mode=0o700)
    (file.folder / name).symlink_to(tmp_path / "elsewhere")
    if name == "office.json":
        with pytest.raises(BadConfig, match="cannot be used"):
            file.read()
        written(file)
        assert not file.path.is_symlink()
    else:
        with pytest.raises(OSError if name == ".office.new" else BadConfig, match=name):
            written(file)
    assert (tmp_path / "elsewhere").read_bytes() == b""


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"owner": "x"}', '{"owner":"x","access":"a","issued":"2026-09-10","expires":"2026-09-11","keep":"k"}',
     '{"owner":"x","access":7,"issued":"2026-09-10T00:00+00:00","expires":"2026-09-11T00:00+00:00","keep":"k"}'],
    ids=["empty", "half", "a list", "null", "fields missing", "times without a zone", "a token that is a number"],
)  # fmt: skip
def test_a_damaged_file_is_as_none_and_asks_for_a_login(text: str, tmp_path: Path, server: TokenServer) -> None:
    account = server.account("google")
    folder = tmp_path / "var" / "oauth"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "office.json").write_text(text)
    (folder / "office.json").chmod(0o600)
    tokens = Tokens(account, tmp_path, Clock())
    assert tokens.expires_at() is None
    with pytest.raises(LoginNeeded, match="mailflow oauth login office"):
        tokens.access()


def test_what_msal_kept_without_a_refresh_token_asks_for_a_login(tmp_path: Path, server: TokenServer) -> None:
    account, clock = server.account("microsoft"), Clock()
    assert account.oauth is not None
    grant = microsoft.log_in(account, account.oauth, clock, lambda _: None, sleep=lambda _: None)
    kept = json.dumps({key: value for key, value in json.loads(grant.keep).items() if key != "RefreshToken"})
    written(cache_of(account, tmp_path), recorded(account, replace(grant, keep=kept), clock()))
    with pytest.raises(LoginNeeded, match="mailflow oauth login office"):
        Tokens(account, tmp_path, clock).access(fresh=True)


def test_what_a_killed_writer_left_is_overwritten(file: CacheFile) -> None:
    file.folder.mkdir(parents=True, mode=0o700)
    (file.folder / ".office.new").write_text("half of a token, and much longer than what is written now " * 100)
    (file.folder / ".office.new").chmod(0o644)
    assert written(file).read() == KEPT
    assert mode(file.path) == 0o600
    assert not (file.folder / ".office.new").exists()


def test_a_lock_that_another_process_holds_is_not_waited_for_for_ever(file: CacheFile) -> None:
    written(file)
    with (file.folder / "office.lock").open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TokenUnavailable, match="another process"), file.locked(0.1):
            pytest.fail("got in")
    with file.locked(0.1):
        assert file.read() == KEPT


def test_a_full_disk_does_not_cost_the_token_that_was_got(tmp_path: Path, server: TokenServer, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    tokens = Tokens(server.account("microsoft", "application"), tmp_path, clock)
    # As good as a full disk: the file cannot be made.
    (tmp_path / "var" / "oauth" / ".office.new").mkdir(parents=True)
    (tmp_path / "var" / "oauth").chmod(0o700)
    assert tokens.access() == tokens.access() == server.access[0]
    assert "cannot be kept" in caplog.text
    assert server.counted("client_credentials") == 1
