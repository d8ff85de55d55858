"""`mailflow check` opens each mailbox, and says what to do where it cannot."""

import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from dovecots import PASSWORD, USER, Dovecot, dovecot

from mailflow.cli.doctor.finding import Finding
from mailflow.cli.doctor.mailboxes import mailbox_findings
from mailflow.config.imap import ImapSettings
from mailflow.intake.imap.session import connect
from mailflow.intake.imap.trouble import LoginRefused


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot(tls=True) as running:
        yield running


def found(server: Dovecot, **changes: object) -> Finding:
    """The one finding about an account at the server."""
    values = {"name": "office", "host": "127.0.0.1", "port": server.port, "security": "none", "user": USER, "password": PASSWORD}
    account = ImapSettings.model_validate(values | changes)
    (finding,) = mailbox_findings(
        [account], lambda one: connect(one, lambda _again: one.password.get_secret_value() if one.password else "")
    )
    return finding


def test_a_mailbox_that_is_well_is_told_with_its_folder(server: Dovecot) -> None:
    finding = found(server)
    assert (finding.level, "folder 'INBOX' can be read" in finding.text) == ("ok", True)


@pytest.mark.parametrize(
    ("changes", "text", "mend"),
    [
        ({"password": "wrong"}, "login as 'u' is refused", "app password"),
        ({"folders": ["Nowhere"]}, "folder 'Nowhere': the server says no", "settings"),
        ({"port": 1}, "the connection is refused", "settings"),
        ({"security": "tls"}, "no TLS here", 'security = "starttls"'),
        ({"security": "starttls"}, "the certificate is not good", "pin_sha256"),
    ],
    ids=["wrong password", "no such folder", "nobody listens", "no TLS on this port", "certificate of nobody"],
)
def test_what_is_wrong_with_a_mailbox_comes_with_its_mend(server: Dovecot, changes: dict[str, object], text: str, mend: str) -> None:
    finding = found(server, **changes)
    assert finding.level == "error"
    assert text in finding.text
    assert mend in f"{finding.text} {finding.mend}"
    assert PASSWORD not in f"{finding.text} {finding.mend}"


@pytest.mark.parametrize("port", ["tls", "starttls"])
def test_a_pinned_certificate_is_trusted_and_no_other(server: Dovecot, port: str) -> None:
    pin = _fingerprint(server.certificate)
    where = {"port": server.tls_port if port == "tls" else server.port, "security": port}
    assert found(server, **where, pin_sha256=pin).level == "ok"
    other = found(server, **where, pin_sha256="0" * 64)
    assert (other.level, "not the pinned one" in other.text) == ("error", True)


def test_what_to_click_is_told_for_the_big_hosts() -> None:
    account = ImapSettings.model_validate({"name": "g", "host": "imap.gmail.com", "user": "u", "password": "p"})

    def refused(_: ImapSettings) -> object:
        raise LoginRefused("login as 'u' is refused; see the account's password or consent")

    (finding,) = mailbox_findings([account], refused)  # type: ignore[arg-type]  # it never gives a session
    assert "App passwords" in finding.mend


def _fingerprint(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
