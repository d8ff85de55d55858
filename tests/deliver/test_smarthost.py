"""One mail to a smarthost that takes it, puts it off, refuses it, or breaks in the middle."""

import threading

import pytest
from smarthosts import Script, at, smarthost

from mailflow.config.settings import SmarthostSettings
from mailflow.deliver.smarthost import MAILS_A_CONNECTION, Smarthost
from mailflow.model.answer import OutgoingMail
from mailflow.model.errors import DeliveryDeferred, DeliveryRefused

MAIL = OutgoingMail("id@delta.example", "", "ann@foo.example", b"To: ann@foo.example\r\n\r\nHello.\r\n.\r\n..two\r\n")


def connect(port: int, timeout: float = 1.0) -> Smarthost:
    return Smarthost(SmarthostSettings(host="127.0.0.1", port=port, security="none", timeout_seconds=timeout), "mx.delta.example")


def test_a_mail_arrives_byte_for_byte_with_its_envelope() -> None:
    with smarthost() as host, connect(host.port) as sending:
        sending.send(MAIL)
    assert (host.taken, host.envelopes) == ([MAIL.raw], [("", "ann@foo.example")])


def test_one_connection_serves_many_mails_and_is_then_renewed() -> None:
    with smarthost() as host, connect(host.port) as sending:
        for _ in range(MAILS_A_CONNECTION + 1):
            sending.send(MAIL)
    assert (len(host.taken), host.connections) == (MAILS_A_CONNECTION + 1, 2)


LATER: dict[str, tuple[Script, bool]] = {
    "451 to MAIL": (at("MAIL", b"451 later\r\n"), False),
    "450 to RCPT, greylisted": (at("RCPT", b"450 greylisted\r\n"), False),
    "451 to DATA": (at("DATA", b"451 later\r\n"), False),
    "452 after the dot": (at("DOT", b"452 full\r\n"), False),
    "421 to MAIL": (at("MAIL", b"421 closing\r\n"), False),
    "hangs up at MAIL": (at("MAIL", b""), False),
    "hangs up at DATA": (at("DATA", b""), False),
    "hangs up after the dot": (at("DOT", b""), True),
}


@pytest.mark.fault("smarthost-4xx")
@pytest.mark.parametrize("case", LATER.values(), ids=LATER)
def test_a_temporary_failure_is_typed_so_and_tells_whether_the_mail_may_have_arrived(case: tuple[Script, bool]) -> None:
    script, ambiguous = case
    with smarthost(script) as host, connect(host.port) as sending, pytest.raises(DeliveryDeferred) as caught:
        sending.send(MAIL)
    assert caught.value.ambiguous is ambiguous


NEVER = {verb: at(verb, b"550 no\r\n") for verb in ("MAIL", "RCPT", "DATA", "DOT")}


@pytest.mark.fault("smarthost-5xx")
@pytest.mark.parametrize("script", NEVER.values(), ids=NEVER)
def test_a_refusal_is_final_and_says_nothing_of_the_address(script: Script) -> None:
    with smarthost(script) as host, connect(host.port) as sending, pytest.raises(DeliveryRefused) as caught:
        sending.send(MAIL)
    assert "ann" not in str(caught.value)


@pytest.mark.parametrize(
    "script", [at("RCPT", b"550 no\r\n", 1), at("RCPT", b"", 1), at("DOT", b"451 no\r\n", 1)], ids=["refused", "dropped", "deferred"]
)
def test_the_next_mail_goes_through_after_a_failure(script: Script) -> None:
    with smarthost(script) as host, connect(host.port) as sending:
        with pytest.raises((DeliveryRefused, DeliveryDeferred)):
            sending.send(MAIL)
        sending.send(MAIL)
    assert host.taken == [MAIL.raw]


def test_a_smarthost_that_is_away_is_temporary_and_broken() -> None:
    with smarthost() as host:
        port = host.port
    with connect(port) as sending, pytest.raises(DeliveryDeferred) as caught:
        sending.send(MAIL)
    assert caught.value.broken


@pytest.mark.fault("smarthost-hangs")
def test_a_smarthost_that_hangs_after_the_dot_is_ambiguous() -> None:
    release = threading.Event()

    def hang(verb: str, _mail: int) -> bytes | None:
        if verb == "DOT":
            release.wait(10)
        return None

    with smarthost(hang) as host, connect(host.port, timeout=0.2) as sending:
        with pytest.raises(DeliveryDeferred) as caught:
            sending.send(MAIL)
        release.set()
    assert (caught.value.ambiguous, caught.value.broken) == (True, True)
