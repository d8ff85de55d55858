"""DNS over a real socket: answers, absences, outages, budgets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from dnslib import QTYPE, RCODE, RR, TXT, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSServer

from mailflow.model.errors import BadConfig, DnsUnavailable
from mailflow.resolver import QUERIES_A_MAIL, Cache, PublicSuffixes, SystemResolver, TableResolver


class Zone(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """Answers by the first label of the name asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        name = str(request.q.qname)
        self.asked.append(name)
        reply = request.reply()
        kind = name.partition(".")[0]
        if kind == "servfail":
            reply.header.rcode = RCODE.SERVFAIL
        elif kind == "nxdomain":
            reply.header.rcode = RCODE.NXDOMAIN
        elif kind == "long":
            strings = [b"x" * 250] * 20
            reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT(strings), ttl=60))
        elif kind != "empty":
            reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT([b"v=DKIM1; ", b"p=abc"]), ttl=60))
        return reply


@contextmanager
def dns() -> Iterator[tuple[int, Zone]]:
    """A name server on loopback, UDP and TCP on one port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    zone = Zone()
    servers = [DNSServer(zone, port=port, address="127.0.0.1", tcp=tcp, logger=None) for tcp in (False, True)]
    for server in servers:
        server.server.RequestHandlerClass.server_logger = None
        server.start_thread()
    try:
        yield port, zone
    finally:
        for server in servers:
            server.stop()
            server.server.server_close()


@pytest.fixture
def server() -> Iterator[tuple[int, Zone]]:
    with dns() as started:
        yield started


def resolver(port: int, seconds: float = 3.0, cache: Cache | None = None) -> SystemResolver:
    return SystemResolver([f"127.0.0.1:{port}"], seconds, cache)


ANSWERS = {"key": (b"v=DKIM1; p=abc",), "nxdomain": (), "empty": (), "long": (b"x" * 5000,)}


@pytest.mark.parametrize("kind", ANSWERS)
def test_strings_are_joined_absences_are_empty_and_long_answers_come_by_tcp(server: tuple[int, Zone], kind: str) -> None:
    assert resolver(server[0]).for_one_mail().txt(f"{kind}.foo.example") == ANSWERS[kind]


@pytest.mark.fault("dns-down")
def test_a_server_that_fails_is_an_outage_not_an_absence(server: tuple[int, Zone]) -> None:
    with pytest.raises(DnsUnavailable):
        resolver(server[0], seconds=0.5).for_one_mail().txt("servfail.foo.example")


@pytest.mark.fault("dns-down")
def test_a_server_that_is_silent_is_an_outage_within_the_budget() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        one_mail = resolver(silent.getsockname()[1], seconds=0.3).for_one_mail()
        for _ in range(2):
            with pytest.raises(DnsUnavailable):
                one_mail.txt("key.foo.example")


def test_an_answer_is_asked_for_once(server: tuple[int, Zone]) -> None:
    port, zone = server
    system = resolver(port)
    for _ in range(3):
        system.for_one_mail().txt("key.foo.example")
        system.for_one_mail().txt("nxdomain.foo.example")
    assert len(zone.asked) == 2


def test_an_answer_is_asked_for_again_when_its_time_is_over(server: tuple[int, Zone]) -> None:
    port, zone = server
    clock = [0.0]
    system = resolver(port, cache=Cache(monotonic=lambda: clock[0]))
    system.for_one_mail().txt("key.foo.example")
    clock[0] = 61.0
    system.for_one_mail().txt("key.foo.example")
    assert len(zone.asked) == 2


def test_one_mail_may_ask_ten_times(server: tuple[int, Zone]) -> None:
    one_mail = resolver(server[0]).for_one_mail()
    for n in range(QUERIES_A_MAIL):
        one_mail.txt(f"key.n{n}.example")
    with pytest.raises(DnsUnavailable, match="budget"):
        one_mail.txt("key.more.example")


@pytest.mark.parametrize("name", ["", "a b.example", "x" * 300, "a..b", "\x00.example", "ü.example"])
def test_what_is_no_name_is_not_asked_for(server: tuple[int, Zone], name: str) -> None:
    port, zone = server
    assert resolver(port).for_one_mail().txt(name) == ()
    assert zone.asked == []


def test_a_server_that_is_no_address_is_a_config_error() -> None:
    with pytest.raises(BadConfig, match=r"workers\.dns_servers"):
        SystemResolver(["not an address"])


def test_a_table_stands_in_for_dns() -> None:
    table = TableResolver({"A.Example.": {"txt": ["one", "two"]}, "down.example": {"TXT": "SERVFAIL"}, "slow.example": {"TXT": "TIMEOUT"}})
    assert (table.txt("a.example"), table.txt("absent.example")) == ((b"one", b"two"), ())
    for name in ("down.example", "slow.example"):
        with pytest.raises(DnsUnavailable):
            table.txt(name)


SUFFIXES = {"mail.foo.example": "foo.example", "foo.example": "foo.example", "a.b.co.uk": "b.co.uk", "co.uk": None, "com": None, "": None,
            "x.bücher.example": "xn--bcher-kva.example", "a b": None}  # fmt: skip


@pytest.mark.parametrize("domain", SUFFIXES)
def test_the_organisational_domain_of_a_name(domain: str) -> None:
    assert PublicSuffixes().organisational(domain) == SUFFIXES[domain]


def test_names_are_looked_up_from_several_threads_at_once(server: tuple[int, Zone]) -> None:
    system, found = resolver(server[0]), []
    threads = [threading.Thread(target=lambda n=n: found.append(system.for_one_mail().txt(f"key.t{n}.example"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ANSWERS["key"]] * 8
