"""Header fields decoded: RFC 5322 and RFC 2047 as senders really write them."""

import base64
import binascii
import quopri
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailflow.parse.text import clean_line, decode

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,2000})\?=")
_BETWEEN = re.compile(r"(=\?[^?\s]{1,60}\?[bBqQ]\?[^?]{0,2000}\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_MESSAGE_ID = re.compile(r"<?([!-;=?-~]{1,200}@[!-;=?-~]{1,200})>?")
_ANGLED_ID = re.compile(r"<([!-;=?-~]{1,200}@[!-;=?-~]{1,200})>")
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_NUMBER_ZONE = re.compile(r"\([^()]*\)\s*$")

MOST_WORDS = 400
MOST_REFERENCES = 50
SINGLETONS = ("from", "sender", "reply-to", "to", "cc", "message-id", "subject", "date", "mime-version", "content-type")


def split(head: bytes) -> tuple[list[tuple[str, bytes]], list[str]]:
    """The fields of a header block as (name in lower case, unfolded raw value), and the defects found on the way."""
    defects: list[str] = []
    if b"\r" in head.replace(b"\r\n", b""):
        defects.append("bare_cr_in_header")
    if b"\0" in head:
        defects.append("nul_in_header")
    fields: list[tuple[str, bytearray]] = []
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", head)):
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].extend(b" " + line.strip())
            else:
                defects.append("folded_first_line")
        elif match := _FIELD.match(line):
            fields.append((match[1].decode("ascii").lower(), bytearray(match[2].strip())))
        elif line and not (number == 0 and line.startswith((b"From ", b">From "))):
            defects.append("line_is_no_field")
    names = [name for name, _ in fields]
    if names.count("from") > 1:
        defects.append("two_from_headers")
    defects += [f"duplicate_{name.replace('-', '_')}" for name in SINGLETONS if names.count(name) > 1]
    return [(name, bytes(value)) for name, value in fields], list(dict.fromkeys(defects))


def text_of(value: bytes) -> str:
    """A header value as text: encoded words decoded, raw 8-bit guessed, one clean line. Never raises."""
    return clean_line(words(decode(value, "utf-8")[0]))


def words(value: str) -> str:
    """Encoded words (RFC 2047) decoded; white space between two of them is no part of the text (§6.2).

    Neighbours in one charset and encoding are joined before decoding: many senders split inside a character.
    """
    if "=?" not in value:
        return value
    joined = _BETWEEN.sub(r"\1", value)
    out: list[str] = []
    pending: tuple[str, bytearray] | None = None
    at = 0
    for count, match in enumerate(_WORD.finditer(joined)):
        if count >= MOST_WORDS:
            break
        if pending is not None and (match.start() != at or pending[0] != match[1].lower()):
            out.append(decode(bytes(pending[1]), pending[0])[0])
            pending = None
        out.append(joined[at : match.start()])
        pending = pending or (match[1].lower(), bytearray())
        pending[1].extend(_bytes_of(match[2], match[3]))
        at = match.end()
    if pending is not None:
        out.append(decode(bytes(pending[1]), pending[0])[0])
    return "".join([*out, joined[at:]])


def _bytes_of(encoding: str, payload: str) -> bytes:
    raw = payload.encode("ascii", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b"_", b" "), header=False)
    raw = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        return base64.b64decode(raw[: len(raw) // 4 * 4])


def message_id(value: str) -> str:
    """A Message-ID without angle brackets, ``""`` where it is not plainly one."""
    match = _MESSAGE_ID.fullmatch(value.strip())
    return match[1] if match and match[1].count("@") == 1 else ""


def message_ids(value: str) -> tuple[str, ...]:
    """All plain Message-IDs in a References or In-Reply-To value, the last fifty."""
    return tuple(found for found in _ANGLED_ID.findall(value[:20_000]) if found.count("@") == 1)[-MOST_REFERENCES:]


def moment(value: str) -> datetime | None:
    """The time in a Date value, aware, ``None`` where there is none. Never raises."""
    try:
        parsed = parsedate_to_datetime(_NUMBER_ZONE.sub("", value[:200]))
        aware = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
