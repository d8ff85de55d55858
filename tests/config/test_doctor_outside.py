"""What `mailflow check` finds out about the smarthost, DNS, certificates and patch levels."""

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dnslib import QTYPE, RR, DNSRecord
from dnslib.server import BaseResolver, DNSServer
from pydantic import SecretStr

from mailflow.cli.doctor.domain import Lookup, domain_findings, system_lookup
from mailflow.cli.doctor.finding import Finding
from mailflow.cli.doctor.machine import listener_findings
from mailflow.cli.doctor.relay import smarthost_findings
from mailflow.config.settings import Settings, SmarthostSettings, SmtpSettings
from mailflow.model.errors import BadConfig, DnsUnavailable

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


def certificate(folder: Path, days: int = 90) -> tuple[Path, Path]:
    """A self-signed certificate for relay.test and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - datetime.timedelta(days=400)).not_valid_after(NOW + datetime.timedelta(days=days))
    signed = builder.sign(key, hashes.SHA256())
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    paths[1].chmod(0o600)
    return paths


# The smarthost: a real SMTP server on loopback.


@contextmanager
def relay(**options: Any) -> Iterator[int]:
    """A real SMTP server on a free port, in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    factory = partial(SMTP, object(), loop=loop, **options)
    server = asyncio.run_coroutine_threadsafe(loop.create_server(factory, "127.0.0.1", 0), loop).result(5)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    sessions = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)


@contextmanager
def bare_server(speak: Callable[[socket.socket], object]) -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with closing(connection):
                speak(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def look(port: int, **settings: object) -> Finding:
    given = {"host": "127.0.0.1", "port": port, "security": "none", **settings}
    [finding] = smarthost_findings(SmarthostSettings.model_validate(given), "localhost")
    return finding


def login(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
    return AuthResult(success=getattr(data, "password", b"") == b"right", handled=False)


LOGIN = {"auth_require_tls": False, "authenticator": login}


def test_a_relay_that_answers_is_well() -> None:
    with relay() as port:
        finding = look(port)
    assert (finding.level, finding.about) == ("ok", "smarthost")


def test_a_login_is_tried() -> None:
    with relay(**LOGIN) as port:
        assert look(port, user="letter", password=SecretStr("right")).level == "ok"
        finding = look(port, user="letter", password=SecretStr("wrong-canary"))
    assert "does not accept the login (535)" in finding.text
    assert "canary" not in finding.text + finding.mend


def test_a_relay_without_auth_is_told_from_a_wrong_password() -> None:
    with relay() as port:
        assert "offers no AUTH" in look(port, user="letter", password=SecretStr("right")).text


def test_a_relay_without_starttls_is_named() -> None:
    with relay() as port:
        finding = look(port, security="starttls")
    assert "offers no STARTTLS" in finding.text
    assert 'security = "none"' in finding.mend


def test_tls_on_a_port_without_it_is_named() -> None:
    with relay() as port:
        assert "does not speak TLS here" in look(port, security="tls").text


def test_a_certificate_that_nobody_vouches_for_is_named(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(tmp_path))
    with relay(tls_context=context) as port:
        finding = look(port, security="starttls")
    assert "certificate that is not good" in finding.text


def test_a_port_where_nobody_listens_is_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    assert "nobody listens there" in look(port).text


def test_a_relay_that_says_nothing_is_not_waited_for() -> None:
    done = threading.Event()
    with bare_server(lambda _connection: done.wait(5)) as port:
        finding = look(port, timeout_seconds=0.2)
        done.set()
    assert "does not answer" in finding.text


@pytest.mark.parametrize(("greeting", "said"), [(b"", "hangs up"), (b"554 go away\r\n", "refuses us (554)")], ids=["hangs-up", "refuses"])
def test_a_relay_that_does_not_want_us_is_named(greeting: bytes, said: str) -> None:
    with bare_server(lambda connection: connection.sendall(greeting)) as port:
        assert said in look(port).text


def test_a_relay_whose_name_does_not_exist_is_named() -> None:
    assert "not to be found in DNS" in look(25, host="no-such-host.invalid", security="starttls").text


# DNS: the records as text, and once over a real socket.

GOOD: dict[tuple[str, str], tuple[str, ...]] = {
    ("heath.org", "MX"): ("10 mx.heath.org.",),
    ("heath.org", "TXT"): ("some=verification", "v=spf1 mx -all"),
    ("_domainkey.heath.org", "TXT"): (),
    ("_dmarc.heath.org", "TXT"): ("v=DMARC1; p=reject",),
}


def table(changes: dict[tuple[str, str], tuple[str, ...] | None]) -> Lookup:
    records = {**GOOD, **changes}
    return lambda name, kind: records.get((name, kind))


def about(address: str, changes: dict[tuple[str, str], tuple[str, ...] | None]) -> list[Finding]:
    return list(domain_findings([address], table(changes)))


def test_a_domain_in_order_is_well() -> None:
    findings = about("endorse@heath.org", {})
    assert [finding.level for finding in findings] == ["ok"] * 4
    assert "mx.heath.org" in findings[0].text


@pytest.mark.parametrize(
    ("name", "kind", "records", "said"),
    [
        pytest.param("heath.org", "MX", (), "no MX record", id="no-mx"),
        pytest.param("heath.org", "MX", None, "does not exist", id="no-domain"),
        pytest.param("heath.org", "MX", ("0 .",), "null MX", id="null-mx"),
        pytest.param("heath.org", "TXT", ("v=spf10 -all",), "no SPF record", id="no-spf"),
        pytest.param("heath.org", "TXT", ("v=spf1 -all", "V=SPF1 mx -all"), "several SPF records", id="two-spf"),
        pytest.param("heath.org", "TXT", ("v=spf1 +all",), "lets everybody send", id="open-spf"),
        pytest.param("_domainkey.heath.org", "TXT", None, "no DKIM key", id="no-dkim"),
        pytest.param("_dmarc.heath.org", "TXT", None, "no DMARC record", id="no-dmarc"),
        pytest.param("_dmarc.heath.org", "TXT", ("v=DMARC1; p=none", "v=DMARC1; p=reject"), "several DMARC", id="two-dmarc"),
    ],
)
def test_a_fault_of_a_domain_is_one_warning(name: str, kind: str, records: tuple[str, ...] | None, said: str) -> None:
    [finding] = [finding for finding in about("endorse@heath.org", {(name, kind): records}) if finding.level != "ok"]
    assert finding.level == "warning"
    assert said in finding.text
    assert finding.mend


def test_a_subdomain_is_covered_by_its_organisations_dmarc() -> None:
    changes = {("sign.heath.org", kind): records for (name, kind), records in GOOD.items() if name == "heath.org"}
    findings = about("us@sign.heath.org", {**changes, ("_domainkey.sign.heath.org", "TXT"): ()})
    assert [finding.level for finding in findings] == ["ok"] * 4


def test_a_domain_is_looked_up_once() -> None:
    assert len(list(domain_findings(["a@heath.org", "b@HEATH.org"], table({})))) == 4


def test_example_domains_are_not_looked_up() -> None:
    def never(name: str, kind: str) -> None:
        raise AssertionError(name)

    assert [finding.level for finding in domain_findings(["a@heath.example", "b@example.com"], never)] == ["warning", "warning"]


def test_dns_that_is_down_is_one_warning() -> None:
    def down(name: str, kind: str) -> None:
        raise DnsUnavailable("Timeout")

    [finding] = domain_findings(["endorse@heath.org"], down)
    assert finding.level == "warning"
    assert "--offline" in finding.mend


class _Zone(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    def resolve(self, request: DNSRecord, _handler: object) -> DNSRecord:
        reply = request.reply()
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        if name == "broken.org":
            reply.header.rcode = 2
        elif name not in {known for known, _ in GOOD}:
            reply.header.rcode = 3
        for text in GOOD.get((name, kind), ()):
            value = f'"{text}"' if kind == "TXT" else text
            reply.add_answer(*RR.fromZone(f"{name}. 60 IN {kind} {value}"))
        return reply


def test_real_dns_gives_the_same_answers() -> None:
    server = DNSServer(_Zone(), address="127.0.0.1", port=0)
    server.start_thread()
    try:
        lookup = system_lookup([f"127.0.0.1:{server.server.server_address[1]}"])
        assert list(domain_findings(["endorse@heath.org"], lookup)) == about("endorse@heath.org", {})
        assert lookup("nowhere.org", "MX") is None
        with pytest.raises(DnsUnavailable):
            lookup("broken.org", "MX")
    finally:
        server.stop()
        server.server.server_close()


@pytest.mark.parametrize("server", ["dns.heath.example", "127.0.0.1:dns", "[::1"])
def test_a_resolver_that_is_no_address_is_a_config_error(server: str) -> None:
    with pytest.raises(BadConfig, match="ADDRESS or ADDRESS:PORT"):
        system_lookup([server])


# Certificates, the clock, the user.


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (13, "warning"), (-1, "error")], ids=["good", "runs-out", "ran-out"])
def test_the_listeners_certificate_is_read(tmp_path: Path, days: int, level: str) -> None:
    certificate(tmp_path, days)
    smtp = SmtpSettings(tls_certificate="cert.pem", tls_key="key.pem")
    assert [f.level for f in listener_findings(Settings(smtp=smtp), tmp_path, NOW) if f.about == "certificate"] == [level]


def test_a_certificate_without_its_key_is_an_error(tmp_path: Path) -> None:
    certificate(tmp_path)
    (tmp_path / "key.pem").write_text("nonsense")
    smtp = SmtpSettings(tls_certificate="cert.pem", tls_key="key.pem")
    assert [f.level for f in listener_findings(Settings(smtp=smtp), tmp_path, NOW) if f.about == "certificate"] == ["error"]


@pytest.mark.case(149)
def test_a_private_key_that_everybody_can_read_is_an_error(tmp_path: Path) -> None:
    _, key = certificate(tmp_path)
    key.chmod(0o644)
    smtp = SmtpSettings(tls_certificate="cert.pem", tls_key="key.pem")
    [found] = [f for f in listener_findings(Settings(smtp=smtp), tmp_path, NOW) if f.level == "error"]
    assert found.mend == f"chmod 600 {key}"
