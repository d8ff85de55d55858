"""Signing a mail with DKIM (RFC 6376 §5)."""

import base64

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SIGNED = (b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"mime-version", b"content-type",
          b"content-transfer-encoding")  # fmt: skip
OVERSIGNED = (b"from", b"subject", b"content-type")
"""Named once more than they occur, so that adding another breaks the signature."""


def make_key(bits: int = 2048) -> tuple[bytes, bytes]:
    """A new RSA key: (private key as PEM, TXT record that publishes it)."""
    key = generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def sign(raw: bytes, domain: str, selector: str, private_key: bytes, t: int | None = None) -> bytes:
    """The mail with a DKIM-Signature on top; ``t`` (seconds since 1970) is the time of signing, default now.

    Raises dkim.DKIMException for a mail or key that cannot be signed with.
    """
    signer = _Signer(raw)
    present = {name.lower() for name, _ in signer.headers}
    names = [*(name for name in SIGNED if name in present), *(name for name in OVERSIGNED if name in present)]
    signer.signed_at = t
    header: bytes = signer.sign(
        selector.encode(), domain.encode(), private_key, canonicalize=(b"relaxed", b"relaxed"), include_headers=names
    )
    return header + raw


class _Signer(dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
    """dkimpy's signer with a clock that can be set: it writes t= itself."""

    signed_at: int | None = None

    def gen_header(self, fields: list[tuple[bytes, bytes]], *args: object, **more: object) -> bytes:
        """Builds the header; see dkimpy."""
        if self.signed_at is not None:
            fields = [(name, str(self.signed_at).encode() if name == b"t" else value) for name, value in fields]
        header: bytes = super().gen_header(fields, *args, **more)
        return header
