"""A person logs in once: at Google by a redirect or by hand, at Microsoft by a code. Nobody else can log them in."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from campaigns import Clock
from oauthperson import Person, visited
from tokenserver import DEVICE, SECRET, Fault, TokenServer, token_server

from mailflow.intake.oauth import LoginNeeded, Tokens, TokenUnavailable, login, microsoft
from mailflow.intake.oauth.grant import Grant
from mailflow.intake.oauth.redirect import said_in
from mailflow.model.errors import BadConfig


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("pastes", [False, True], ids=["browser here", "browser elsewhere"])
@pytest.mark.parametrize("secret", [SECRET, None], ids=["with a secret", "without"])
def test_a_person_logs_in_at_google(pastes: bool, secret: str | None, tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    account = server.account("google", secret=secret)
    person = Person(server, pastes)
    login(account, tmp_path, clock, person.show, person.ask)
    tokens = Tokens(account, tmp_path, clock)
    assert tokens.access() == server.access[0]
    (redeemed,) = server.asked
    assert redeemed.get("client_secret") == secret
    assert len(redeemed["code_verifier"]) >= 43
    assert redeemed["code_verifier"] not in person.shown[0]
    clock.move(hours=2)
    assert tokens.access() == server.access[1]


def test_the_provider_of_the_tests_refuses_a_wrong_verifier(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    """RFC 7636 §4.6: a code that was stolen is of no use to the thief. This tests the fake, on which the next tests lean."""
    account = server.account("google")

    def stolen(address: str) -> str:
        """Somebody else's consent, with another verifier, under the state of this login."""
        asked = next(iter(server.codes.values()))
        other = server.consented(
            f"{server.url}/o/oauth2/v2/auth?" + "&".join(f"{k}={v}" for k, v in {**asked, "code_challenge": "x" * 43}.items())
        )
        return address.replace(parse_qs(urlsplit(address).query)["code"][0], parse_qs(urlsplit(other).query)["code"][0])

    person = Person(server, change=stolen)
    with pytest.raises(LoginNeeded, match=r"invalid_grant.*mailflow oauth login office"):
        login(account, tmp_path, clock, person.show, person.ask)
    assert Tokens(account, tmp_path, clock).expires_at() is None


@pytest.mark.parametrize("pastes", [False, True], ids=["by a redirect", "pasted"])
def test_an_answer_with_another_state_is_refused(pastes: bool, tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    """RFC 6749 §10.12: a page that sends our browser to the redirect address cannot log us in as somebody else."""

    def forged(address: str) -> str:
        return re.sub("state=[^&]*", "state=of-somebody-else", address)

    person = Person(server, pastes, forged, gives_up=lambda: clock.move(minutes=6))
    with pytest.raises(LoginNeeded, match="nobody logged in"):
        login(server.account("google"), tmp_path, clock, person.show, person.ask)
    assert server.asked == []


def test_a_forged_redirect_gets_no_thanks_and_the_real_one_still_counts(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    statuses: list[int] = []

    def after_forgeries(address: str) -> str:
        bare = address.partition("?")[0]
        forgeries = [re.sub("state=[^&]*", "state=x", address), bare, f"{bare}favicon.ico", f"{address}&code=another"]
        statuses.extend(visited(forgery) for forgery in forgeries)
        return address

    person = Person(server, change=after_forgeries)
    login(server.account("google"), tmp_path, clock, person.show, person.ask)
    assert statuses == [400] * 4
    assert len(server.asked) == 1


def test_a_wrong_paste_is_said_and_asked_again(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    person = Person(server, pastes=True)
    for wrong in ("\n", "4/0AbCdEf\n", "http://127.0.0.1:1/?state=of-yesterday&code=x\n", "http://[\n"):
        person.answers.put(wrong)
    login(server.account("google"), tmp_path, clock, person.show, person.ask)
    assert [text.startswith("That is not the address") for text in person.shown] == [False, True, True, True]
    assert len(server.asked) == 1


def test_who_says_no_at_the_consent_screen_is_believed(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    person = Person(server, change=lambda address: re.sub("code=[^&]*", "error=access_denied", address))
    with pytest.raises(LoginNeeded, match="access_denied"):
        login(server.account("google"), tmp_path, clock, person.show, person.ask)


@pytest.mark.parametrize(
    "instead",
    [{"scope": "openid"}, {"refresh_token": None}, {"refresh_token": "a b"}],
    ids=["another scope", "no refresh token", "a strange one"],
)
def test_a_login_that_would_not_last_is_refused(instead: dict[str, str], tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    server.instead = instead
    person = Person(server)
    with pytest.raises(LoginNeeded, match="allow all that is asked"):
        login(server.account("google"), tmp_path, clock, person.show, person.ask)


def test_the_redirect_is_heard_on_this_machine_only_and_not_after_the_login(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    person = Person(server)
    login(server.account("google"), tmp_path, clock, person.show, person.ask)
    (redirect,) = server.redirects
    assert urlsplit(redirect).hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        _connect(redirect)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("oauth-redirect")]


def _connect(address: str) -> None:
    import socket  # noqa: PLC0415 - for this one question

    with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), 5):
        pass


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=s&code=c", {"code": "c"}),
        ("code=c&state=s&scope=x&authuser=0", {"code": "c"}),
        ("state=s&error=access_denied", {"error": "access_denied"}),
        ("state=s", None),
        ("code=c", None),
        ("state=&code=c", None),
        ("state=s&state=s&code=c", None),
        ("state=s&code=", None),
        ("state=S&code=c", None),
        ("&".join(["state=s", *(f"a{n}=1" for n in range(50))]), None),
        ("state=%C3%A4&code=c", None),
    ],
)
def test_what_a_redirect_says(query: str, said: dict[str, str] | None) -> None:
    assert said_in(f"http://127.0.0.1:9/?{query}", "s") == said


def test_the_folder_is_looked_at_before_anybody_takes_the_trouble(tmp_path: Path, clock: Clock, server: TokenServer) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(BadConfig, match="oauth"):
        login(server.account("google"), tmp_path, clock, pytest.fail, pytest.fail)


def by_code(server: TokenServer, clock: Clock, shown: list[str], pause: float = 0) -> Grant:
    """Logs in at Microsoft; each wait there moves the clock, and takes no time."""
    account = server.account("microsoft")
    assert account.oauth is not None
    return microsoft.log_in(account, account.oauth, clock, shown.append, sleep=lambda seconds: clock.move(seconds=pause or seconds))


def test_a_person_types_a_code_at_microsoft(clock: Clock, server: TokenServer) -> None:
    server.pending = 3
    shown: list[str] = []
    assert by_code(server, clock, shown).access == server.access[0]
    assert server.counted(DEVICE) == 4
    assert "https://microsoft.example/device" in shown[0] and "DELTA-17" in shown[0]
    assert not any(code in shown[0] for code in server.devices)


@pytest.mark.filterwarnings("ignore:Attempted too soon")  # msal looks at the real clock, and here the waits take no time
@pytest.mark.parametrize("fault", [Fault(503), Fault(hangs_up=True), Fault(200, b"<html>")], ids=["503", "hangs up", "html"])
def test_a_connection_lost_while_the_person_types_does_not_end_the_login(fault: Fault, clock: Clock, server: TokenServer) -> None:
    server.faults = [fault, fault]
    assert by_code(server, clock, []).access == server.access[0]


@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_microsoft_may_ask_for_longer_pauses(clock: Clock, server: TokenServer) -> None:
    server.faults = [Fault(400, b'{"error": "slow_down"}')]
    server.pending = 0
    began = clock()
    assert by_code(server, clock, []).access == server.access[0]
    assert (clock() - began).total_seconds() == 1 + 6


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(400, b'{"error": "authorization_declined"}'), "authorization_declined"),
        (Fault(400, b'{"error": "expired_token"}'), "expired_token"),
        (Fault(401, b'{"error": "invalid_client", "error_codes": [7000218]}'), "AADSTS7000218.*the application's settings"),
    ],
)
def test_a_login_that_microsoft_refuses_is_over(fault: Fault, said: str, clock: Clock, server: TokenServer) -> None:
    server.faults = [fault]
    with pytest.raises(LoginNeeded, match=said):
        by_code(server, clock, [])


def test_a_login_at_microsoft_that_would_not_last_is_refused(clock: Clock, server: TokenServer) -> None:
    server.instead = {"refresh_token": None}
    with pytest.raises(LoginNeeded, match="allow all that is asked"):
        by_code(server, clock, [])


def test_a_code_that_nobody_types_runs_out(clock: Clock, server: TokenServer) -> None:
    server.pending = 100
    with pytest.raises(LoginNeeded, match="nobody logged in in time"):
        by_code(server, clock, [], pause=400)
    assert server.counted(DEVICE) == 3


def test_what_microsoft_shows_cannot_steer_the_terminal(clock: Clock, server: TokenServer) -> None:
    server.page = "https://microsoft.example/\x1b]0;evil\x07\r\ndevice"
    shown: list[str] = []
    by_code(server, clock, shown)
    assert shown[0].isprintable()


def test_a_login_at_microsoft_that_cannot_begin_says_so(clock: Clock, tmp_path: Path) -> None:
    with token_server() as server:
        account = server.account("microsoft")
    with pytest.raises(TokenUnavailable, match="no answer"):
        login(account, tmp_path, clock, pytest.fail, pytest.fail)
