"""LMTP (RFC 2033): one reply for each recipient, a mail for each campaign, and nobody's mail fails for a neighbour's."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from lmtpdoor import OURS, LmtpListening, Relay, lmtp_listening
from pydantic import ValidationError
from smtpdoor import MAIL

from mailflow.config.settings import LmtpSettings
from mailflow.intake import Arrival, Keeping
from mailflow.model.errors import StoreUnavailable

KEPT = "250 2.0.0 Kept"
LATER = "451 4.3.0 Try again later"
LARGE = MAIL + b"I have lived beside the delta for a long time.\r\n" * 20_000
XFORWARD = "XFORWARD NAME=mx.foo.example ADDR=192.0.2.7 PROTO=ESMTP HELO=mx.foo.example"


@pytest.fixture(params=["unix", "tcp"])
def door(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> Iterator[LmtpListening]:
    listen = f"127.0.0.1:{free_port}" if request.param == "tcp" else ""
    with lmtp_listening(tmp_path, listen=listen) as door:
        yield door


@pytest.fixture
def relay(door: LmtpListening) -> Iterator[Relay]:
    with door.relay() as relay:
        yield relay.greet()


def told(door: LmtpListening) -> list[tuple[str, list[str]]]:
    """Campaign and recipients of all kept mails."""
    return sorted((row.campaign, row.recipients) for row in door.rows())


def test_lhlo_offers_what_lmtp_must_have(door: LmtpListening) -> None:
    with door.relay() as relay:
        assert relay.hear() == "220 localhost LMTP"
        offers = [line[4:] for line in relay.say("LHLO relay.example").splitlines()]
        assert offers[1:] == [
            "PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "XFORWARD NAME ADDR PROTO HELO",
        ]  # fmt: skip


@pytest.mark.parametrize("line", ["EHLO relay.example", "HELO relay.example", "STARTTLS"])
def test_lmtp_is_not_smtp(door: LmtpListening, line: str) -> None:
    with door.relay() as relay:
        relay.hear()
        assert relay.say(line) == "500 5.5.1 Unknown command"
        assert relay.say("MAIL FROM:<ann@foo.example>") == "503 5.5.1 Say LHLO first"


@pytest.mark.parametrize("line", ["LHLO relay.example", XFORWARD])
def test_smtp_is_not_lmtp(door: LmtpListening, line: str) -> None:
    with door.client() as client:
        assert client.greet().say(line) == "500 5.5.1 Unknown command"


@pytest.mark.case(17)
@pytest.mark.parametrize("raw", [MAIL, LARGE], ids=["small", "spooled"])
def test_three_recipients_of_two_campaigns_get_three_replies_and_two_mails(door: LmtpListening, relay: Relay, raw: bytes) -> None:
    assert relay.hand_on(*OURS, raw=raw) == [KEPT] * 3
    assert relay.say("NOOP") == "250 2.0.0 OK"
    assert told(door) == [("delta", [OURS[0], OURS[2]]), ("moor", [OURS[1]])]
    assert door.kept() == [raw, raw] and {row.door for row in door.rows()} == {"lmtp"}
    assert door.spooled() == []


@pytest.mark.case(17)
def test_one_recipient_named_twice_gets_two_replies_and_one_mail(door: LmtpListening, relay: Relay) -> None:
    assert relay.hand_on(OURS[0], OURS[0]) == [KEPT, KEPT]
    assert told(door) == [("delta", [OURS[0], OURS[0]])]


@pytest.mark.case(17)
@pytest.mark.parametrize("accepted", [0, 1, 2])
def test_who_was_refused_gets_no_reply_after_the_dot(door: LmtpListening, relay: Relay, accepted: int) -> None:
    relay.say("MAIL FROM:<ann@foo.example>")
    assert relay.say("RCPT TO:<nobody@delta.example>") == "550 5.1.1 No such recipient here"
    for recipient in OURS[:accepted]:
        relay.say(f"RCPT TO:<{recipient}>")
    if not accepted:
        assert relay.say("DATA") == "503 5.5.1 Say RCPT first"
    else:
        relay.say("DATA")
        relay.send(MAIL + b".\r\nNOOP\r\n")
        assert [relay.hear() for _ in range(accepted + 1)] == [KEPT] * accepted + ["250 2.0.0 OK"]
    assert len(door.rows()) == accepted


def test_a_mail_server_may_hand_on_the_slips_of_many(relay: Relay) -> None:
    relay.say("MAIL FROM:<ann@foo.example>")
    assert {relay.say(f"RCPT TO:<nobody{n}@delta.example>") for n in range(60)} == {"550 5.1.1 No such recipient here"}


@pytest.mark.case(17)
@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (MAIL + b"one\ntwo\r\n", "550 5.6.11 Bare CR, LF or NUL"),
        (b"Received: a\r\n" * 51 + MAIL, "554 5.4.6 Too many hops"),
        (MAIL + b"I endorse.\r\n" * 1_000_000, "552 5.3.4 Message too large"),
    ],
    ids=["bare", "hops", "large"],
)
def test_a_mail_that_is_refused_is_refused_once_for_each_recipient(door: LmtpListening, relay: Relay, raw: bytes, reply: str) -> None:
    assert relay.hand_on(*OURS, raw=raw) == [reply] * 3
    assert relay.hand_on(OURS[0]) == [KEPT]
    assert door.kept() == [MAIL]


def test_everything_in_one_packet_is_answered_in_order(door: LmtpListening) -> None:
    with door.relay() as relay:
        rcpts = b"".join(f"RCPT TO:<{recipient}>\r\n".encode() for recipient in OURS)
        mail = b"MAIL FROM:<ann@foo.example>\r\n" + rcpts + b"DATA\r\n" + MAIL + b".\r\n"
        relay.send(b"LHLO relay.example\r\n" + mail + mail + b"QUIT\r\n")
        codes = [answer[:3] for answer in relay.hear_all()]
    assert codes == ["220", "250", *(["250"] * 4 + ["354"] + ["250"] * 3) * 2, "221"]


def test_more_recipients_than_the_cap_come_back_later(tmp_path: Path) -> None:
    with lmtp_listening(tmp_path, lmtp={"max_recipients": 2}) as door, door.relay() as relay:
        relay.greet().say("MAIL FROM:<ann@foo.example>")
        assert [relay.say(f"RCPT TO:<{recipient}>")[:3] for recipient in OURS] == ["250", "250", "452"]
        relay.say("DATA")
        relay.send(MAIL + b".\r\n")
        assert [relay.hear(), relay.hear()] == [KEPT, KEPT]


class Choosy:
    """A keeper that fails for one campaign."""

    def __init__(self, real: Keeping, how: Callable[[], "Future[int]"]) -> None:
        self._real = real
        self._how = how

    def keep(self, arrival: Arrival) -> "Future[int]":
        return self._how() if arrival.campaign == "delta" else self._real.keep(arrival)


def _failing() -> "Future[int]":
    future: Future[int] = Future()
    future.set_exception(StoreUnavailable("/secret/path"))
    return future


def _raising() -> "Future[int]":
    raise RuntimeError("/secret/path")


@pytest.mark.case(17)
@pytest.mark.case(20)
@pytest.mark.fault("db-gone")
@pytest.mark.parametrize("how", [_failing, _raising, Future], ids=["unavailable", "raises", "never-answers"])
@pytest.mark.parametrize("raw", [MAIL, LARGE], ids=["small", "spooled"])
def test_what_fails_for_one_campaign_is_kept_for_the_other(tmp_path: Path, how: Callable[[], "Future[int]"], raw: bytes) -> None:
    with lmtp_listening(tmp_path, behind=lambda real: Choosy(real, how), commit_seconds=0.5) as door, door.relay() as relay:
        assert relay.greet().hand_on(*OURS, raw=raw) == [LATER, KEPT, LATER]
        assert told(door) == [("moor", [OURS[1]])]
        assert relay.hand_on(OURS[1], raw=raw) == [KEPT]


def test_xforward_tells_whose_mail_it_is_and_holds_for_one_mail(door: LmtpListening, relay: Relay) -> None:
    assert relay.say(XFORWARD) == "250 2.0.0 OK"
    assert relay.hand_on(OURS[0]) == [KEPT]
    assert relay.hand_on(OURS[0]) == [KEPT]
    assert [(row.sender, row.client, row.helo) for row in door.rows()] == [
        ("ann@foo.example", "192.0.2.7", "mx.foo.example"), ("ann@foo.example", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "client", "helo"),
    [
        ("ADDR=IPV6:2001:db8::7 HELO=[192.0.2.9]", "2001:db8::7", "[192.0.2.9]"),
        ("ADDR=[UNAVAILABLE] HELO=[UNAVAILABLE]", None, None),
        ("NAME=[TEMPUNAVAIL] PROTO=ESMTP SOURCE=LOCAL IDENT=4711 PORT=25", None, None),
        ("ADDR=192.0.2.7 HELO=a+2Bb+20c", "192.0.2.7", "a+b c"),
        ("HELO=a+0D+0Ab addr=192.0.2.7", "192.0.2.7", None),
    ],
    ids=["v6", "unavailable", "others", "xtext", "line-end-in-xtext"],
)
def test_xforward_is_read_as_postfix_writes_it(door: LmtpListening, relay: Relay, said: str, client: str | None, helo: str | None) -> None:
    assert relay.say(f"XFORWARD {said}") == "250 2.0.0 OK"
    relay.hand_on(OURS[0])
    assert [(row.client, row.helo) for row in door.rows()] == [(client, helo)]


@pytest.mark.parametrize("said", ["", "ADDR", "ADDR=", "ADDR=somewhere", "LOGIN=root", "ADDR=192.0.2.7 x"])
def test_a_malformed_xforward_is_refused(relay: Relay, said: str) -> None:
    assert relay.say(f"XFORWARD {said}") == "501 5.5.4 Syntax: XFORWARD attribute=value"


def test_xforward_within_a_mail_is_refused(relay: Relay) -> None:
    relay.say("MAIL FROM:<ann@foo.example>")
    assert relay.say(XFORWARD) == "503 5.5.1 Not within a mail"


def test_a_mail_server_may_have_more_connections_than_a_stranger(tmp_path: Path) -> None:
    with lmtp_listening(tmp_path, max_connections_per_client=1) as door:
        relays = [door.relay().greet() for _ in range(20)]
        assert [relay.hand_on(OURS[0]) for relay in relays] == [[KEPT]] * 20
        for relay in relays:
            relay.__exit__()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"listen": "0.0.0.0:24"}, "beyond_loopback = true"),
        ({"listen": "mail.example:24"}, "beyond_loopback = true"),
        ({"listen": "127.0.0.1"}, "unix:PATH"),
        ({"listen": "unix:"}, "unix:PATH"),
        ({"listen": "127.0.0.1:0"}, "from 1 to 65535"),
        ({"listen": "127.0.0.1:65536"}, "from 1 to 65535"),
        ({"listen": "::1:24"}, "IPv6 in brackets"),
        ({"mode": "0999"}, "mode"),
        ({"xforward_from": ["10.0.0.1/8"]}, "address or network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
def test_a_place_that_is_none_or_too_open_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        LmtpSettings(**settings)


@pytest.mark.parametrize("listen", ["", "unix:/run/x", "unix:var/x", "127.0.0.1:24", "localhost:24", "[::1]:24"])
def test_a_place_on_this_machine_is_one(listen: str) -> None:
    assert LmtpSettings(listen=listen).listen == listen


def test_beyond_this_machine_is_one_if_it_is_said() -> None:
    assert LmtpSettings(listen="[2001:db8::1]:24", beyond_loopback=True).address == ("2001:db8::1", 24)
