"""DNS and the public suffix list: the outside world that authentication asks."""

import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from publicsuffixlist import PublicSuffixList

from mailflow.authenticate.headers import a_label
from mailflow.model.errors import BadConfig, DnsUnavailable
from mailflow.model.outside import Resolver

QUERIES_A_MAIL = 10
LONGEST_TTL = 3600.0
NEGATIVE_TTL = 300.0
CACHED_NAMES = 10_000
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass
class Cache:
    """Answers with the time until which they hold; the oldest go first when it is full."""

    monotonic: Callable[[], float] = time.monotonic
    held: "OrderedDict[str, tuple[float, tuple[bytes, ...]]]" = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def get(self, name: str) -> tuple[bytes, ...] | None:
        """The records of a name, ``None`` where nothing (or nothing fresh) is known."""
        with self.lock:
            until, records = self.held.get(name, (0.0, ()))
            return records if until > self.monotonic() else None

    def put(self, name: str, records: tuple[bytes, ...], ttl: float) -> None:
        """Keeps an answer for ``ttl`` seconds, at most an hour."""
        with self.lock:
            self.held[name] = (self.monotonic() + min(ttl, LONGEST_TTL), records)
            self.held.move_to_end(name)
            while len(self.held) > CACHED_NAMES:
                self.held.popitem(last=False)


class SystemResolver:
    """Real DNS. ``for_one_mail`` gives a Resolver with its own budget of time and queries over a shared cache."""

    def __init__(self, servers: Sequence[str] = (), seconds: float = 10.0, cache: Cache | None = None) -> None:
        """``servers`` are ADDRESS or ADDRESS:PORT; none: those of the system. Raises BadConfig."""
        self._seconds = seconds
        self._cache = cache or Cache()
        self._resolver = _configured(servers)

    def for_one_mail(self) -> Resolver:
        """A resolver that spends at most ``seconds`` and ten queries in all."""
        return _OneMail(self._ask, self._cache, self._seconds)

    def _ask(self, name: str, seconds: float) -> tuple[tuple[bytes, ...], float]:
        """Records and TTL. UDP first, TCP where the answer is cut short. Raises DnsUnavailable."""
        try:
            answer = self._resolver.resolve(dns.name.from_text(name), "TXT", lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return (), NEGATIVE_TTL
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnavailable(f"no answer for a TXT query ({type(error).__name__})") from error
        ttl = float(answer.rrset.ttl) if answer.rrset is not None else NEGATIVE_TTL
        return tuple(b"".join(record.strings) for record in answer), ttl


@dataclass
class _OneMail:
    """The budget of one mail."""

    ask: Callable[[str, float], tuple[tuple[bytes, ...], float]]
    cache: Cache
    seconds: float
    queries: int = 0
    spent: float = 0.0

    def txt(self, name: str) -> tuple[bytes, ...]:
        """See model.outside.Resolver."""
        name = name.lower().rstrip(".")
        if not _NAME.fullmatch(name):
            return ()
        known = self.cache.get(name)
        if known is not None:
            return known
        if self.queries >= QUERIES_A_MAIL or self.spent >= self.seconds:
            raise DnsUnavailable("the DNS budget of this mail is spent")
        self.queries += 1
        started = self.cache.monotonic()
        try:
            records, ttl = self.ask(name, self.seconds - self.spent)
        finally:
            self.spent += self.cache.monotonic() - started
        self.cache.put(name, records, ttl)
        return records


def _configured(servers: Sequence[str]) -> dns.resolver.Resolver:
    if not servers:
        try:
            return dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            # No /etc/resolv.conf: each look-up will say "later", which is the truth.
            return dns.resolver.Resolver(configure=False)
    resolver = dns.resolver.Resolver(configure=False)
    try:
        resolver.nameservers = [_server(text) for text in servers]
    except ValueError as error:
        raise BadConfig(f"workers.dns_servers: {error}; write ADDRESS or ADDRESS:PORT") from None
    return resolver


def _server(text: str) -> dns.nameserver.Nameserver:
    address, colon, port = text.rpartition(":")
    if not colon or (":" in address and not address.startswith("[")):
        address, port = text, "53"
    return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(address.strip("[]"))), int(port))


class TableResolver:
    """A table instead of DNS: name -> {type: [strings]}, or "SERVFAIL" or "TIMEOUT" as a type's value."""

    def __init__(self, table: object) -> None:
        """Names are lower case without a trailing dot; a name that is absent does not exist. Raises ValueError for another shape."""
        if not isinstance(table, Mapping):
            raise ValueError("not an object")  # noqa: TRY004 - a file's fault, as bad JSON is
        self._txt = {str(name).lower().rstrip("."): _strings(records) for name, records in table.items()}

    def txt(self, name: str) -> tuple[bytes, ...]:
        """See model.outside.Resolver."""
        found = self._txt.get(name.lower().rstrip("."), ())
        if isinstance(found, str):
            raise DnsUnavailable(f"the table says {found}")
        return found


def _strings(records: object) -> tuple[bytes, ...] | str:
    """The TXT records that a table has for one name, or the trouble that it tells of."""
    if not isinstance(records, Mapping):
        raise ValueError("a name's value is no object of types")  # noqa: TRY004 - as above
    value: object = next((value for kind, value in records.items() if str(kind).upper() == "TXT"), [])
    if value in ("SERVFAIL", "TIMEOUT"):
        return str(value)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError('a type\'s value is a list of strings, "SERVFAIL" or "TIMEOUT"')
    return tuple(text.encode() for text in value)


class PublicSuffixes:
    """The public suffix list, as packaged: no network."""

    def __init__(self) -> None:
        self._list = PublicSuffixList()
        self._known: dict[str, str | None] = {}

    def organisational(self, domain: str) -> str | None:
        """See model.outside.Suffixes. Unknown top-level domains count as public suffixes of one label (the list's rule ``*``)."""
        label = a_label(domain)
        if label not in self._known:
            if len(self._known) > CACHED_NAMES:
                self._known.clear()
            self._known[label] = self._list.privatesuffix(label) if label else None
        return self._known[label]
