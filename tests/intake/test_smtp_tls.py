"""STARTTLS: nothing that was said in the clear counts afterwards, and a failed handshake costs nobody a place."""

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from smtpdoor import ENVELOPE, MAIL, Listening, listening

from mailflow.config.settings import SmtpSettings
from mailflow.intake.listener import tls_context
from mailflow.model.errors import BadConfig


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def door(request: pytest.FixtureRequest, tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[Listening]:
    pem, key = map(str, certificate)
    with listening(tmp_path, uvloop=request.param, tls_certificate=pem, tls_key=key, max_connections_per_client=3) as door:
        yield door


@pytest.fixture
def trusting(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


def test_a_mail_comes_in_over_tls(door: Listening, trusting: ssl.SSLContext) -> None:
    with door.client() as client:
        client.greet()
        assert client.say("STARTTLS") == "220 Ready to start TLS"
        client.start_tls(trusting)
        assert "STARTTLS" not in client.say("EHLO client.example")
        large = MAIL + b"I have lived beside the delta.\r\n" * 20_000
        assert [client.mail(), client.mail(large)] == ["250 2.0.0 Kept"] * 2
        assert client.say("QUIT") == "221 2.0.0 Bye"
    assert door.kept() == [MAIL, large]


@pytest.mark.case(6)
def test_what_is_pipelined_behind_starttls_is_thrown_away(door: Listening, trusting: ssl.SSLContext) -> None:
    with door.client() as client:
        client.greet()
        client.send(b"STARTTLS\r\nEHLO evil.example\r\n" + ENVELOPE + b"DATA\r\nFrom: evil@bad.example\r\n\r\nx\r\n.\r\n")
        assert client.hear() == "220 Ready to start TLS"
        client.start_tls(trusting)
        assert client.say("NOOP") == "250 2.0.0 OK"
        assert client.say("MAIL FROM:<ann@foo.example>") == "503 5.5.1 Say EHLO first"
    assert door.kept() == []


@pytest.mark.case(7)
def test_starttls_twice_is_refused_and_forgets_nothing_it_should_keep(door: Listening, trusting: ssl.SSLContext) -> None:
    with door.client() as client:
        client.greet()
        client.say("MAIL FROM:<ann@foo.example>")
        client.say("STARTTLS")
        client.start_tls(trusting)
        assert client.say("RCPT TO:<endorse@delta.example>") == "503 5.5.1 Say MAIL first"
        assert client.say("MAIL FROM:<ann@foo.example>") == "503 5.5.1 Say EHLO first"
        client.say("EHLO client.example")
        assert client.say("STARTTLS") == "503 5.5.1 Not now"
        assert client.mail() == "250 2.0.0 Kept"


@pytest.mark.case(7)
def test_starttls_inside_data_is_text(door: Listening) -> None:
    with door.client() as client:
        assert client.greet().mail(MAIL + b"STARTTLS\r\n") == "250 2.0.0 Kept"
    assert door.kept() == [MAIL + b"STARTTLS\r\n"]


@pytest.mark.parametrize("instead", [b"EHLO no tls\r\n", b"\x16\x03\x01\xff\xff", b""], ids=["text", "half-a-hello", "nothing"])
def test_a_failed_handshake_gives_its_place_back(door: Listening, instead: bytes) -> None:
    for _ in range(6):
        with door.client() as client:
            client.greet()
            client.say("STARTTLS")
            client.send(instead)
            if instead.startswith(b"EHLO"):
                assert b"250" not in client.sock.recv(1000)
    with door.client() as client:
        assert client.greet().mail() == "250 2.0.0 Kept"


def test_a_certificate_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing", encoding="ascii")
    bad = str(tmp_path / "bad.pem")
    with pytest.raises(BadConfig, match="give PEM files"):
        tls_context(SmtpSettings(tls_certificate=bad, tls_key=bad))
