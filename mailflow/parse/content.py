"""Two copies of one mail are known by what was written, not by how it travelled."""

import hashlib

_FIELDS = ("from", "to", "cc", "date", "subject", "message-id")


def sha256(raw: bytes) -> str:
    """SHA-256 of the bytes, in hex."""
    return hashlib.sha256(raw).hexdigest()


def content_hash(fields: list[tuple[str, bytes]], body: bytes) -> str:
    """SHA-256 over From, To, Cc, Date, Subject, Message-ID and the body, in hex. ``body`` has LF line ends.

    Preimage: for each of the six names in this order, for each field of that name from the top: the name in lower
    case, NUL, the unfolded value with runs of white space made one space and NUL taken out, NUL. Then NUL, then the
    body with CRLF line ends, without trailing white space at its end. No two different lists of fields give the same
    bytes, since a value holds no NUL. Received, DKIM-Signature, Authentication-Results and List fields are outside.
    """
    digest = hashlib.sha256()
    for name in _FIELDS:
        for key, value in fields:
            if key == name:
                digest.update(name.encode() + b"\0" + b" ".join(value.replace(b"\0", b"").split()) + b"\0")
    digest.update(b"\0" + body.rstrip().replace(b"\n", b"\r\n"))
    return digest.hexdigest()
