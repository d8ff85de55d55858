"""A real Postfix in front, set up as docs/lmtp.md says: what it hands on over LMTP is counted once for each campaign, and nothing is smuggled."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import postfix
import pytest
import sqlalchemy as sa
from conftest import missing
from service import CAMPAIGN, Service, provider_signs, wait_until_idle
from smarthosts import smarthost
from smtpdoor import Dialogue

from mailflow.store.engine import Store
from mailflow.store.schema import entries, mails

pytestmark = pytest.mark.timeout(180)

RECIPIENTS = ("endorse@delta.example", "endorse@moor.example", "endorse+2@delta.example")

_MASTER_CF = """
lmtp unix - - n - - lmtp
discard unix - - n - - discard
showq unix n - n - - showq
"""

_MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}/log
mail_owner = postfix
setgid_group = postdrop
myhostname = front.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtputf8_enable = yes
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = discard
queue_run_delay = 1s
minimal_backoff_time = 1s
transport_retry_time = 1s
relay_domains = delta.example, moor.example
relay_recipient_maps =
relay_transport = lmtp:unix:{lmtp}
lmtp_send_xforward_command = yes
smtpd_forbid_bare_newline = normalize
smtpd_forbid_bare_newline_exclusions =
smtpd_data_restrictions = reject_unauth_pipelining
"""
"""From relay_domains on it is what docs/lmtp.md tells people to write."""


@dataclass
class Front:
    """A Postfix that hands on to mailflow."""

    port: int
    etc: Path
    log: Path

    def empty(self) -> bool:
        """Whether its queue is."""
        done = subprocess.run(["/usr/sbin/postqueue", "-c", str(self.etc), "-p"], capture_output=True, text=True, timeout=30, check=False)
        return "Mail queue is empty" in done.stdout

    def drained(self) -> None:
        until = time.monotonic() + 60
        while not self.empty():
            assert time.monotonic() < until, self.log.read_text(encoding="utf-8")[-3000:]
            time.sleep(0.1)


@contextmanager
def front(root: Path, lmtp: Path) -> Iterator[Front]:
    """The Postfix, with everything it has under ``root``; ended by its own pid."""
    port = postfix._free_port()
    daemons = postfix._ask("daemon_directory")
    for name in ("etc", "queue", "data", "log"):
        (root / name).mkdir()
    shutil.chown(root / "data", "postfix", "postfix")
    etc = root / "etc"
    (etc / "main.cf").write_text(_MAIN_CF.format(root=root, daemons=daemons, lmtp=lmtp), encoding="ascii")
    (etc / "master.cf").write_text(postfix._MASTER_CF.format(port=port) + _MASTER_CF, encoding="ascii")
    subprocess.run(["/usr/sbin/postfix", "-c", str(etc), "check"], check=True, capture_output=True, timeout=60)
    master = subprocess.Popen([f"{daemons}/master", "-c", str(etc), "-d"], stdin=subprocess.DEVNULL)
    try:
        postfix._wait_for(port, master)
        yield Front(port, etc, root / "log" / "mail.log")
    finally:
        master.terminate()
        master.wait(30)


@dataclass
class Chain:
    """Postfix, mailflow, and the store behind."""

    front: Front
    store: Store

    def rows(self) -> list[sa.RowMapping]:
        with self.store.read() as tx:
            return list(tx.execute(sa.select(mails).order_by(mails.c.id)).mappings())

    def endorsed(self) -> list[tuple[str, str, str]]:
        """Campaign, author and state of every entry."""
        with self.store.read() as tx:
            query = sa.select(entries.c.campaign, entries.c.identity, entries.c.state).order_by(entries.c.campaign)
            return [tuple(row) for row in tx.execute(query)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with a short name, into which Postfix may walk."""
    root = Path(tempfile.mkdtemp(prefix="front-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def started(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, Service]]:
    if not postfix.available():
        missing("Postfix", "apt-get install postfix, and run the tests as root")
    service = Service(tmp_path_factory.mktemp("service"), "sqlite:///var/mailflow.db", 1)
    (service.config / "campaigns" / "moor.toml").write_text(CAMPAIGN.replace("delta", "moor").replace("Delta", "Moor"))
    with smarthost() as host:
        service.smarthost_port = host.port
        service.configure(f'\n[lmtp]\nlisten = "unix:{folder}/lmtp"\nmode = "666"\n')
        with service.running() as running, front(folder, folder / "lmtp") as relay:
            running.port()
            yield relay, service


@pytest.fixture
def chain(started: tuple[Front, Service]) -> Chain:
    return Chain(started[0], started[1].program.store)


def signed(author: str, words: str) -> bytes:
    """An endorsement of both statements."""
    raw = (
        f"From: Ann Miller <{author}>\r\nTo: endorse@delta.example, endorse@moor.example\r\nSubject: Endorsement\r\n"
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\nMessage-ID: <{time.time_ns()}@host1.example>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nI endorse the letter. {words}\r\n\r\nAnn Miller\r\n"
    )
    return provider_signs(raw.encode(), "host1.example")


def submit(port: int, raw: bytes, sender: str = "ann@host1.example", options: str = "") -> None:
    """One mail to all three recipients, handed to Postfix."""
    with Dialogue(port) as client:
        client.greet()
        assert client.say(f"MAIL FROM:<{sender}>{options}")[:3] == "250"
        assert [client.say(f"RCPT TO:<{recipient}>")[:3] for recipient in RECIPIENTS] == ["250"] * 3
        assert client.say("DATA")[:3] == "354"
        client.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert client.hear()[:3] == "250"
        client.say("QUIT")


@pytest.mark.case(17)
def test_a_mail_to_three_recipients_of_two_campaigns_is_one_endorsement_of_each(chain: Chain) -> None:
    before = len(chain.rows())
    submit(chain.front.port, signed("ann@host1.example", "It is right."))
    chain.front.drained()
    wait_until_idle(chain.store)
    new = chain.rows()[before:]
    assert sorted((row["campaign"], sorted(row["recipients"])) for row in new) == [
        ("delta", ["endorse+2@delta.example", "endorse@delta.example"]), ("moor", ["endorse@moor.example"]),
    ]  # fmt: skip
    assert {(row["door"], row["sender"], row["client"], row["helo"]) for row in new} == {
        ("lmtp", "ann@host1.example", "127.0.0.1", "client.example")
    }
    mine = [found for found in chain.endorsed() if found[1] == "ann@host1.example"]
    assert mine == [("delta", "ann@host1.example", "live"), ("moor", "ann@host1.example", "live")]


def test_an_author_beyond_ascii_is_counted_through_smtputf8(chain: Chain) -> None:
    submit(chain.front.port, signed("jürg@host1.example", "It is high time."), "jürg@host1.example", " BODY=8BITMIME SMTPUTF8")
    chain.front.drained()
    wait_until_idle(chain.store)
    assert {row["sender"] for row in chain.rows()} >= {"jürg@host1.example"}
    mine = [found for found in chain.endorsed() if found[1] == "jürg@host1.example"]
    assert mine == [("delta", "jürg@host1.example", "live"), ("moor", "jürg@host1.example", "live")]


SECOND = b"MAIL FROM:<evil@bad.example>\r\nRCPT TO:<endorse@moor.example>\r\nDATA\r\nFrom: victim@bank.example\r\n\r\nsmuggled\r\n.\r\n"


@pytest.mark.case(1)
@pytest.mark.parametrize(
    "end",
    [
        b"\n.\r\n", b"\r\n.\n", b"\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\n\n.\r\n",
        b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\r.\r\n", b"\n\r.\n\r", b"\r\n.\r\r\n",
    ],
    ids=[
        "LF.CRLF", "CRLF.LF", "LF.LF", "CR.CRLF", "CR.CR", "CRLF.CR", "CRCRLF.CRCRLF", "LFLF.CRLF",
        "CRLF-NUL.CRLF", "CRLF.NUL-CRLF", "CRCR.CRLF", "LFCR.LFCR", "CRLF.CRCRLF",
    ],
)  # fmt: skip
def test_an_end_that_is_none_smuggles_nothing_through_postfix(chain: Chain, end: bytes) -> None:
    before = len(chain.rows())
    with Dialogue(chain.front.port) as client:
        client.greet().begin().send(b"From: ann@foo.example\r\nTo: endorse@delta.example\r\n\r\nhello" + end + SECOND + b"QUIT\r\n")
        answers = client.hear_all()
    chain.front.drained()
    new = chain.rows()[before:]
    assert len([answer for answer in answers if answer.startswith("250")]) <= 1 >= len(new)
    assert {row["sender"] for row in new} <= {"ann@foo.example"} and {row["campaign"] for row in new} <= {"delta"}


def test_a_listener_that_is_away_costs_no_mail(folder: Path, tmp_path: Path) -> None:
    """Postfix keeps what it cannot hand on, and hands it on when there is somebody again."""
    if not postfix.available():
        missing("Postfix", "apt-get install postfix, and run the tests as root")
    own = folder / "away"
    own.mkdir()
    service = Service(tmp_path, "sqlite:///var/mailflow.db", 1, f'\n[lmtp]\nlisten = "unix:{own}/lmtp"\nmode = "666"\n')
    (service.config / "campaigns" / "moor.toml").write_text(CAMPAIGN.replace("delta", "moor").replace("Delta", "Moor"))
    with front(own, own / "lmtp") as relay:
        submit(relay.port, signed("ann@host1.example", "It is right."))
        _until(lambda: "deferred" in relay.log.read_text(encoding="utf-8"))
        assert not relay.empty()
        with service.running("--only", "intake") as running:
            running.port()
            relay.drained()
        with socket.socket(socket.AF_UNIX) as sock:
            assert sock.connect_ex(str(own / "lmtp")) != 0
    store = service.program.store
    assert len(Chain(relay, store).rows()) == 2


def _until(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.1)
