"""DKIM keys: what a TXT record says, and which keys and algorithms are good enough."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from dkim.util import InvalidTagValueList, parse_tag_value

ALGORITHMS = {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed25519"}
"""Signature algorithm -> key type. rsa-sha1 is refused (RFC 8301 §3.1)."""

RSA_BITS = (1024, 4096)
"""Fewer bits are refused (RFC 8301 §3.2); more would only cost us CPU."""

LONGEST_RECORD = 65_536

_HOLDS_A_KEY = re.compile(rb"(?:\A|;)\s{0,9}p\s{0,9}=")
_OTHER_VERSION = re.compile(rb"\s{0,9}v\s{0,9}=(?!\s{0,9}DKIM1\s{0,9}(?:;|\Z))")


@dataclass(frozen=True, slots=True)
class Key:
    """A usable public key and its flags (RFC 6376 §3.6.1).

    ``testing`` (t=y) changes nothing but is told; ``exact`` (t=s) wants i= to name d= itself, no name below it.
    """

    public: RSAPublicKey | Ed25519PublicKey
    testing: bool = False
    exact: bool = False

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is good for the SHA-256 ``digest`` (RFC 6376 §3.3, RFC 8463 §3)."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
            else:
                self.public.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def key_of(records: Iterable[bytes], algorithm: bytes) -> Key | str:
    """The one key among the TXT records of a name, or why there is none that can be used (RFC 6376 §3.6.1, §3.6.2.2).

    Records for something else (a wildcard's SPF) are passed over; of two keys neither is taken, because DNS has no order.
    """
    held = [record for record in records if _HOLDS_A_KEY.search(record) and not _OTHER_VERSION.match(record)]
    if len(held) != 1:
        return "several keys" if held else "no key"
    return _read(held[0], algorithm)


@lru_cache(maxsize=500)
def _read(record: bytes, algorithm: bytes) -> Key | str:
    """A key record read; a few providers send most of the mail, and reading a key costs as much as using it."""
    if len(record) > LONGEST_RECORD:
        return "key record too long"
    try:
        tags = parse_tag_value(record)
    except InvalidTagValueList:
        return "key record malformed"
    if tags.get(b"v", b"DKIM1") != b"DKIM1" or tags.get(b"k", b"rsa") != ALGORITHMS[algorithm]:
        return "key is of another type"
    if not {b"*", b"email"} & _listed(tags, b"s", b"*") or b"sha256" not in _listed(tags, b"h", b"sha256"):
        return "key is not for this use"
    material = b"".join(tags.get(b"p", b"").split())
    if not material:
        return "key revoked"
    public = _load(material, algorithm)
    flags = _listed(tags, b"t", b"")
    return public if isinstance(public, str) else Key(public, b"y" in flags, b"s" in flags)


def _listed(tags: dict[bytes, bytes], name: bytes, default: bytes) -> set[bytes]:
    return {one.strip() for one in tags.get(name, default).split(b":")}


def _load(material: bytes, algorithm: bytes) -> RSAPublicKey | Ed25519PublicKey | str:
    try:
        data = base64.b64decode(material, validate=True)
        public = Ed25519PublicKey.from_public_bytes(data) if algorithm == b"ed25519-sha256" else load_der_public_key(data)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return "key unreadable"
    if isinstance(public, RSAPublicKey):
        low, high = RSA_BITS
        return public if low <= public.key_size <= high else "key of the wrong size"
    return public if isinstance(public, Ed25519PublicKey) else "key is of another type"
