"""What a client may ask for, how often, and for how long."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from smtpdoor import MAIL, Dialogue, Listening, listening

from mailflow.config.settings import LimitSettings
from mailflow.intake import connection

UNKNOWN = "550 5.1.1 No such recipient here"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path) as door:
        yield door


@pytest.fixture
def client(door: Listening) -> Iterator[Dialogue]:
    with door.client() as client:
        yield client.greet()


@pytest.mark.case(14)
def test_five_thousand_recipients_are_cut_off_at_the_limit(door: Listening, client: Dialogue) -> None:
    client.say("MAIL FROM:<ann@foo.example>")
    answers = [client.say(f"RCPT TO:<endorse+{n}@delta.example>") for n in range(5000)]
    assert answers == ["250 2.1.5 OK"] * 5 + ["452 4.5.3 Too many recipients"] * 4995
    assert client.say("DATA")[:3] == "354"
    client.send(MAIL + b".\r\n")
    assert client.hear() == "250 2.0.0 Kept"
    assert len(door.rows()[0].recipients) == 5


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("<nobody@delta.example>", marks=pytest.mark.case(15), id="unknown-local-part"),
        pytest.param("<endorse@elsewhere.example>", marks=pytest.mark.case(15), id="unknown-domain"),
        pytest.param("<postmaster>", marks=pytest.mark.case(15), id="no-domain"),
        pytest.param("<endorse%delta.example@delta.example>", marks=pytest.mark.case(16), id="percent"),
        pytest.param("<delta.example!endorse@delta.example>", marks=pytest.mark.case(16), id="bang-path"),
        pytest.param("<@relay.example:endorse@delta.example>", marks=pytest.mark.case(16), id="source-route"),
        pytest.param('<"endorse"@delta.example>', marks=pytest.mark.case(16), id="quoted"),
        pytest.param("<endorse@[127.0.0.1]>", marks=pytest.mark.case(16), id="literal"),
        pytest.param("<endorse@delta.example@elsewhere.example>", marks=pytest.mark.case(16), id="two-at"),
        pytest.param("<endorse@delta.example", marks=pytest.mark.case(16), id="open-bracket"),
    ],
)
def test_whoever_is_no_campaign_hears_the_same_refusal(client: Dialogue, path: str) -> None:
    client.say("MAIL FROM:<ann@foo.example>")
    assert client.say(f"RCPT TO:{path}") == UNKNOWN
    assert client.say("DATA") == "503 5.5.1 Say RCPT first"


@pytest.mark.case(16)
def test_a_recipient_beyond_ascii_is_refused(client: Dialogue) -> None:
    client.say("MAIL FROM:<ann@foo.example>")
    assert client.say("RCPT TO:<éndorse@delta.example>".encode())[:1] == "5"


@pytest.mark.parametrize("recipient", ["ENDORSE@Delta.Example", "endorse+token123@delta.example", "endorse@delta.EXAMPLE"])
def test_a_campaign_is_found_however_its_address_is_written(door: Listening, client: Dialogue, recipient: str) -> None:
    client.begin(recipient).send(MAIL + b".\r\n")
    assert client.hear() == "250 2.0.0 Kept"
    assert door.rows()[0].recipients == [recipient]


@pytest.mark.case(22)
def test_the_null_sender_is_accepted_and_kept_as_empty(door: Listening, client: Dialogue) -> None:
    client.begin(sender="").send(MAIL + b".\r\n")
    assert client.hear() == "250 2.0.0 Kept"
    assert door.rows()[0].sender == ""


@pytest.mark.case(23)
@pytest.mark.parametrize(
    "sender", ["a|id@b.example", "$(id)@b.example", "../../etc/passwd@b.example", "%n%s@b.example", "a;`id`@b.example", '"a b"@b.example']
)
def test_an_odd_sender_is_kept_inert(door: Listening, client: Dialogue, sender: str) -> None:
    client.begin(sender=sender).send(MAIL + b".\r\n")
    assert client.hear() == "250 2.0.0 Kept"
    assert door.rows()[0].sender == sender


@pytest.mark.case(23)
def test_a_line_separator_in_a_sender_is_refused(client: Dialogue) -> None:
    assert client.say("MAIL FROM:<a\u2028b@foo.example>".encode())[:1] == "5"


@pytest.mark.case(24)
@pytest.mark.parametrize("line", ["PROXY TCP4 192.0.2.1 192.0.2.2 1 25", "XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1"])
def test_nobody_may_say_that_he_is_somebody_else(door: Listening, line: str) -> None:
    with door.client() as client:
        client.hear()
        assert client.say(line) == "500 5.5.1 Unknown command"
        client.say("EHLO client.example")
        assert client.mail() == "250 2.0.0 Kept"
        assert door.rows()[0].client == "127.0.0.1"


@pytest.mark.case(25)
@pytest.mark.parametrize(("count", "answer"), [(50, "250 2.0.0 Kept"), (51, "554 5.4.6 Too many hops"), (101, "554 5.4.6 Too many hops")])
def test_a_mail_that_loops_is_refused(client: Dialogue, count: int, answer: str) -> None:
    assert client.mail(b"received: from a by b\r\n" * count + MAIL) == answer


@pytest.mark.case(26)
def test_vrfy_expn_and_help_say_the_same_of_everybody(client: Dialogue) -> None:
    questions = ["VRFY endorse", "VRFY nobody", "EXPN endorse", "EXPN list", "HELP", "HELP VRFY"]
    assert {client.say(question) for question in questions} == {"252 2.5.0 Send some mail"}


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["MAIL FROM:<a@b.example>"], "503 5.5.1 Say EHLO first"),
        (["EHLO"], "501 5.5.4 Syntax: EHLO hostname"),
        (["EHLO x", "RCPT TO:<endorse@delta.example>"], "503 5.5.1 Say MAIL first"),
        (["EHLO x", "MAIL FROM:a@b.example"], "501 5.5.4 Syntax: MAIL FROM:<address>"),
        (["EHLO x", "MAIL FROM:<a@b.example> RET=HDRS"], "555 5.5.4 Unknown parameter"),
        (["EHLO x", "MAIL FROM:<a@b.example>", "MAIL FROM:<a@b.example>"], "503 5.5.1 One mail at a time"),
        (["EHLO x", "MAIL FROM:<a@b.example>", "EHLO x", "RCPT TO:<endorse@delta.example>"], "503 5.5.1 Say MAIL first"),
        (["EHLO x", "MAIL FROM:<a@b.example>", "RSET", "RCPT TO:<endorse@delta.example>"], "503 5.5.1 Say MAIL first"),
        (["EHLO x", "AUTH PLAIN AGEAYg=="], "500 5.5.1 Unknown command"),
        (["EHLO x", "STARTTLS"], "503 5.5.1 Not now"),
        (["EHLO x", "BDAT 3 LAST"], "500 5.5.1 Unknown command"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(line.split(" ")[0] for line in value),
)
def test_commands_out_of_order_or_shape_are_told_so(door: Listening, lines: list[str], answer: str) -> None:
    with door.client() as client:
        client.hear()
        assert [client.say(line) for line in lines][-1] == answer


def test_helo_is_enough_for_a_mail(door: Listening) -> None:
    with door.client() as client:
        client.hear()
        assert client.say("HELO old.example") == "250 localhost"
        assert client.mail() == "250 2.0.0 Kept"


def test_too_many_errors_end_a_session(tmp_path: Path) -> None:
    with listening(tmp_path, max_errors=3) as door, door.client() as client:
        client.hear()
        assert [client.say("NONSENSE") for _ in range(4)] == ["500 5.5.1 Unknown command"] * 3 + ["421 4.7.0 Too many errors"]
        assert client.hear() == ""


@pytest.mark.case(12)
@pytest.mark.parametrize("command", ["NOOP", "RSET", "EHLO a.example", "VRFY a"])
def test_commands_that_carry_no_mail_are_counted(tmp_path: Path, command: str) -> None:
    with listening(tmp_path, max_commands=10) as door, door.client() as client:
        client.greet()
        assert [client.say(command)[:3] for _ in range(10)][-1] == "421"
        assert client.hear() == ""


def test_a_relay_that_resets_before_each_mail_is_not_counted_out(tmp_path: Path) -> None:
    with listening(tmp_path, max_commands=10) as door, door.client() as client:
        client.greet()
        for _ in range(15):
            assert (client.say("RSET"), client.mail()) == ("250 2.0.0 OK", "250 2.0.0 Kept")


def test_a_session_ends_after_its_share_of_mails(tmp_path: Path) -> None:
    with listening(tmp_path, max_messages=2) as door, door.client() as client:
        client.greet()
        assert [client.mail(), client.mail()] == ["250 2.0.0 Kept"] * 2
        assert client.say("MAIL FROM:<ann@foo.example>") == "421 4.7.0 Enough mail for one session"


@pytest.mark.case(12)
def test_a_busy_session_ends_at_its_deadline(tmp_path: Path) -> None:
    with listening(tmp_path, session_seconds=0.5, max_commands=10**6) as door, door.client() as client:
        client.greet()
        answers = iter(lambda: _pause_and(client, "NOOP"), "250 2.0.0 OK")
        assert next(answers, "over") == "421 4.4.2 Closing"


def _pause_and(client: Dialogue, command: str) -> str:
    time.sleep(0.05)
    answer = client.say(command)
    while answer == "250 2.0.0 OK":
        time.sleep(0.05)
        answer = client.say(command)
    return answer


@pytest.mark.parametrize("said", [[], ["EHLO a.example", "MAIL FROM:<a@b.example>"]], ids=["after-greeting", "amid-a-transaction"])
def test_a_silent_session_is_closed(tmp_path: Path, said: list[str]) -> None:
    with listening(tmp_path, idle_seconds=0.3) as door, door.client() as client:
        client.hear()
        for line in said:
            client.say(line)
        assert client.hear_all() == ["421 4.4.2 Closing"]


@pytest.mark.case(11)
def test_a_mail_that_drips_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "DRIP_GRACE", 0.2)
    with listening(tmp_path) as door, door.client() as client:
        client.greet().begin()
        client.sock.settimeout(0.05)
        for _ in range(200):
            client.send(b"x")
            try:
                answer = client.sock.recv(100)
            except TimeoutError:
                continue
            break
        assert answer == b"421 4.4.2 Closing\r\n"
        assert door.kept() == []


@pytest.mark.case(13)
def test_when_all_places_are_taken_who_has_waited_longest_outside_a_mail_gives_way(tmp_path: Path) -> None:
    with listening(tmp_path, max_connections=3) as door:
        guests = [door.client() for _ in range(3)]
        assert [guest.hear()[:3] for guest in guests] == ["220"] * 3
        guests[0].say("EHLO a.example")
        guests[0].begin()
        with door.client() as honest:
            assert honest.greet().mail() == "250 2.0.0 Kept"
        assert guests[1].hear_all() == ["421 4.4.2 Closing"]
        guests[0].send(MAIL + b".\r\n")
        assert guests[0].hear() == "250 2.0.0 Kept"
        for guest in guests:
            guest.__exit__()


@pytest.mark.case(13)
def test_one_client_may_not_take_all_places(tmp_path: Path) -> None:
    with listening(tmp_path, max_connections_per_client=3) as door:
        guests = [door.client() for _ in range(3)]
        assert [guest.hear()[:3] for guest in guests] == ["220"] * 3
        with door.client() as one_too_many:
            one_too_many.send(b"EHLO a.example\r\n")
            assert one_too_many.hear_all() == ["421 4.7.0 Too many connections, try again later"]
        assert guests[0].say("QUIT") == "221 2.0.0 Bye" and guests[0].hear() == ""
        with door.client() as next_one:
            assert next_one.greet().mail() == "250 2.0.0 Kept"
        for guest in guests:
            guest.__exit__()


@pytest.mark.case(13)
def test_idle_connections_do_not_keep_a_mail_waiting(tmp_path: Path) -> None:
    with listening(tmp_path, max_connections=1000, max_connections_per_client=1000) as door:
        idle = [door.client() for _ in range(400)]
        with door.client() as client:
            assert client.greet().mail() == "250 2.0.0 Kept"
        for one in idle:
            one.__exit__()


def test_hops_follow_the_limit_of_the_configuration(tmp_path: Path) -> None:
    with listening(tmp_path, limits=LimitSettings(hops=5)) as door, door.client() as client:
        assert client.greet().mail(b"Received: a\r\n" * 6 + MAIL) == "554 5.4.6 Too many hops"
