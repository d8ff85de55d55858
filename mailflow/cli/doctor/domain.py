"""DNS of a campaign's domain: does mail arrive, and are our answers believed."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator

import dns.exception
import dns.nameserver
import dns.rdata
import dns.resolver

from mailflow.cli.doctor.finding import Finding, ok, warning
from mailflow.model.errors import BadConfig, DnsUnavailable
from mailflow.resolver import PublicSuffixes

Lookup = Callable[[str, str], tuple[str, ...] | None]
"""(name, type) -> records as text; ``None`` where the name does not exist. Raises DnsUnavailable."""

_RESERVED = ("example", "test", "invalid", "localhost")
_SECONDS = 3.0


def domain_findings(addresses: Iterable[str], lookup: Lookup) -> Iterator[Finding]:
    """MX, SPF, DKIM and DMARC of each domain; warnings at most, because DNS may be somebody else's."""
    for domain in sorted({address.rpartition("@")[2].lower() for address in addresses}):
        about = f"DNS {domain}"
        if domain.rpartition(".")[2] in _RESERVED or domain in ("example.com", "example.net", "example.org"):
            yield warning(about, "is reserved for examples: no mail ever arrives there", "put your own address into the campaign")
            continue
        try:
            yield from _of_domain(about, domain, lookup)
        except DnsUnavailable as trouble:
            yield warning(about, f"could not be looked up: {trouble}", "try again later; see workers.dns_servers, or say --offline")


def system_lookup(servers: list[str]) -> Lookup:
    """Asks the resolvers of the settings (ADDRESS or ADDRESS:PORT), else those of the system, 3 seconds a question. Raises BadConfig."""
    resolver = _configured(servers)
    resolver.lifetime = resolver.timeout = _SECONDS

    def lookup(name: str, kind: str) -> tuple[str, ...] | None:
        try:
            answer = resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return None
        except (dns.exception.DNSException, OSError) as trouble:
            raise DnsUnavailable(type(trouble).__name__) from trouble
        return tuple(_text(record) for record in answer.rrset or ())

    return lookup


def _configured(servers: list[str]) -> dns.resolver.Resolver:
    if not servers:
        try:
            return dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            return dns.resolver.Resolver(configure=False)
    resolver = dns.resolver.Resolver(configure=False)
    try:
        resolver.nameservers = [_server(server) for server in servers]
    except ValueError:
        raise BadConfig(f"workers.dns_servers: {', '.join(servers)}: not all are addresses; write ADDRESS or ADDRESS:PORT") from None
    return resolver


def _server(text: str) -> dns.nameserver.Nameserver:
    """ADDRESS or ADDRESS:PORT, IPv6 with a port in brackets. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, "53"
    return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(host.strip("[]"))), int(port))


def _text(record: dns.rdata.Rdata) -> str:
    strings = getattr(record, "strings", None)
    return b"".join(strings).decode("ascii", "replace") if strings else record.to_text()


def _of_domain(about: str, domain: str, lookup: Lookup) -> Iterator[Finding]:
    yield _mx(about, domain, lookup)
    yield _spf(about, lookup(domain, "TXT") or ())
    yield _dkim(about, domain, lookup)
    yield _dmarc(about, domain, lookup)


def _mx(about: str, domain: str, lookup: Lookup) -> Finding:
    records = lookup(domain, "MX")
    if records is None:
        return warning(about, "does not exist", "register the domain, or correct the campaign's address")
    hosts = [record.split()[-1].rstrip(".") for record in records]
    if hosts == [""]:
        return warning(about, "says that it takes no mail (null MX, RFC 7505)", f"set an MX record for {domain}")
    if hosts:
        return ok(about, f"MX: {', '.join(sorted(hosts))}")
    return warning(about, "has no MX record: mail may not arrive", f"set an MX record for {domain} with the host that takes its mail")


def _spf(about: str, records: Iterable[str]) -> Finding:
    policies = [record for record in records if record.lower().split(" ")[0] == "v=spf1"]
    if not policies:
        return warning(
            about, "has no SPF record: our answers may be taken for spam", 'set a TXT record "v=spf1 include:YOUR-SMARTHOST -all"'
        )
    if len(policies) > 1:
        return warning(about, "has several SPF records, which is as bad as none (RFC 7208 4.5)", "make one of them")
    if "+all" in policies[0].lower().split() or "all" in policies[0].lower().split():
        return warning(about, "has an SPF record that lets everybody send (+all)", "end it with -all")
    return ok(about, f"SPF: {policies[0][:100]}")


def _dkim(about: str, domain: str, lookup: Lookup) -> Finding:
    """The selector is the smarthost's affair; but where ``_domainkey`` does not exist, nothing below it does (RFC 8020)."""
    if lookup(f"_domainkey.{domain}", "TXT") is None:
        return warning(
            about, "has no DKIM key: our answers may be taken for spam", "let the smarthost sign with d= this domain, publish its key"
        )
    return ok(about, "DKIM: there are keys below _domainkey")


def _dmarc(about: str, domain: str, lookup: Lookup) -> Finding:
    """The record of the domain, else that of its organisational domain (RFC 7489 6.6.3)."""
    for name in dict.fromkeys((domain, PublicSuffixes().organisational(domain) or domain)):
        policies = [record for record in lookup(f"_dmarc.{name}", "TXT") or () if record.replace(" ", "").startswith("v=DMARC1")]
        if len(policies) == 1:
            return ok(about, f"DMARC: {policies[0][:100]}")
        if policies:
            return warning(about, f"_dmarc.{name} has several DMARC records, which is as bad as none", "make one of them")
    return warning(about, "has no DMARC record", f'set a TXT record at _dmarc.{domain}: "v=DMARC1; p=none", later p=reject')
