"""Content-Transfer-Encoding undone (RFC 2045 §6), damaged or not."""

import binascii
import quopri
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_BEGIN = re.compile(rb"begin [0-7]{3,4} [^\n]{0,300}\n")
MOST_SPACES = 2
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})


def decoded(raw: bytes, encoding: str) -> tuple[bytes, str | None]:
    """The bytes that were encoded, and the name of a defect. Never raises, linear in the size."""
    name = encoding.partition(";")[0].strip().strip("\"'").lower()
    if name in _PLAIN:
        return raw, None
    if name in ("quoted-printable", "quotedprintable"):
        return quopri.decodestring(raw), None
    if name == "base64":
        return _base64(raw)
    if name in ("uuencode", "x-uuencode", "uue", "x-uue"):
        return _uuencoded(raw)
    return raw, "unknown_transfer_encoding"


def _base64(raw: bytes) -> tuple[bytes, str | None]:
    """Base64 with what does not belong there left out. What is plain text after all is taken as it stands."""
    packed = b"".join(raw.split())
    strange = sum(map(len, _NOT_BASE64.findall(packed.rstrip(b"="))))
    if strange > 2 + len(packed) // 20 or raw.strip().count(b" ") > MOST_SPACES:
        # A list server may add a plain footer behind the padding: the letter ends where the padding is.
        packed, padding, _ = packed.partition(b"=")
        if not padding or _NOT_BASE64.search(packed):
            return raw, "base64_was_not"
    clean = _NOT_BASE64.sub(b"", packed)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4)), "base64_damaged" if strange else None


def _uuencoded(raw: bytes) -> tuple[bytes, str | None]:
    begin = _BEGIN.search(raw)
    if begin is None:
        return raw, "uuencode_damaged"
    out: list[bytes] = []
    for line in raw[begin.end() :].split(b"\n"):
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            return b"".join(out), "uuencode_damaged"
    return b"".join(out), None
