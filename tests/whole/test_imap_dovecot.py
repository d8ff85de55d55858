"""A real Dovecot: everything in it is taken once, whatever the server does with its numbers."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import invariants
import pytest
import sqlalchemy as sa
from dovecots import Dovecot, account, dovecot
from service import Service, endorsement, wait_until_idle
from smarthosts import smarthost

from mailflow.store import books
from mailflow.store.schema import outbox, raws


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with smarthost() as host:
        yield Service(tmp_path / "mailflow", "sqlite:///var/mailflow.db", host.port)


def configured(service: Service, server: Dovecot, more: str = 'campaign = "delta"\n') -> Service:
    service.configure(account(server, more))
    (service.config / "mailflow.toml").chmod(0o600)
    return service


def read(service: Service) -> None:
    found = service.command("imap", "read")
    assert found.returncode == 0, found.stderr.decode()


def settle(service: Service) -> dict[str, int]:
    """Works until idle; the books as they then are."""
    assert service.command("work", "--until-idle", "--send").returncode == 0
    store = service.program.store
    invariants.hold(store)
    with store.read() as tx:
        pages = books.balance(tx)
    return {str(line): count for page in pages for line, count in page.lines.items() if count}


def kept(service: Service) -> int:
    with service.program.store.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(raws)).scalar_one())


def answers(service: Service) -> int:
    with service.program.store.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(outbox).where(outbox.c.kind != "digest")).scalar_one())


def test_mails_are_taken_once_and_counted(service: Service, server: Dovecot) -> None:
    configured(service, server)
    server.append_many(endorsement(n) for n in range(30))
    read(service)
    read(service)
    assert settle(service) == {"counted": 30}
    assert rb"\Seen" not in {flag for flags, _ in server.folder().values() for flag in flags}


def test_a_mail_that_arrives_is_there_within_seconds_by_idle(service: Service, server: Dovecot) -> None:
    service.configure(account(server).replace("poll_seconds = 2", "poll_seconds = 600"))
    (service.config / "mailflow.toml").chmod(0o600)
    store = service.program.store
    with service.running() as running:
        running.port()
        until = time.monotonic() + 20
        while not (service.root / "var" / "mailflow.db").exists() or "office" not in contact(service):
            assert time.monotonic() < until
            time.sleep(0.1)
        time.sleep(1.0)
        server.append(endorsement(1))
        began = time.monotonic()
        while kept(service) == 0:
            assert time.monotonic() - began < 3
            time.sleep(0.05)
        wait_until_idle(store)
    assert settle(service) == {"counted": 1}


def contact(service: Service) -> str:
    """What the store knows of folders that were read to the end."""
    with service.program.store.read() as tx:
        return str(tx.exec_driver_sql("SELECT account FROM mailboxes WHERE read_at IS NOT NULL").all())


@pytest.mark.parametrize("change", ["renumbered", "recreated"])
def test_a_folder_that_was_renumbered_or_made_anew_counts_nobody_again(service: Service, server: Dovecot, change: str) -> None:
    configured(service, server, 'campaign = "delta"\nfolders = ["INBOX", "letters"]\n')
    mails = [endorsement(n) for n in range(20)]
    server.append_many(mails[:10])
    for raw in mails[10:]:
        server.append(raw, "letters")
    read(service)
    assert settle(service) == {"counted": 20}
    sent = answers(service)
    if change == "renumbered":
        server.renumber()
    else:
        server.recreate("letters")
        for raw in mails[10:]:
            server.append(raw, "letters")
    read(service)
    assert settle(service) == {"counted": 20}
    assert (answers(service), kept(service)) == (sent, 20)


@pytest.mark.parametrize(
    ("more", "without", "inbox", "other"),
    [
        ('after = "seen"', (), {(rb"\Seen",)}, 0),
        ('after = "keyword"', (), {(b"$Mailflow",)}, 0),
        ('after = "move"\nmove_to = "Done"', (), set(), 5),
        ('after = "move"\nmove_to = "Done"', ("MOVE",), set(), 5),
        ('after = "move"\nmove_to = "Done"', ("MOVE", "UIDPLUS"), set(), 5),
    ],
    ids=["seen", "keyword", "move", "copy and expunge", "copy and expunge without UIDPLUS"],
)
def test_the_server_is_told_after_the_commit(
    service: Service, more: str, without: tuple[str, ...], inbox: set[tuple[bytes, ...]], other: int
) -> None:
    with dovecot(without=without) as server:
        configured(service, server, f'campaign = "delta"\n{more}\n')
        server.append_many(endorsement(n) for n in range(5))
        read(service)
        assert {tuple(flag for flag in flags if flag != rb"\Recent") for flags, _ in server.folder().values()} == inbox
        if other:
            assert sorted(raw for _, raw in server.folder("Done").values()) == sorted(endorsement_bytes(service))
    assert settle(service) == {"counted": 5}


def endorsement_bytes(service: Service) -> list[bytes]:
    with service.program.store.read() as tx:
        return [bytes(data) for data in tx.execute(sa.select(raws.c.data)).scalars()]


def test_without_uidplus_nobody_elses_deleted_mail_is_expunged(service: Service) -> None:
    with dovecot(without=("MOVE", "UIDPLUS")) as server:
        configured(service, server, 'campaign = "delta"\nafter = "move"\nmove_to = "Done"\nhistory = "none"\n')
        server.append(b"From: a@foo.example\r\n\r\nmine\r\n", flags=[rb"\Deleted"])
        read(service)
        server.append(endorsement(1))
        read(service)
        assert b"mine" in b"".join(raw for _, raw in server.folder().values())
        assert len(server.folder("Done")) == 1


def test_of_a_mixed_mailbox_only_mails_that_name_a_campaign_are_fetched(service: Service, server: Dovecot) -> None:
    configured(service, server, "")
    server.append(endorsement(1))
    server.append(endorsement(2).replace(b"To: endorse@delta.example", b"To: aunt@family.example"))
    server.append(endorsement(3).replace(b"To: endorse@delta.example", b"To: press@org.example\r\nDelivered-To: endorce@delta.example"))
    read(service)
    assert kept(service) == 2
    with service.program.store.read() as tx:
        rows = tx.exec_driver_sql("SELECT outcome, mail_id, sha256 FROM fetched ORDER BY uid").all()
    assert [row[0] for row in rows] == ["kept", "foreign", "kept"]
    assert rows[1][1:] == (None, None)


def test_what_lies_in_junk_is_taken_and_waits_for_a_human(service: Service, server: Dovecot) -> None:
    configured(service, server, 'campaign = "delta"\njunk_folders = ["Junk"]\n')
    server.append(endorsement(1))
    server.append(endorsement(2), "Junk")
    read(service)
    assert settle(service) == {"counted": 1, "held": 1}


def test_mails_older_than_the_statement_are_left_until_they_are_asked_for(service: Service, server: Dovecot) -> None:
    configured(service, server)
    server.append(endorsement(1), at=datetime(2026, 8, 20, tzinfo=UTC))
    server.append(endorsement(2))
    read(service)
    assert kept(service) == 1
    found = service.command("imap", "backfill", "--since", "2026-08-01")
    assert (found.returncode, found.stdout) == (0, b"1 mails kept\n")
    assert kept(service) == 2
    assert service.command("imap", "backfill", "--since", "2026-08-01").stdout == b"0 mails kept\n"


@pytest.mark.parametrize("point", [pytest.param(point, marks=pytest.mark.kill(kill)) for point, kill in (
    ("imap.fetched.before_commit", "K26"), ("imap.commit.before_flag", "K27"), ("imap.moved.before_record", "K28"))])  # fmt: skip
@pytest.mark.parametrize("after", ["seen", "move"])
def test_a_kill_at_any_point_loses_nothing_and_counts_nobody_twice(service: Service, server: Dovecot, point: str, after: str) -> None:
    configured(service, server, f'campaign = "delta"\nafter = "{after}"\n')
    server.append_many(endorsement(n) for n in range(12))
    assert service.command("imap", "read", crash_at=point).returncode == 137
    read(service)
    assert settle(service) == {"counted": 12}
    assert kept(service) == 12
    left = server.folder()
    assert len(left) == (0 if after == "move" else 12)
    assert all(rb"\Seen" in flags for flags, _ in left.values())


def test_a_killed_process_of_the_service_goes_on_where_it_was(service: Service, server: Dovecot) -> None:
    configured(service, server)
    server.append_many(endorsement(n) for n in range(300))
    with service.running() as running:
        running.port()
        for _ in range(5):
            time.sleep(0.3)
            for pid in running.children():
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 60
        while kept(service) < 300:
            assert time.monotonic() < until
            time.sleep(0.2)
        wait_until_idle(service.program.store)
    assert settle(service) == {"counted": 300}


def test_a_mailbox_that_cannot_be_read_is_told_in_status_and_in_the_digest(service: Service, server: Dovecot) -> None:
    configured(service, server, 'campaign = "delta"\nstale_minutes = 1\n')
    found = service.command("digest", "--preview")
    assert b"Folders of mailboxes that could not be read for too long" in found.stdout
    assert b"STALE" in service.command("status").stdout
    read(service)
    assert b"Folders of mailboxes" not in service.command("digest", "--preview").stdout
    assert b"STALE" not in service.command("status").stdout
