"""A real Dovecot takes the tokens, and one that it takes no longer is replaced within the same login."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from campaigns import Clock
from dovecots import Dovecot, dovecot
from oauthperson import Person
from tokenserver import TokenServer, token_server

from mailflow.intake.imap.session import connect
from mailflow.intake.imap.trouble import LoginRefused
from mailflow.intake.oauth import LoginNeeded, Tokens, login


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture
def mailbox(server: TokenServer, tmp_path: Path) -> Iterator[Dovecot]:
    with dovecot(introspection=server.port) as running:
        yield running


def test_a_mailbox_is_read_with_tokens(server: TokenServer, mailbox: Dovecot, tmp_path: Path) -> None:
    clock = Clock()
    account = server.account("google", port=mailbox.port)
    person = Person(server)
    login(account, tmp_path, clock, person.show, person.ask)
    tokens = Tokens(account, tmp_path, clock)

    def secret(again: bool) -> str:
        return tokens.access(fresh=again)

    with closing(connect(account, secret)):
        assert server.counted("refresh_token") == 0
    # The provider ends a token before its time, as when a password was changed.
    server.valid.clear()
    with closing(connect(account, secret)):
        assert server.counted("refresh_token") == 1
    server.life = 7200
    clock.move(hours=3)
    with closing(connect(account, secret)):
        assert server.counted("refresh_token") == 2
    server.revoke()
    with pytest.raises(LoginNeeded, match="mailflow oauth login office"):
        connect(account, secret)


def test_a_mailbox_that_takes_no_token_of_ours_refuses_the_login(server: TokenServer, mailbox: Dovecot, tmp_path: Path) -> None:
    account = server.account("microsoft", "application", port=mailbox.port).model_copy(update={"user": "v"})
    tokens = Tokens(account, tmp_path, Clock())
    with pytest.raises(LoginRefused):
        connect(account, lambda again: tokens.access(fresh=again))
    assert server.counted("client_credentials") == 2
