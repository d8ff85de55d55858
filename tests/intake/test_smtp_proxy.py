"""The PROXY protocol: believed of the balancers that are named, required of them, and of nobody else."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from smtpdoor import MAIL, Dialogue, Listening, listening

from mailflow.config.settings import SmtpSettings
from mailflow.intake import connection, proxy

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n"


def v2(command: int = 0x21, family: int = 0x11, client: str = "192.0.2.7", more: bytes = b"") -> bytes:
    """A version 2 header."""
    kind = socket.AF_INET6 if ":" in client else socket.AF_INET
    addresses = socket.inet_pton(kind, client) * 2 + struct.pack("!HH", 4711, 25) + more
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses)) + addresses


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path, proxy_from=["127.0.0.0/8"], max_connections_per_client=2) as door:
        yield door


def behind(door: Listening, header: bytes) -> Dialogue:
    client = door.client()
    client.send(header)
    return client


GOOD = [
    pytest.param(V1, "192.0.2.7", id="v1-tcp4"),
    pytest.param(b"PROXY TCP6 2001:DB8::7 2001:db8::1 4711 25\r\n", "2001:db8::7", id="v1-tcp6"),
    pytest.param(b"PROXY UNKNOWN\r\n", "127.0.0.1", id="v1-unknown"),
    pytest.param(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1", id="v1-unknown-with-more"),
    pytest.param(v2(), "192.0.2.7", id="v2-tcp4"),
    pytest.param(v2(family=0x21, client="2001:db8::7"), "2001:db8::7", id="v2-tcp6"),
    pytest.param(v2(more=b"\x04\x00\x03abc"), "192.0.2.7", id="v2-with-tlv"),
    pytest.param(v2(command=0x20), "127.0.0.1", id="v2-local"),
    pytest.param(SIGNATURE + b"\x20\x00\x00\x00", "127.0.0.1", id="v2-local-empty"),
    pytest.param(v2(family=0x00), "127.0.0.1", id="v2-unspecified"),
]


@pytest.mark.parametrize("pieces", ["whole", "byte-by-byte", "with-what-follows"])
@pytest.mark.parametrize(("header", "client"), GOOD)
def test_the_client_behind_a_balancer_is_the_one_that_is_kept(door: Listening, header: bytes, client: str, pieces: str) -> None:
    with door.client() as dialogue:
        if pieces == "with-what-follows":
            dialogue.send(header + b"EHLO client.example\r\n")
            assert [dialogue.hear()[:3], dialogue.hear()[:3]] == ["220", "250"]
        else:
            for piece in [header] if pieces == "whole" else [header[n : n + 1] for n in range(len(header))]:
                dialogue.send(piece)
            dialogue.greet()
        assert dialogue.mail() == "250 2.0.0 Kept"
    assert [row.client for row in door.rows()] == [client]


BAD = [
    pytest.param(b"EHLO client.example\r\n", id="no-header"),
    pytest.param(b"PROXY TCP4 192.0.2.7\r\n", id="v1-short"),
    pytest.param(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\n", id="v1-bare-LF"),
    pytest.param(b"PROXY TCP4 192.0.2.999 192.0.2.1 4711 25\r\n", id="v1-no-address"),
    pytest.param(b"PROXY TCP4 2001:db8::7 2001:db8::1 4711 25\r\n", id="v1-wrong-family"),
    pytest.param(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 70000\r\n", id="v1-no-port"),
    pytest.param(b"PROXY TCP4 192.0.2.7  192.0.2.1 4711 25\r\n", id="v1-two-spaces"),
    pytest.param(b"PROXY UDP4 192.0.2.7 192.0.2.1 4711 25\r\n", id="v1-udp"),
    pytest.param(b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", id="v1-scope"),
    pytest.param(b"PROXY " + b"x" * 200, id="v1-endless"),
    pytest.param(b"proxy TCP4 192.0.2.7 192.0.2.1 4711 25\r\n", id="v1-lower-case"),
    pytest.param(v2(command=0x11), id="v2-version-1"),
    pytest.param(v2(command=0x22), id="v2-command-2"),
    pytest.param(v2(family=0x12), id="v2-udp"),
    pytest.param(v2(family=0x21), id="v2-too-short-for-tcp6"),
    pytest.param(SIGNATURE + b"\x21\x11\xff\xff", id="v2-endless"),
    pytest.param(SIGNATURE[:-1] + b"\r", id="v2-other-signature"),
]


@pytest.mark.case(24)
@pytest.mark.parametrize("header", BAD)
def test_a_malformed_header_is_hung_up_on_without_a_word(door: Listening, header: bytes) -> None:
    with behind(door, header) as client:
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            heard = client.sock.recv(1000)
        assert heard == b""
    with behind(door, V1) as client:
        assert client.greet().mail() == "250 2.0.0 Kept"


@pytest.mark.case(24)
@pytest.mark.parametrize(
    "begun", [b"", b"PROXY TCP4 192.0", SIGNATURE[:7], v2()[:20]], ids=["nothing", "v1-half", "signature-half", "v2-half"]
)
def test_a_header_that_does_not_come_is_not_waited_for(door: Listening, begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    with behind(door, begun) as client:
        assert client.hear_all() == []


@pytest.mark.case(24)
@pytest.mark.parametrize("header", [V1, v2(), v2(command=0x20)], ids=["v1", "v2", "v2-local"])
def test_who_is_not_named_may_not_speak_for_others(tmp_path: Path, header: bytes) -> None:
    with listening(tmp_path, proxy_from=["192.0.2.1", "2001:db8::/32"]) as door, door.client() as client:
        client.send(header)
        client.send(b"\r\nRSET\r\n")
        answers = iter(client.hear, "250 2.0.0 OK")
        codes = [answer[:3] for answer in answers]
        assert codes[0] == "220" and set(codes[1:]) == {"500"}
        client.say("EHLO client.example")
        assert client.mail() == "250 2.0.0 Kept"
        assert [row.client for row in door.rows()] == ["127.0.0.1"]


@pytest.mark.case(24)
def test_a_second_header_is_no_command(door: Listening) -> None:
    with behind(door, V1) as client:
        client.greet()
        assert client.say(V1.strip()) == "500 5.5.1 Unknown command"
        client.mail()
    assert [row.client for row in door.rows()] == ["192.0.2.7"]


@pytest.mark.case(13)
def test_clients_are_counted_behind_the_balancer(door: Listening) -> None:
    mine = [behind(door, V1).greet() for _ in range(2)]
    with behind(door, V1) as third:
        assert third.hear_all() == ["421 4.7.0 Too many connections, try again later"]
    others = [behind(door, v2(client=f"192.0.2.{n}")).greet() for n in range(100, 120)]
    assert others[0].mail() == "250 2.0.0 Kept"
    assert mine[0].say("QUIT") == "221 2.0.0 Bye" and mine[0].hear() == ""
    with behind(door, V1) as again:
        assert again.greet().mail() == "250 2.0.0 Kept"
    for client in (*mine, *others):
        client.__exit__()


def test_a_health_check_that_connects_and_goes_leaves_no_place_taken(door: Listening) -> None:
    for _ in range(20):
        with behind(door, b"PROXY"):
            pass
    with behind(door, V1) as client:
        assert client.greet().mail(MAIL) == "250 2.0.0 Kept"


@given(
    data=st.binary(max_size=64)
    | st.binary(max_size=64).map(lambda tail: SIGNATURE + tail)
    | st.binary(max_size=120).map(lambda t: b"PROXY " + t)
)
def test_whatever_comes_is_a_header_or_is_malformed_or_is_not_yet_whole(data: bytes) -> None:
    try:
        found = proxy.header(data)
    except proxy.Malformed:
        return
    assert found is None or 0 < found.length <= len(data)


@pytest.mark.parametrize("named", ["10.0.0.1/8", "balancer.example", "", "127.0.0.1:25"])
def test_a_balancer_is_named_by_address_or_network(named: str) -> None:
    with pytest.raises(ValidationError, match="not an address or network"):
        SmtpSettings(proxy_from=[named])
