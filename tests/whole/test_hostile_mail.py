"""Mail that hangs parsers: read within 2 s and 256 MB, and a worker that dies over a mail harms nobody."""

import os
from pathlib import Path

import invariants
import pytest
from service import Service, deliver, endorsement, wait_until_idle
from smarthosts import smarthost

from mailflow.config.settings import LimitSettings
from mailflow.jobs.worker import bound_memory, cpu_limit
from mailflow.store import books

_LIMITS = LimitSettings()
_ENCODED = b"=?utf-8?q?=41?= "
_HOSTILE = {
    "20,000 quotes in From": b"From: " + b'"' * 20_000 + b"\r\n\r\nI endorse.\r\n",
    "100,000 quotes in From": b"From: " + b'"' * 100_000 + b"\r\n\r\nI endorse.\r\n",
    "8,000 quotes in From": b"From: " + b'"' * 8_000 + b"\r\n\r\nI endorse.\r\n",
    "50,000 encoded words in the subject": b"From: a@foo.example\r\nSubject: " + _ENCODED * 50_000 + b"\r\n\r\nI endorse.\r\n",
    "3,500 encoded words in the subject": b"From: a@foo.example\r\nSubject: " + _ENCODED * 3_500 + b"\r\n\r\nI endorse.\r\n",
    "20,000 parameters": b"From: a@foo.example\r\nContent-Type: text/plain" + b"; a=b" * 20_000 + b"\r\n\r\nI endorse.\r\n",
    "100,000 parts": b"From: a@foo.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\nx\r\n" * 100_000
    + b"--b--\r\n",
    "1,000 nested comments": b"From: " + b"(" * 1_000 + b"a@foo.example" + b")" * 1_000 + b"\r\n\r\nI endorse.\r\n",
    "300 nested parts": b"From: a@foo.example\r\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(300))
    + b"\r\nI endorse.\r\n",
    "1 MB of newlines": b"From: a@foo.example\r\n\r\n" + b"\r\n" * 500_000,
    "1 MB of On": b"From: a@foo.example\r\n\r\n" + b"On " * 350_000,
    "1 MB of From: a": b"From: a@foo.example\r\n\r\n" + b"From: a\r\n" * 110_000,
    "1 MB of open tags": b"From: a@foo.example\r\nContent-Type: text/html\r\n\r\n" + b"<div><b>" * 130_000,
    "1 MB of quote marks": b"From: a@foo.example\r\n\r\n" + b"> " * 500_000,
}


def _status(service: Service, raw: bytes) -> int:
    """How a process ends that reads a mail under the worker's limits."""
    program = service.program
    read, campaign = program.tools.read, program.config.campaigns["delta"]
    read(endorsement(1), campaign)
    pid = os.fork()
    if pid == 0:
        bound_memory(_LIMITS.memory_bytes)
        with cpu_limit(_LIMITS.cpu_seconds):
            read(raw, campaign)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("raw", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_hostile_mail_is_read_within_two_seconds_and_256_megabytes(raw: bytes, tmp_path: Path) -> None:
    assert (_LIMITS.cpu_seconds, _LIMITS.memory_bytes) == (2.0, 256 * 2**20)
    assert _status(Service(tmp_path, "sqlite:///var/mailflow.db", 1), raw) == 0


@pytest.mark.case(81)
@pytest.mark.fault("cpu-exhausted")
def test_a_mail_that_kills_its_worker_is_set_aside_and_its_neighbours_are_counted(tmp_path: Path) -> None:
    slow = endorsement(100, text="I endorse, if not > On that day I said: no, " * 12_000)
    with smarthost() as host:
        service = Service(tmp_path, "sqlite:///var/mailflow.db", host.port, settings="\n[limits]\ncpu_seconds = 0.1\n")
        with service.running() as running:
            port = running.port()
            for n in range(3):
                deliver(port, endorsement(n))
            deliver(port, slow)
            for n in range(3, 6):
                deliver(port, endorsement(n))
            wait_until_idle(service.program.store, 90)
            assert running.process.poll() is None
            assert "SIGPROF" in running.log_text()
        store = service.program.store
        invariants.hold(store)
        with store.read() as tx:
            (page,) = books.balance(tx)
        assert {str(line): count for line, count in page.lines.items() if count} == {"counted": 6, "set_aside": 1}
