"""Access tokens are renewed ahead of their end, once for all who want them, and a login that is over is said to be over."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from campaigns import Clock
from oauthperson import Person
from tokenserver import DEVICE, SECRET, Fault, TokenServer, token_server

from mailflow.config.imap import ImapSettings
from mailflow.intake.oauth import LoginNeeded, Tokens, TokenUnavailable, login, microsoft
from mailflow.intake.oauth.tokens import cache_of, recorded
from mailflow.model.errors import Permanent, Temporary

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
GRANT = {"google": "authorization_code", "microsoft": DEVICE}


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server(pending=0) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


def logged_in(account: ImapSettings, root: Path, clock: Clock, server: TokenServer) -> Tokens:
    """The tokens of an account after somebody logged in."""
    assert account.oauth is not None
    if account.oauth.provider == "google":
        person = Person(server, pastes=True)
        login(account, root, clock, person.show, person.ask)
    else:
        grant = microsoft.log_in(account, account.oauth, clock, lambda _: None, sleep=lambda _: None)
        file = cache_of(account, root)
        with file.locked(1):
            file.write(recorded(account, grant, clock()))
    return Tokens(account, root, clock)


@BOTH
@pytest.mark.parametrize(
    ("life", "minutes", "renewals"),
    [(3600, 49.9, 0), (3600, 50.1, 1), (1200, 14.9, 0), (1200, 15.1, 1), ("3600", 49.9, 0), (None, 49.9, 0), (-5, 0, 1)],
    ids=["an hour", "a sixth left", "20 minutes", "5 minutes left", "a life in words", "no life told", "a life that is over"],
)
def test_a_token_serves_until_little_of_its_life_is_left(
    provider: str, life: Any, minutes: float, renewals: int, tmp_path: Path, clock: Clock, server: TokenServer
) -> None:
    server.life = life if provider == "google" else life or 3600
    tokens = logged_in(server.account(provider), tmp_path, clock, server)
    assert tokens.access() == server.access[-1]
    clock.move(minutes=minutes)
    assert tokens.access() == server.access[-1]
    # One that is born over is renewed at each question, before the move and after it.
    assert server.counted("refresh_token") == (2 if life == -5 else renewals)


@BOTH
def test_a_renewed_token_is_kept_for_the_next_process(provider: str, tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account(provider)
    logged_in(account, tmp_path, clock, server)
    for _ in range(3):
        clock.move(hours=2)
        tokens = Tokens(account, tmp_path, clock)
        assert tokens.access() == server.access[-1]
        assert tokens.expires_at() == clock.now.replace(hour=clock().hour + 1)
    assert [form["grant_type"] for form in server.asked] == [GRANT[provider], *["refresh_token"] * 3]


@BOTH
def test_a_token_that_the_mailbox_refused_is_replaced_at_once(provider: str, tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    tokens = logged_in(server.account(provider), tmp_path, clock, server)
    first = tokens.access()
    assert tokens.access(fresh=True) == server.access[-1] != first
    assert server.counted("refresh_token") == 1


@BOTH
def test_folders_that_are_refused_together_renew_once(provider: str, tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account(provider)
    tokens = logged_in(account, tmp_path, clock, server)
    other = Tokens(account, tmp_path, clock)
    barrier = threading.Barrier(6)

    def folder(mine: Tokens) -> tuple[str, str]:
        first = mine.access()
        barrier.wait(20)
        return first, mine.access(fresh=True)

    with ThreadPoolExecutor(6) as pool:
        got = set(pool.map(folder, [tokens, other] * 3))
    assert got == {(server.access[0], server.access[1])}
    assert server.counted("refresh_token") == 1


@BOTH
def test_threads_and_processes_that_find_a_token_over_renew_once(provider: str, tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account(provider)
    tokens = logged_in(account, tmp_path, clock, server)
    clock.move(hours=2)
    barrier = threading.Barrier(6)

    def folder(mine: Tokens) -> str:
        barrier.wait(20)
        return mine.access()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(folder, [tokens, Tokens(account, tmp_path, clock)] * 3)) == {server.access[1]}
    assert server.counted("refresh_token") == 1


class Door:
    """The lock of some tokens, with a count of those who came to it."""

    def __init__(self) -> None:
        self.came, self._counting, self._lock = 0, threading.Lock(), threading.Lock()

    def __enter__(self) -> None:
        with self._counting:
            self.came += 1
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_those_who_wait_for_a_renewal_share_its_failure(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    tokens = logged_in(server.account("google"), tmp_path, clock, server)
    clock.move(hours=2)
    door = Door()
    lock: AbstractContextManager[Any] = door
    tokens._lock = lock  # type: ignore[assignment]
    server.faults = [Fault(503)]

    def all_are_there() -> None:
        until = time.monotonic() + 20
        while door.came < 5 and time.monotonic() < until:
            time.sleep(0.01)

    server.before = all_are_there
    with ThreadPoolExecutor(5) as pool:
        failures = [future.exception() for future in [pool.submit(tokens.access) for _ in range(5)]]
    assert [type(failure) for failure in failures] == [TokenUnavailable] * 5
    assert server.counted("refresh_token") == 1
    assert tokens.access() == server.access[-1]


FAULTS = {
    "503": Fault(503),
    "429": Fault(429, b'{"error": "rate"}'),
    "html": Fault(200, b"<html>Welcome to the hotel's network"),
    "half of a JSON": Fault(200, b'{"access_token": "tok-of-a-fault'),
    "a list": Fault(200, b"[]"),
    "nothing": Fault(200, b"{}"),
    "deep nesting": Fault(200, b"[" * 100_000),
    "no token": Fault(200, b'{"expires_in": 3600}'),
    "a token of two lines": Fault(200, b'{"access_token": "a\\r\\nb", "token_type": "Bearer"}'),
    "another kind of token": Fault(200, b'{"access_token": "tok-of-a-fault", "token_type": "mac"}'),
    "too long": Fault(400, b" " * 2_000_000 + b'{"error": "invalid_grant"}'),
    "a proxy's 400": Fault(400, b'{"error": {"code": 403}}'),
    "an error that is a story": Fault(400, b'{"error": "the token tok-of-a-fault is\\r\\nno good"}'),
    "a moved page": Fault(307, b'{"error": "invalid_grant"}'),
    "server_error": Fault(400, b'{"error": "temporarily_unavailable"}'),
    "hangs up": Fault(hangs_up=True),
    "drips": Fault(drips=True),
}


@BOTH
@pytest.mark.parametrize("fault", FAULTS)
def test_a_provider_that_fails_is_asked_again_later(
    provider: str, fault: str, tmp_path: Path, clock: Clock, server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    account = server.account(provider)
    if fault == "drips":
        account = account.model_copy(update={"timeout_seconds": 0.3})
    tokens = logged_in(account, tmp_path, clock, server)
    clock.move(hours=2)
    server.faults = [FAULTS[fault]]
    with pytest.raises(TokenUnavailable) as caught:
        tokens.access()
    assert isinstance(caught.value, Temporary)
    assert tokens.access() == server.access[-1]
    assert no_secret(server, str(caught.value) + caplog.text)


@BOTH
@pytest.mark.parametrize("fault", ["503", "html", "hangs up"])
def test_a_token_that_still_lives_bridges_an_outage(
    provider: str, fault: str, tmp_path: Path, clock: Clock, server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = logged_in(server.account(provider), tmp_path, clock, server)
    clock.move(minutes=58)
    server.faults = [FAULTS[fault], FAULTS[fault]]
    assert tokens.access() == server.access[0]
    assert "the old token still serves" in caplog.text
    with pytest.raises(TokenUnavailable):
        tokens.access(fresh=True)
    assert tokens.access() == server.access[1]


@BOTH
def test_nobody_at_the_port_is_no_reason_for_a_new_login(provider: str, tmp_path: Path, clock: Clock) -> None:
    with token_server(pending=0) as server:
        tokens = logged_in(server.account(provider), tmp_path, clock, server)
    clock.move(hours=2)
    with pytest.raises(TokenUnavailable, match=r"^127\.0\.0\.1 gives no answer \(ConnectionRefusedError\)$"):
        tokens.access()


@BOTH
def test_a_login_that_is_taken_back_needs_a_new_one(
    provider: str, tmp_path: Path, clock: Clock, server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    account = server.account(provider)
    tokens = logged_in(account, tmp_path, clock, server)
    server.refused = "invalid_grant"
    clock.move(hours=2)
    with pytest.raises(LoginNeeded, match="mailflow oauth login office") as caught:
        tokens.access()
    said = str(caught.value)
    assert isinstance(caught.value, Permanent)
    assert "invalid_grant, AADSTS70008" in said
    assert ("app password" in said and '"Testing"' in said) == (provider == "google")
    assert no_secret(server, said + caplog.text)
    # The service that waits finds the new login by itself.
    server.refused = ""
    logged_in(account, tmp_path, clock, server)
    assert tokens.access() == server.access[-1]


@BOTH
@pytest.mark.parametrize(
    "change", [{"user": "other"}, {"client_id": "another"}, {"tenant": "heath.example"}], ids=["user", "app", "tenant"]
)
def test_a_login_for_other_settings_is_none(
    provider: str, change: dict[str, str], tmp_path: Path, clock: Clock, server: TokenServer
) -> None:
    account = server.account(provider)
    logged_in(account, tmp_path, clock, server)
    assert account.oauth is not None
    oauth = account.oauth.model_copy(update={key: value for key, value in change.items() if key != "user"})
    tokens = Tokens(account.model_copy(update={"user": change.get("user", account.user), "oauth": oauth}), tmp_path, clock)
    assert tokens.expires_at() is None
    with pytest.raises(LoginNeeded, match="mailflow oauth login office"):
        tokens.access()


def test_a_clock_that_was_a_day_ahead_does_not_make_a_token_last_a_day(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    clock.move(days=1)
    tokens = logged_in(server.account("google"), tmp_path, clock, server)
    tokens.access()
    clock.move(days=-1)
    assert tokens.access() == server.access[1]


@BOTH
def test_neither_log_nor_objects_show_a_token(
    provider: str, tmp_path: Path, clock: Clock, server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "mailflow")
    account = server.account(provider)
    tokens = logged_in(account, tmp_path, clock, server)
    tokens.access(fresh=True)
    kept = cache_of(account, tmp_path).read()
    assert kept is not None and kept.access == server.access[-1]
    assert no_secret(server, caplog.text + repr(vars(tokens)) + repr(kept) + repr(account))


def no_secret(server: TokenServer, text: str) -> bool:
    """Whether a text holds nothing that opens a mailbox."""
    return not any(word in text for word in (*server.access, *server.refresh, *server.codes, *server.devices, SECRET, "tok-of-a-fault"))
