"""DNS over a real socket: answers, absences, outages, budgets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from dnslib import CNAME, QTYPE, RCODE, RR, TXT, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

from mailflow.model.errors import BadConfig, DnsUnavailable
from mailflow.resolver import CACHED_NAMES, QUERIES_A_MAIL, Cache, PublicSuffixes, SystemResolver, TableResolver


class Zone(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """Answers by the first label of the name asked for, and remembers what was asked and how."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        name = str(request.q.qname)
        self.asked.append((handler.protocol, name))
        reply = request.reply()
        kind = name.partition(".")[0]
        if kind in ("servfail", "nxdomain", "refused"):
            reply.header.rcode = getattr(RCODE, kind.upper())
        elif kind == "alias":
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME("key.elsewhere.example"), ttl=60))
            reply.add_answer(RR("key.elsewhere.example", QTYPE.TXT, rdata=TXT([b"v=DKIM1; p=abc"]), ttl=60))
        elif kind == "long" and handler.protocol == "udp":
            reply.header.tc = 1
        elif kind == "long":
            reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT([b"x" * 250] * 20), ttl=60))
        elif kind == "many":
            for number in range(3):
                reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT([b"record %d" % number]), ttl=60))
        elif kind != "empty":
            reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT([b"v=DKIM1; ", b"p=abc"]), ttl=86_400 if kind == "lasting" else 60))
        return reply


@contextmanager
def dns() -> Iterator[tuple[int, Zone]]:
    """A name server on loopback, UDP and TCP on one port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    zone = Zone()
    log = DNSLogger("-request,-reply,-truncated,-error")
    servers = [DNSServer(zone, port=port, address="127.0.0.1", tcp=tcp, logger=log) for tcp in (False, True)]
    for server in servers:
        server.start_thread()
    try:
        yield port, zone
    finally:
        for server in servers:
            server.stop()
            server.server.server_close()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[int, Zone]]:
    with dns() as started:
        yield started


@pytest.fixture
def server(running: tuple[int, Zone]) -> tuple[int, Zone]:
    """The name server, which remembers nothing of other tests."""
    running[1].asked.clear()
    return running


def resolver(port: int, seconds: float = 3.0, cache: Cache | None = None) -> SystemResolver:
    return SystemResolver([f"127.0.0.1:{port}"], seconds, cache)


KEY = (b"v=DKIM1; p=abc",)
ANSWERS = {"key": KEY, "alias": KEY, "nxdomain": (), "empty": (), "many": (b"record 0", b"record 1", b"record 2")}


@pytest.mark.parametrize("kind", ANSWERS)
def test_strings_are_joined_aliases_followed_and_absences_empty(server: tuple[int, Zone], kind: str) -> None:
    assert sorted(resolver(server[0]).for_one_mail().txt(f"{kind}.foo.example")) == list(ANSWERS[kind])


def test_what_does_not_fit_into_a_datagram_is_asked_for_by_tcp(server: tuple[int, Zone]) -> None:
    port, zone = server
    assert resolver(port).for_one_mail().txt("long.foo.example") == (b"x" * 5000,)
    assert [protocol for protocol, _ in zone.asked] == ["udp", "tcp"]


@pytest.mark.fault("dns-down")
@pytest.mark.parametrize("kind", ["servfail", "refused"])
def test_a_server_that_fails_is_an_outage_not_an_absence_and_is_asked_again(server: tuple[int, Zone], kind: str) -> None:
    port, zone = server
    system = resolver(port, seconds=0.5)
    for _ in range(2):
        with pytest.raises(DnsUnavailable):
            system.for_one_mail().txt(f"{kind}.foo.example")
    assert len(zone.asked) >= 2


@pytest.mark.fault("dns-down")
def test_a_server_that_is_not_there_is_an_outage() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(DnsUnavailable):
            resolver(port, seconds=0.3).for_one_mail().txt("key.foo.example")


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


LIFETIMES = {"key": 60, "lasting": 3600, "nxdomain": 300, "empty": 300}


@pytest.mark.parametrize("kind", LIFETIMES)
def test_an_answer_is_asked_for_again_when_its_time_is_over(server: tuple[int, Zone], kind: str) -> None:
    port, zone = server
    clock = [1000.0]
    system = resolver(port, cache=Cache(monotonic=lambda: clock[0]))
    counts = []
    for moment in (0, LIFETIMES[kind] - 1, LIFETIMES[kind] + 1):
        clock[0] = 1000.0 + moment
        system.for_one_mail().txt(f"{kind}.foo.example")
        counts.append(len(zone.asked))
    assert counts == [1, 1, 2]


def test_the_cache_forgets_the_oldest_when_it_is_full() -> None:
    cache = Cache()
    for number in range(CACHED_NAMES + 1):
        cache.put(f"n{number}.example", (b"x",), 60)
    assert (cache.get("n0.example"), cache.get("n1.example"), len(cache.held)) == (None, (b"x",), CACHED_NAMES)


@pytest.mark.fault("dns-down")
def test_one_mail_waits_no_longer_in_all_than_it_may() -> None:
    clock = [0.0]
    asked: list[float] = []

    class Slow(SystemResolver):
        def _ask(self, name: str, seconds: float) -> tuple[tuple[bytes, ...], float]:
            asked.append(seconds)
            clock[0] += min(seconds, 4.0)
            raise DnsUnavailable(name)

    one_mail = Slow(["127.0.0.1"], 10.0, Cache(monotonic=lambda: clock[0])).for_one_mail()
    for number in range(5):
        with pytest.raises(DnsUnavailable):
            one_mail.txt(f"n{number}.example")
    assert (asked, clock[0]) == ([10.0, 6.0, 2.0], 10.0)


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


SHAPES: dict[str, object] = {
    "no object": ["a.example"],
    "a name without types": {"a.example": "v=DKIM1"},
    "a type that is no list": {"a.example": {"TXT": "v=DKIM1"}},
    "a list of numbers": {"a.example": {"TXT": [1]}},
    "null": {"a.example": {"TXT": None}},
}


@pytest.mark.parametrize("table", SHAPES.values(), ids=SHAPES)
def test_a_table_of_another_shape_is_refused(table: object) -> None:
    with pytest.raises(ValueError, match=r"object|list of strings"):
        TableResolver(table)


SUFFIXES = {"mail.foo.example": "foo.example", "foo.example": "foo.example", "a.b.co.uk": "b.co.uk", "co.uk": None, "com": None, "": None,
            "x.bücher.example": "xn--bcher-kva.example", "a b": None}  # fmt: skip


@pytest.mark.parametrize("domain", SUFFIXES)
def test_the_organisational_domain_of_a_name(domain: str) -> None:
    assert PublicSuffixes().organisational(domain) == SUFFIXES[domain]


def test_names_are_looked_up_from_several_threads_at_once(server: tuple[int, Zone]) -> None:
    system, found = resolver(server[0]), list[tuple[bytes, ...]]()
    threads = [threading.Thread(target=lambda n=n: found.append(system.for_one_mail().txt(f"key.t{n}.example"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [KEY] * 8
