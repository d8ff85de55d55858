"""DKIM (RFC 6376) over the kept bytes: OpenSSL does the arithmetic, and nothing depends on who asks first."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dkim.canonicalization import CanonicalizationPolicy, InvalidCanonicalizationPolicyError
from dkim.util import InvalidTagValueList, parse_tag_value

from mailflow.authenticate.canonical import body_hash, header_hash
from mailflow.authenticate.headers import Block, Field, a_label
from mailflow.authenticate.keys import ALGORITHMS, Key, key_of
from mailflow.model.errors import DnsUnavailable
from mailflow.model.outside import Resolver

MOST_SIGNATURES = 5
CLOCK_SKEW = timedelta(minutes=15)
_MOMENT = re.compile(rb"\d{1,12}")
_NEEDED = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")


@dataclass(frozen=True, slots=True)
class Checked:
    """One signature: ``result`` is pass, fail, temperror or none (it speaks for nothing); ``why`` tells more.

    ``domain`` and ``selector`` are validated host names or empty. ``broken``: the bytes are not those that were signed.
    ``open`` are the fields of the mail that a good signature leaves open to change; ``signed_at`` is t=.
    """

    result: str
    domain: str = ""
    selector: str = ""
    aligned: bool = False
    why: str = ""
    broken: bool = False
    open: frozenset[bytes] = frozenset()
    signed_at: datetime | None = None

    @property
    def proves(self) -> bool:
        """Whether the author's domain signed the text as we read it: without Subject and Content-Type it may be another (F8)."""
        return self.aligned and self.result == "pass" and not self.open & {b"subject", b"content-type"}

    def evidence(self) -> str:
        """One line for a human; holds no text of the sender but validated host names."""
        told = f"dkim={self.result} d={self.domain or '-'} s={self.selector or '-'} {'aligned' if self.aligned else 'not aligned'}"
        unsigned = "not signed: " + ", ".join(sorted(name.decode() for name in self.open)) if self.open else ""
        notes = "; ".join(note for note in (self.why, unsigned) if note)
        return f"{told} ({notes})" if notes else told


@dataclass(frozen=True, slots=True)
class _Signature:
    field: Field
    tags: dict[bytes, bytes]
    domain: str = ""
    selector: str = ""
    aligned: bool = False
    problem: str = ""

    @property
    def names(self) -> list[bytes]:
        """The names in h=, in lower case."""
        return [name.strip().lower() for name in self.tags[b"h"].split(b":")]

    @property
    def identity(self) -> str:
        """The domain in i=, by default that in d=."""
        return _host(self.tags[b"i"].rpartition(b"@")[2]) if b"i" in self.tags else self.domain

    def told(self, result: str, why: str, *, broken: bool = False) -> Checked:
        return Checked(result, self.domain, self.selector, self.aligned, why, broken)


def check_all(block: Block, resolver: Resolver, received_at: datetime, is_aligned: Callable[[str], bool]) -> list[Checked]:
    """Checks the five topmost signatures, at most one key look-up each, until one proves the author. Never raises.

    Aligned ones come first: a stranger's slow name server must not use up the time that the author's own would need.
    """
    signatures = [_taken_apart(field, received_at, is_aligned) for field in block.named(b"dkim-signature")[:MOST_SIGNATURES]]
    hashes: dict[str, bytes] = {}
    checked: list[Checked] = []
    for one in sorted(signatures, key=lambda one: not one.aligned):
        checked.append(_check(one, block, resolver, hashes))
        if checked[-1].proves:
            break
    return checked


def _taken_apart(field: Field, received_at: datetime, is_aligned: Callable[[str], bool]) -> _Signature:
    try:
        tags = parse_tag_value(field[1])
    except InvalidTagValueList:
        return _Signature(field, {}, problem="signature malformed")
    domain, selector = _host(tags.get(b"d", b"")), _host(tags.get(b"s", b""))
    one = _Signature(field, tags, domain, selector, is_aligned(domain))
    return replace(one, problem=_problem(one) or _untimely(tags, received_at))


def _host(value: bytes) -> str:
    """A host name as DNS takes it, or ``""``; quotes, parentheses and NUL are nobody's domain."""
    return a_label(value.decode("utf-8", "replace"))


def _problem(one: _Signature) -> str:
    """Why a signature speaks for nothing, whatever its key says; ``""`` where nothing is wrong (RFC 6376 §3.5, §6.1.1)."""
    tags = one.tags
    if any(name not in tags for name in _NEEDED) or tags[b"v"] != b"1":
        return "signature incomplete"
    if not one.domain or not one.selector:
        return "d= or s= is no host name"
    if tags[b"a"] not in ALGORITHMS:
        return "algorithm not accepted"
    if b"l" in tags:
        return "l= leaves part of the text unsigned"
    if b"from" not in one.names:
        return "From is not signed"
    if tags.get(b"q", b"dns/txt") != b"dns/txt":
        return "unknown query method"
    if one.identity != one.domain and not one.identity.endswith(f".{one.domain}"):
        return "i= is not in d="
    return ""


def _untimely(tags: dict[bytes, bytes], received_at: datetime) -> str:
    """t= and x= are judged at the time of receipt: a mail that waited for us does not go stale by that."""
    if any(name in tags and not _MOMENT.fullmatch(tags[name]) for name in (b"t", b"x")):
        return "time malformed"
    signed, expires = _moment(tags.get(b"t")), _moment(tags.get(b"x"))
    if signed and signed > received_at + CLOCK_SKEW:
        return "signed in the future"
    if expires and (expires < received_at or (signed and expires < signed)):
        return "expired"
    return ""


def _moment(value: bytes | None) -> datetime | None:
    if value is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(int(value), 10**11))


def _check(one: _Signature, block: Block, resolver: Resolver, hashes: dict[str, bytes]) -> Checked:
    if one.problem:
        return one.told("none", one.problem)
    try:
        records = resolver.txt(f"{one.selector}._domainkey.{one.domain}")
    except DnsUnavailable:
        return one.told("temperror", "no answer from DNS")
    key = key_of(records, one.tags[b"a"])
    if isinstance(key, str):
        return one.told("fail", key)
    if key.exact and one.identity != one.domain:
        return one.told("fail", "i= is not d= itself")
    return _verified(one, key, block, hashes)


def _verified(one: _Signature, key: Key, block: Block, hashes: dict[str, bytes]) -> Checked:
    try:
        policy = CanonicalizationPolicy.from_c_value(one.tags.get(b"c", b"simple/simple"))
        wanted, signature = (base64.b64decode(b"".join(one.tags[name].split()), validate=True) for name in (b"bh", b"b"))
    except (InvalidCanonicalizationPolicyError, binascii.Error):
        return one.told("none", "signature malformed")
    form = policy.body_algorithm.name
    if form not in hashes:
        hashes[form] = body_hash(block.body, policy)
    if hashes[form] != wanted:
        return one.told("fail", "body hash", broken=True)
    if not key.verify(header_hash(block.fields, one.names, one.field, policy), signature):
        return one.told("fail", "header hash", broken=True)
    signed = frozenset(one.names)
    open_ = frozenset(name for name in (b"subject", b"content-type", b"date", b"to", b"cc") if name not in signed and block.named(name))
    why = "key is in test mode" if key.testing else ""
    return Checked("pass", one.domain, one.selector, one.aligned, why, open=open_, signed_at=_moment(one.tags.get(b"t")))
