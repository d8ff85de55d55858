"""What goes over the wire: line ends, dots, lengths, line noise. Never two mails out of one, never half a mail."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smtpdoor import ENVELOPE, MAIL, Dialogue, Listening, listening

SECOND = b"MAIL FROM:<evil@bad.example>\r\nRCPT TO:<endorse@delta.example>\r\nDATA\r\nFrom: victim@bank.example\r\n\r\nsmuggled\r\n.\r\n"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path) as door:
        yield door


@pytest.fixture
def client(door: Listening) -> Iterator[Dialogue]:
    with door.client() as client:
        yield client.greet()


def test_a_mail_is_kept_byte_for_byte_with_its_envelope(door: Listening, client: Dialogue) -> None:
    assert client.mail(MAIL) == "250 2.0.0 Kept"
    assert door.kept() == [MAIL]
    row = door.rows()[0]
    assert (row.sender, row.recipients, row.helo, row.client, row.campaign) == (
        "ann@foo.example", ["endorse@delta.example"], "client.example", "127.0.0.1", "delta",
    )  # fmt: skip


def test_a_session_carries_many_mails(door: Listening, client: Dialogue) -> None:
    mails = [MAIL + b"Number %d\r\n" % n for n in range(30)]
    assert [client.mail(mail) for mail in mails] == ["250 2.0.0 Kept"] * 30
    assert client.say("QUIT") == "221 2.0.0 Bye"
    assert door.kept() == mails


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n...b\r\n.\r\n", b"a\r\n..b\r\n"),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\r\n..\r\n..\r\n.\r\n", b"a\r\n.\r\n.\r\n"),
        (b"a . b\r\n.\r\n", b"a . b\r\n"),
    ],
    ids=["nothing", "empty-line", "lone-dot", "first-line-a-dot", "two-dots", "unstuffed-dot", "dots-in-a-row", "inner-dot"],
)
def test_dots_are_unstuffed_as_rfc_5321_says(door: Listening, client: Dialogue, sent: bytes, kept: bytes) -> None:
    client.begin().send(sent)
    assert client.hear() == "250 2.0.0 Kept"
    assert door.kept() == [kept]


@pytest.mark.case(1)
@pytest.mark.parametrize(
    "end",
    [b"\n.\r\n", b"\r\n.\n", b"\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\n\n.\r\n"],
    ids=["LF.CRLF", "CRLF.LF", "LF.LF", "CR.CRLF", "CR.CR", "CRLF.CR", "CRCRLF.CRCRLF", "LFLF.CRLF"],
)
@pytest.mark.parametrize("pieces", [1, 2], ids=["in-one-packet", "byte-by-byte"])
def test_an_end_that_is_none_never_makes_two_mails(door: Listening, client: Dialogue, end: bytes, pieces: int) -> None:
    data = b"From: ann@foo.example\r\n\r\nhello" + end + SECOND
    client.begin()
    for piece in [data] if pieces == 1 else [data[n : n + 1] for n in range(len(data))]:
        client.send(piece)
    assert client.hear() == "550 5.6.11 Bare CR, LF or NUL"
    assert client.say("QUIT") == "221 2.0.0 Bye"
    assert door.kept() == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"X-A: a\rFrom: evil@bad.example\r\n" + MAIL, marks=pytest.mark.case(2), id="bare-CR-in-header"),
        pytest.param(b"X-A: a\r\rI endorse\r\n" + MAIL, marks=pytest.mark.case(2), id="two-bare-CR-in-header"),
        pytest.param(MAIL + b"one\rtwo\r\n", marks=pytest.mark.case(3), id="bare-CR-in-body"),
        pytest.param(MAIL + b"one\ntwo\r\n", marks=pytest.mark.case(1), id="bare-LF-in-body"),
        pytest.param(b"X-A: \0\r\n" + MAIL, marks=pytest.mark.case(4), id="NUL-in-header"),
        pytest.param(MAIL + b"a\0b\r\n", marks=pytest.mark.case(4), id="NUL-in-body"),
    ],
)
def test_bare_line_ends_and_nul_are_refused_whole(door: Listening, client: Dialogue, raw: bytes) -> None:
    assert client.mail(raw) == "550 5.6.11 Bare CR, LF or NUL"
    assert client.mail(MAIL) == "250 2.0.0 Kept"
    assert door.kept() == [MAIL]


@pytest.mark.case(5)
@pytest.mark.parametrize("head", [b"Subject: caf\xe9\r\n", b"From: \xc3\xa9 <e@foo.example>\r\n", b"X: \xff\xfe\x80\r\n"])
def test_eight_bit_headers_are_kept_as_they_came(door: Listening, client: Dialogue, head: bytes) -> None:
    assert client.mail(head + MAIL) == "250 2.0.0 Kept"
    assert door.kept() == [head + MAIL]


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\0OP\r\n", b"NO\rOP\r\n", b"NOOP\r\r\n", b"\n", b"NOOP \xe2\x80\xa8\r\n"])
def test_a_command_with_odd_bytes_is_refused(client: Dialogue, line: bytes) -> None:
    client.send(line)
    assert client.hear()[:3] == "500"
    assert client.say("NOOP") == "250 2.0.0 OK"


@pytest.mark.case(9)
def test_an_endless_command_line_is_refused_once_and_its_tail_is_no_command(client: Dialogue) -> None:
    client.send(b"x" * 200_000)
    assert client.hear() == "500 5.5.2 Line too long"
    client.send(b"x" * 10_000_000 + b" QUIT\r\nNOOP\r\n")
    assert client.hear() == "250 2.0.0 OK"


@pytest.mark.case(9)
def test_a_mail_of_one_long_line_is_kept_and_leaves_no_file(door: Listening, client: Dialogue) -> None:
    raw = b"From: ann@foo.example\r\n\r\n" + b"x" * 9_000_000 + b"\r\n"
    assert client.mail(raw) == "250 2.0.0 Kept"
    assert door.kept() == [raw]
    assert door.spooled() == []


@pytest.mark.case(10)
@pytest.mark.parametrize("size", [b" SIZE=100", b""], ids=["lying", "silent"])
def test_a_mail_over_the_cap_is_refused_after_its_end(tmp_path: Path, size: bytes) -> None:
    with listening(tmp_path, max_message_bytes=65536, spool_over=4096) as door, door.client() as client:
        client.greet().say(b"MAIL FROM:<ann@foo.example>" + size)
        client.say("RCPT TO:<endorse@delta.example>")
        client.say("DATA")
        client.send(b"I endorse.\r\n" * 100_000 + b".\r\n")
        assert client.hear() == "552 5.3.4 Message too large"
        assert client.mail(MAIL) == "250 2.0.0 Kept"
        assert door.kept() == [MAIL] and door.spooled() == []


@pytest.mark.case(10)
def test_a_mail_that_says_it_is_too_large_is_refused_before_it_comes(client: Dialogue) -> None:
    assert client.say("MAIL FROM:<ann@foo.example> SIZE=99999999") == "552 5.3.4 Message too large"


@pytest.mark.case(27)
@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "POST /x HTTP/1.1", "CONNECT a.example:25 HTTP/1.0"])
def test_a_browser_is_hung_up_on(door: Listening, line: str) -> None:
    with door.client() as client:
        client.hear()
        client.send(line.encode() + b"\r\nHost: x\r\n\r\nEHLO a.example\r\n" + ENVELOPE)
        assert client.hear_all() == []


_TRANSACTION = ENVELOPE + b"DATA\r\n" + MAIL + b"..dot\r\n.\r\n"
STREAM = (
    b"EHLO a.example\r\n" + _TRANSACTION + b"VRFY ann\r\n" + b"x" * 3000 + b"\r\nNOOP\n"
    + _TRANSACTION.replace(b"letter", b"letter" + b" I endorse" * 900)
    + ENVELOPE + b"DATA\r\nbare\n.\r\n\r\n.\r\nRCPT TO:<nobody@delta.example>\r\nRSET\r\n" + _TRANSACTION + b"QUIT\r\n"
)  # fmt: skip


def _play(door: Listening, pieces: list[bytes]) -> tuple[list[str], list[bytes]]:
    before = len(door.kept())
    with door.client() as client:
        for piece in pieces:
            client.send(piece)
        return client.hear_all(), door.kept()[before:]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with listening(tmp_path_factory.mktemp("door"), spool_over=4096) as door:
        yield door


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, len(STREAM) - 1), max_size=60))
def test_how_the_network_cuts_a_session_changes_neither_answers_nor_mails(shared: Listening, cuts: list[int]) -> None:
    edges = [0, *sorted(set(cuts)), len(STREAM)]
    assert _play(shared, [STREAM[a:b] for a, b in pairwise(edges)]) == _play(shared, [STREAM])


def test_the_session_that_is_cut_keeps_three_mails_and_answers_each_command(shared: Listening) -> None:
    answers, mails = _play(shared, [STREAM])
    codes = " ".join(answer[:3] for answer in answers)
    assert codes == "220 250 250 250 354 250 252 500 500 250 250 354 250 250 250 354 550 503 250 250 250 354 250 221"
    assert len(mails) == 3
