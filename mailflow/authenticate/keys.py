"""DKIM keys: what a TXT record says, and which keys and algorithms are good enough."""

import base64
import binascii
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Key:
    """A usable public key; ``testing`` is the t=y flag (RFC 6376 §3.6.1), which changes nothing but is told."""

    public: RSAPublicKey | Ed25519PublicKey
    testing: bool = False

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


def read_key(record: bytes, algorithm: bytes) -> Key | str:
    """The key in a TXT record, or why it cannot be used: revoked, weak, or not a DKIM key (RFC 6376 §3.6.1)."""
    if len(record) > LONGEST_RECORD:
        return "key record too long"
    try:
        tags = parse_tag_value(record)
    except InvalidTagValueList:
        return "key record malformed"
    if tags.get(b"v", b"DKIM1") != b"DKIM1" or tags.get(b"k", b"rsa") != ALGORITHMS[algorithm]:
        return "key record does not fit"
    if tags.get(b"s", b"*") not in (b"*", b"email") or b"sha256" not in tags.get(b"h", b"sha256"):
        return "key is not for this use"
    material = b"".join(tags.get(b"p", b"").split())
    if not material:
        return "key revoked"
    testing = b"y" in tags.get(b"t", b"").split(b":")
    return _load(material, algorithm, testing=testing)


def _load(material: bytes, algorithm: bytes, *, testing: bool) -> Key | str:
    try:
        data = base64.b64decode(material, validate=True)
        public = Ed25519PublicKey.from_public_bytes(data) if algorithm == b"ed25519-sha256" else load_der_public_key(data)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return "key unreadable"
    if isinstance(public, RSAPublicKey):
        low, high = RSA_BITS
        return Key(public, testing) if low <= public.key_size <= high else "key of the wrong size"
    return Key(public, testing) if isinstance(public, Ed25519PublicKey) else "key of another type"
