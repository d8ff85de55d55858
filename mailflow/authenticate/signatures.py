"""DKIM (RFC 6376) over the kept bytes: dkimpy canonicalises and hashes, OpenSSL does the arithmetic."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dkim
from dkim.canonicalization import CanonicalizationPolicy, InvalidCanonicalizationPolicyError
from dkim.util import InvalidTagValueList, parse_tag_value

from mailflow.authenticate.headers import Block, a_label
from mailflow.authenticate.keys import ALGORITHMS, Key, read_key
from mailflow.model.errors import DnsUnavailable
from mailflow.model.outside import Resolver

MOST_SIGNATURES = 5
CLOCK_SKEW = timedelta(minutes=15)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))+")
_SELECTOR = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")


@dataclass(frozen=True, slots=True)
class Checked:
    """One signature: ``result`` is pass, fail, temperror or none (it speaks for nothing); ``why`` tells more.

    ``domain`` and ``selector`` are validated host names or empty. ``content`` says that it covers the text as read.
    """

    result: str
    domain: str = ""
    selector: str = ""
    why: str = ""
    content: bool = False
    signed_at: datetime | None = None

    def evidence(self, note: str) -> str:
        """One line for a human; holds no text of the sender but validated host names."""
        told = f"dkim={self.result} d={self.domain or '-'} s={self.selector or '-'}"
        return " ".join(part for part in (told, note, f"({self.why})" if self.why else "") if part)


def check_all(block: Block, resolver: Resolver, received_at: datetime) -> list[Checked]:
    """Checks up to five signatures, from the top, with at most one key look-up each. Never raises."""
    signatures = block.values(b"dkim-signature")[:MOST_SIGNATURES]
    bodies: dict[tuple[bytes, bytes], bytes] = {}
    return [_check(value, block, resolver, received_at, bodies) for value in signatures]


def _check(value: bytes, block: Block, resolver: Resolver, received_at: datetime, bodies: dict[tuple[bytes, bytes], bytes]) -> Checked:
    try:
        tags = parse_tag_value(value)
    except InvalidTagValueList:
        return Checked("none", why="signature malformed")
    domain, selector = _host(tags.get(b"d", b""), _HOST), _host(tags.get(b"s", b""), _SELECTOR)
    problem = _problem(tags, domain, selector, received_at)
    if problem:
        return Checked("none", domain, selector, problem)
    try:
        records = resolver.txt(f"{selector}._domainkey.{domain}")
    except DnsUnavailable:
        return Checked("temperror", domain, selector, "no answer from DNS")
    if len(records) != 1:
        return Checked("fail", domain, selector, "no key" if not records else "several keys")
    key = read_key(records[0], tags[b"a"])
    if isinstance(key, str):
        return Checked("fail", domain, selector, key)
    return _verify(value, tags, key, block, domain, selector, bodies)


def _host(value: bytes, form: re.Pattern[str]) -> str:
    """A host name as DNS takes it, or ``""``; quotes, parentheses and NUL are nobody's domain."""
    text = a_label(value.decode("utf-8", "replace"))
    return text if form.fullmatch(text) else ""


def _problem(tags: dict[bytes, bytes], domain: str, selector: str, received_at: datetime) -> str:
    """Why a signature speaks for nothing, whatever its key says; ``""`` where nothing is wrong (RFC 6376 §3.5, §6.1.1)."""
    if any(name not in tags for name in (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")) or tags[b"v"] != b"1":
        return "signature incomplete"
    if not domain or not selector:
        return "d= or s= is no host name"
    if tags[b"a"] not in ALGORITHMS:
        return "algorithm not accepted"
    if b"l" in tags:
        return "l= leaves part of the text unsigned"
    if b"from" not in _signed_names(tags):
        return "From is not signed"
    if tags.get(b"q", b"dns/txt") != b"dns/txt":
        return "unknown query method"
    identity = _host(tags.get(b"i", b"@" + tags[b"d"]).rpartition(b"@")[2], _HOST)
    if identity != domain and not identity.endswith(f".{domain}"):
        return "i= is not in d="
    return _untimely(tags, received_at)


def _untimely(tags: dict[bytes, bytes], received_at: datetime) -> str:
    """t= and x= are judged at the time of receipt: a mail that waited for us does not go stale by that."""
    for name in (b"t", b"x"):
        if name in tags and not re.fullmatch(rb"\d{1,12}", tags[name]):
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


def _signed_names(tags: dict[bytes, bytes]) -> list[bytes]:
    return [name.strip().lower() for name in tags[b"h"].split(b":")]


def _verify(
    value: bytes, tags: dict[bytes, bytes], key: Key, block: Block, domain: str, selector: str, bodies: dict[tuple[bytes, bytes], bytes]
) -> Checked:
    try:
        policy = CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple"))
        wanted, signature = (base64.b64decode(re.sub(rb"\s+", b"", tags[name]), validate=True) for name in (b"bh", b"b"))
    except (InvalidCanonicalizationPolicyError, binascii.Error):
        return Checked("none", domain, selector, "signature malformed")
    form = (b"body", tags.get(b"c", b"simple/simple").partition(b"/")[2] or b"simple")
    if form not in bodies:
        bodies[form] = hashlib.sha256(policy.canonicalize_body(block.body)).digest()
    if bodies[form] != wanted:
        return Checked("fail", domain, selector, "the text was changed")
    if not key.verify(_header_hash(value, tags, policy, block), signature):
        return Checked("fail", domain, selector, "the header was changed")
    why = "key is in test mode" if key.testing else ""
    uncovered = _uncovered(tags, block)
    return Checked("pass", domain, selector, uncovered or why, content=not uncovered, signed_at=_moment(tags.get(b"t")))


def _header_hash(value: bytes, tags: dict[bytes, bytes], policy: Any, block: Block) -> bytes:
    """SHA-256 over the signed fields and the signature itself without its b= (RFC 6376 §3.7)."""
    names = _signed_names(tags)
    hasher = hashlib.sha256()
    name = next(key for key, content in block.fields if content == value and key.lower() == b"dkim-signature")
    # One From more than h= says: a second From must break the signature (RFC 6376 §8.15).
    dkim.hash_headers(hasher, policy, policy.canonicalize_headers(list(block.fields)), [*names, b"from"], (name, value), tags)
    return hasher.digest()


def _uncovered(tags: dict[bytes, bytes], block: Block) -> str:
    """What a good signature leaves open to change: without Subject and Content-Type it does not speak for the text."""
    names = _signed_names(tags)
    open_ = [name for name in (b"subject", b"content-type") if name not in names and block.values(name)]
    return "not signed: " + ", ".join(name.decode() for name in open_) if open_ else ""
