"""The same forty mails by SMTP, from an mbox, and from standard input: the same endorsements, and nothing said twice."""

import json
import smtplib
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import invariants
import pytest
from service import Service
from smarthosts import FakeSmarthost, smarthost

from mailflow.packaged import packaged

MAILS = sorted((packaged("config") / "demo" / "mail").glob("*.eml"))
TRUSTED = "mx.tamar-delta.example"


@pytest.fixture
def service(tmp_path: Path, store_url: str) -> Service:
    service = Service(tmp_path, store_url, 1)
    (service.config / "campaigns" / "delta.toml").unlink()
    for file in (packaged("config") / "campaigns").glob("tamar-delta*"):
        (service.config / "campaigns" / file.name).write_bytes(file.read_bytes())
    return service


def mbox(path: Path) -> Path:
    """The forty mails as one mbox, with LF line ends and From_ quoting, as mail programs write it."""
    with path.open("wb") as out:
        for file in MAILS:
            raw = file.read_bytes().replace(b"\r\n", b"\n")
            out.write(b"From sender@host.example Fri Sep  4 08:12:04 2026\n" + raw.replace(b"\nFrom ", b"\n>From ").rstrip(b"\n") + b"\n\n")
    return path


def send_all(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        for file in MAILS:
            raw = file.read_bytes()
            sender = str(message_from_bytes(raw)["Return-Path"]).strip("<>")
            smtp.sendmail(sender, ["endorse@tamar-delta.example"], raw)


def by_smtp(service: Service) -> None:
    with service.running("--only", "intake") as running:
        send_all(running.port())


def by_mbox(service: Service) -> None:
    done = service.command("ingest", "--trust-results", TRUSTED, str(mbox(service.root / "inbox.mbox")))
    assert (done.returncode, done.stdout) == (0, b"kept 40 mails\n"), done.stderr


def by_pipe(service: Service) -> None:
    for file in MAILS:
        done = service.command("ingest", "--trust-results", TRUSTED, "-", stdin=file.read_bytes())
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def work(service: Service) -> None:
    done = service.command("work", "--until-idle", "--send", timeout=120)
    assert done.returncode == 0, done.stderr


def entries(service: Service) -> list[tuple[str, ...]]:
    store = service.program.store
    with store.read() as tx:
        rows = tx.exec_driver_sql("SELECT identity, name, words, country, named, state FROM entries ORDER BY identity")
        found = [tuple(str(value) for value in row) for row in rows]
    store.close()
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("order", [(by_smtp, by_mbox, by_pipe), (by_pipe, by_smtp, by_mbox)], ids=["smtp first", "pipe first"])
def test_forty_mails_three_ways_are_the_same_endorsements_and_answers(service: Service, order: tuple[object, ...]) -> None:
    with smarthost() as host:
        service.smarthost_port = host.port
        service.configure()
        counted: list[list[tuple[str, ...]]] = []
        for way in order:
            way(service)  # type: ignore[operator]
            work(service)
            counted.append(entries(service))
        answers(service, host, counted)


def answers(service: Service, host: FakeSmarthost, counted: list[list[tuple[str, ...]]]) -> None:
    assert counted[1] == counted[2]
    assert counted[0] in ([], counted[2]), "unproven mails by SMTP count nothing; proven ones count at once"
    assert len(counted[2]) > 15
    store = service.program.store
    invariants.hold(store, accepted=[file.read_bytes() for file in MAILS for _ in range(2)], delivered=host.taken)
    store.close()
    acknowledged = [recipient for sender, recipient in host.envelopes if sender == ""]
    assert len(acknowledged) == len(set(acknowledged)) == len([row for row in counted[2] if row[5] == "live"])
    books = json.loads(service.command("status", "--json").stdout)["campaigns"]["tamar-delta"]
    assert (books["received"], books["balanced"], books["in_flight"]) == (120, True, 0)


def test_explain_prints_an_object_for_each_mail_of_a_folder_an_mbox_and_a_file_that_is_no_mail(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(bytes(range(256)))
    paths = [
        str(packaged("config") / "demo" / "mail"),
        str(mbox(tmp_path / "in.mbox")),
        str(tmp_path / "photo.jpg"),
        str(tmp_path / "absent"),
    ]
    command = [sys.executable, "-m", "mailflow", "explain", "--json", "--assume-authenticated", *paths]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["path"] for one in found[:2]] == [f"{paths[0]}/d001.eml", f"{paths[0]}/d002.eml"]
    assert [one["path"] for one in found[40:42]] == [f"{paths[1]}#1", f"{paths[1]}#2"]
    assert [(one["path"], one["class"]) for one in found[80:]] == [(path, "unreadable") for path in paths[2:]]
    same = ("from", "subject", "intent", "signers", "words", "decision")
    assert [[one[key] for key in same] for one in found[:40]] == [[one[key] for key in same] for one in found[40:80]]
