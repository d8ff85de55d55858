"""A real Dovecot on loopback: one user, Maildir, its own configuration; stopped by its own pid."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

USER = "u"
PASSWORD = "open-sesame-9"
PROGRAM = "/usr/sbin/dovecot"

_CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
auth_mechanisms = plain {mechanisms}
default_internal_user = root
default_internal_group = root
default_login_user = nobody
mail_location = maildir:{root}/mail/%u
first_valid_uid = 1
{capability}
{passdb}
userdb {{
  driver = static
  args = uid={user} gid={group} home={root}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
"""
_PASSWORDS = """
passdb {{
  driver = static
  args = password={password}
}}
"""
_TOKENS = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/oauth.conf.ext
}}
"""
_INTROSPECTION = """
introspection_mode = post
introspection_url = http://127.0.0.1:{port}/introspect
username_attribute = username
active_attribute = active
active_value = true
"""


def needs_dovecot() -> None:
    """Skips the test with a loud line, or fails it where servers are required."""
    if Path(PROGRAM).exists() and os.geteuid() == 0:
        return
    text = "no Dovecot that we may start: apt-get install dovecot-imapd, and run as root"
    if os.environ.get("MAILFLOW_REQUIRE_SERVERS") == "1":
        pytest.fail(text)
    pytest.skip(text)


@dataclass(frozen=True)
class Dovecot:
    """A running server. ``box`` is the user's Maildir; ``tls_port`` is 0 without TLS."""

    port: int
    tls_port: int
    root: Path
    certificate: Path

    @property
    def box(self) -> Path:
        return self.root / "mail" / USER

    def client(self) -> IMAPClient:
        """A client that is logged in."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.login(USER, PASSWORD)
        return client

    def append(self, raw: bytes, folder: str = "INBOX", flags: Iterable[bytes] = (), at: Any = None) -> None:
        """Puts one mail into a folder, as another program does; the folder is made."""
        with self.client() as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.append(folder, raw, list(flags), at)

    def append_many(self, raws: Iterable[bytes]) -> None:
        """Delivers many mails into INBOX at once."""
        with self.client() as client:
            client.select_folder("INBOX")
        new = self.box / "new"
        for number, raw in enumerate(raws):
            path = new / f"{time.time_ns()}.{number}.host"
            path.write_bytes(raw)
            shutil.chown(path, "mail", "mail")

    def folder(self, name: str = "INBOX") -> dict[int, tuple[tuple[bytes, ...], bytes]]:
        """UID -> flags and bytes of every mail in a folder."""
        with self.client() as client:
            client.select_folder(name, readonly=True)
            uids = client.search("ALL")
            found = client.fetch(uids, ["FLAGS", "BODY.PEEK[]"]) if uids else {}
            return {uid: (one[b"FLAGS"], one[b"BODY[]"]) for uid, one in found.items()}

    def renumber(self) -> None:
        """INBOX gets another UIDVALIDITY and new UIDs, with the same mails in it: its index is thrown away."""
        for file in (*self.box.glob("dovecot*"),):
            file.unlink()
        (self.box / "dovecot-uidlist").write_text(f"3 V{int(time.time()) + 1000} N1 G0123456789abcdef0123456789abcdef\n")
        shutil.chown(self.box / "dovecot-uidlist", "mail", "mail")

    def recreate(self, folder: str) -> None:
        """A folder is deleted and made again, empty."""
        with self.client() as client:
            client.delete_folder(folder)
            client.create_folder(folder)


def account(server: Dovecot, more: str = 'campaign = "delta"\n') -> str:
    """An [[imap]] table for a server."""
    return (
        f'\n[[imap]]\nname = "office"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nuser = "{USER}"\n'
        f'password = "{PASSWORD}"\npoll_seconds = 2\n{more}'
    )


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def dovecot(*, tls: bool = False, without: tuple[str, ...] = (), introspection: int = 0) -> Iterator[Dovecot]:
    """Runs a server while the block runs; ``without`` names capabilities it must not offer, ``introspection`` the port that knows tokens."""
    needs_dovecot()
    # Not one of pytest's folders: those are too private for Dovecot's users, and too long for the names of sockets.
    root = Path(tempfile.mkdtemp(prefix="dovecot-"))
    root.chmod(0o755)
    for name in ("new", "cur", "tmp"):
        (root / "mail" / USER / name).mkdir(parents=True)
    for name in ("run", "state"):
        (root / name).mkdir()
    for path in (root / "mail", *(root / "mail").rglob("*")):
        shutil.chown(path, "mail", "mail")
    certificate = _certificate(root) if tls else root / "none"
    port, tls_port = _free_port(), _free_port() if tls else 0
    (root / "oauth.conf.ext").write_text(_INTROSPECTION.format(port=introspection))
    (root / "dovecot.conf").write_text(
        _CONFIG.format(
            root=root, port=port, tls_port=tls_port, user="mail", group="mail",
            ssl="yes" if tls else "no",
            certificate=f"ssl_cert = <{certificate}\nssl_key = <{certificate.with_suffix('.key')}" if tls else "",
            mechanisms="xoauth2 oauthbearer" if introspection else "",
            capability=_capability(without),
            passdb=(_TOKENS if introspection else "").format(root=root) + _PASSWORDS.format(password=PASSWORD),
        )
    )  # fmt: skip
    process = subprocess.Popen(
        [PROGRAM, "-F", "-c", str(root / "dovecot.conf")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = Dovecot(port, tls_port, root, certificate)
        _wait(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(root)


_ALL = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ UIDPLUS CHILDREN NAMESPACE LIST-EXTENDED CONDSTORE MOVE UNSELECT ESEARCH SORT"


def _capability(without: tuple[str, ...]) -> str:
    if not without:
        return ""
    kept = " ".join(name for name in _ALL.split() if name not in without)
    return f"protocol imap {{\n  imap_capability = {kept}\n}}"


def _certificate(root: Path) -> Path:
    """A self-signed certificate for localhost."""
    path = root / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(path.with_suffix(".key")), "-out", str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def _wait(server: Dovecot, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            assert process.poll() is None, (server.root / "dovecot.log").read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError((server.root / "dovecot.log").read_text())
