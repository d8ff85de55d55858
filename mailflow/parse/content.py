"""Two copies of one mail are known by what was written, not by how it travelled."""

import hashlib
import re

_FIELDS = ("from", "to", "cc", "date", "subject", "message-id")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def sha256(raw: bytes) -> str:
    """SHA-256 of the bytes, in hex."""
    return hashlib.sha256(raw).hexdigest()


def content_hash(fields: list[tuple[str, bytes]], body: bytes) -> str:
    """SHA-256 over From, To, Cc, Date, Subject, Message-ID and the body, in hex.

    Preimage: for each of the six names in this order, for each field of that name from the top, the name, NUL,
    the unfolded value with runs of white space made one space, NUL; then the body with CRLF line ends and no
    trailing blank lines. Received, DKIM-Signature, Authentication-Results and List fields are outside it.
    """
    digest = hashlib.sha256()
    for name in _FIELDS:
        for key, value in fields:
            if key == name:
                digest.update(name.encode() + b"\0" + b" ".join(value.split()) + b"\0")
    digest.update(_LINE_END.sub(b"\r\n", body).rstrip(b"\r\n \t"))
    return digest.hexdigest()
