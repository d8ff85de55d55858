"""An application of Microsoft's logs in by itself, and says what to mend when it cannot."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaigns import Clock
from tokenserver import TokenServer, token_server

from mailflow.intake.oauth import LoginNeeded, Tokens, login
from mailflow.intake.oauth.microsoft import _scopes
from mailflow.model.errors import BadConfig


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_application_needs_nobody(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account("microsoft", "application")
    tokens = Tokens(account, tmp_path, clock)
    assert tokens.expires_at() is None
    first = tokens.access()
    assert [tokens.access(), Tokens(account, tmp_path, clock).access()] == [first, first]
    assert tokens.access(fresh=True) == server.access[1] != first
    clock.move(hours=2)
    assert tokens.access() == server.access[2]
    assert server.counted("client_credentials") == 3


def test_an_application_whose_secret_has_expired_is_told_so(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    tokens = Tokens(server.account("microsoft", "application", secret="secret-of-last-year"), tmp_path, clock)
    with pytest.raises(LoginNeeded, match=r"invalid_client, AADSTS7000215.*client_secret") as caught:
        tokens.access()
    assert "last-year" not in str(caught.value)


def test_a_directory_that_microsoft_does_not_know_is_bad_config(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    tokens = Tokens(server.account("microsoft", "application", tenant="nowhere.example"), tmp_path, clock)
    with pytest.raises(BadConfig, match=r"oauth\.tenant"):
        tokens.access()


def test_without_msal_the_mend_is_said(tmp_path: Path, clock: Clock, server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    with pytest.raises(BadConfig, match=r"pip install mailflow\[oauth\]"):
        Tokens(server.account("microsoft", "application"), tmp_path, clock).access()


def test_the_login_command_tries_an_application_out(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account("microsoft", "application")
    login(account, tmp_path, clock, pytest.fail, pytest.fail)
    assert Tokens(account, tmp_path, clock).access() == server.access[0]
    assert server.counted("client_credentials") == 1


@pytest.mark.parametrize(
    ("host", "flow", "scope"),
    [
        ("outlook.office365.com", "person", "https://outlook.office.com/IMAP.AccessAsUser.All"),
        ("outlook.office365.com", "application", "https://outlook.office365.com/.default"),
        ("partner.outlook.cn", "person", "https://partner.outlook.cn/IMAP.AccessAsUser.All"),
        ("outlook.office365.us", "application", "https://outlook.office365.us/.default"),
    ],
)
def test_the_permission_is_that_of_the_cloud(host: str, flow: str, scope: str, server: TokenServer) -> None:
    account = server.account("microsoft", flow).model_copy(update={"host": host})
    assert account.oauth is not None
    assert _scopes(account, account.oauth) == [scope]


def test_a_tenant_in_the_authority_counts(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account("microsoft", "application", tenant="elsewhere.example", authority=f"{server.url}/delta.example/")
    assert Tokens(account, tmp_path, clock).access() == server.access[0]
