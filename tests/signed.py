"""A signed mail, the DNS that proves it, and a judge."""

from datetime import UTC, datetime, timedelta

from mailflow.authenticate import authenticate
from mailflow.authenticate.signing import make_key, sign
from mailflow.model.mail import Envelope, KeptMail, Verdict
from mailflow.resolver import PublicSuffixes, TableResolver

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
PEM, RECORD = make_key()
SUFFIXES = PublicSuffixes()
MAIL = (
    b"From: Ann <ann@foo.example>\r\nTo: endorse@delta.example\r\nSubject: Endorsement\r\nDate: Thu, 10 Sep 2026 11:00:00 +0000\r\n"
    b"Message-ID: <m1@foo.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nI endorse.\r\n"
)
GOOD = {"s._domainkey.foo.example": {"TXT": [RECORD.decode()]}}


def signed(raw: bytes = MAIL, domain: str = "foo.example", t: datetime = NOW) -> bytes:
    return sign(raw, domain, "s", PEM, t=int(t.timestamp()))


def judge(
    raw: bytes,
    table: dict[str, dict[str, object]] | None = None,
    author: str | None = "ann@foo.example",
    at: datetime = NOW,
    **envelope: object,
) -> Verdict:
    mail = KeptMail(1, raw, Envelope(**{"door": "smtp", "sender": "x@y.example", **envelope}), at)  # type: ignore[arg-type]
    return authenticate(mail, author, NOW - timedelta(hours=1), (), TableResolver(GOOD if table is None else table), SUFFIXES)


def table(name: str = "s._domainkey.foo.example", value: object = None) -> dict[str, dict[str, object]]:
    return {name: {"TXT": [RECORD.decode()] if value is None else value}}


RESULTS = (
    b"Return-Path: <ann@foo.example>\r\nDelivered-To: endorse@delta.example\r\n"
    b"Received: from out.foo.example (out.foo.example [192.0.2.1])\r\n\tby mx.delta.example (Postfix) with ESMTPS id 1\r\n"
    b"\tfor <endorse@delta.example>; Thu, 10 Sep 2026 11:00:00 +0000\r\n"
)


def with_results(results: bytes, above: bytes = RESULTS) -> bytes:
    return above + b"Authentication-Results: " + results + b"\r\n" + MAIL


PASS = b"mx.delta.example;\r\n\tdkim=pass header.d=foo.example header.s=s3;\r\n\tspf=pass smtp.mailfrom=ann@foo.example;\r\n\tdmarc=pass header.from=foo.example"
