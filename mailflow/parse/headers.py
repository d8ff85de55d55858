"""Header fields decoded: RFC 5322 and RFC 2047 as senders really write them."""

import binascii
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from mailflow.parse.text import Guesser, clean_line, decode

Field = tuple[str, bytes]
"""(name in lower case, unfolded raw value)."""

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_BETWEEN = re.compile(r"\?=[ \t\r\n]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,200}@[!-;=?-~]{1,200}")
_ANGLED_ID = re.compile(r"<([!-;=?-~]{1,250})>")
_FIELD = re.compile(rb"([!-9;-~]{1,100})([ \t]*):")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")

MOST_WORDS = 400
MOST_REFERENCES = 50
SINGLETONS = frozenset({"from", "sender", "reply-to", "to", "cc", "message-id", "subject", "date", "mime-version", "content-type"})
"""Fields that may stand once (RFC 5322 §3.6, RFC 2045); a second one can change the meaning under a good signature."""

NOT_ONE_READING = frozenset({"folded_first_line", "line_is_no_field", "space_before_from", "two_from_headers"})
"""Defects under which two programs may read two different authors: such a mail has none (reliability cases 29 to 32)."""


def split(head: bytes) -> tuple[list[Field], list[str]]:
    """The fields of a header block with LF line ends, and the defects found on the way. Linear."""
    defects: list[str] = []
    fields: list[tuple[str, list[bytes]]] = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(line.strip())
            elif line.strip():
                defects.append("folded_first_line")
        elif match := _FIELD.match(line):
            name = match[1].decode("ascii").lower()
            if match[2]:
                defects += ["space_before_colon", "space_before_from"] if name == "from" else ["space_before_colon"]
            fields.append((name, [line[match.end() :].strip()]))
        elif line:
            defects.append("line_is_no_field")
    names = [name for name, _ in fields]
    if len(set(names)) < len(names):
        defects += [f"duplicate_{name.replace('-', '_')}" for name in dict.fromkeys(names) if name in SINGLETONS and names.count(name) > 1]
    if names.count("from") > 1:
        defects.append("two_from_headers")
    if b"\0" in head:
        defects.append("nul_in_header")
    return [(name, b" ".join(lines)) for name, lines in fields], list(dict.fromkeys(defects))


def text_of(value: bytes, guesser: Guesser) -> str:
    """A header value as text: encoded words decoded, raw 8-bit guessed, one clean line. Never raises."""
    if value.isascii() and b"\x1b" not in value and b"=?" not in value:
        return clean_line(value.decode("ascii"))
    text = decode(value, "utf-8", guesser)[0]
    return clean_line(words(text, guesser) if "=?" in text else text)


def words(value: str, guesser: Guesser) -> str:
    """Encoded words (RFC 2047) decoded; white space between two of them is no part of the text (§6.2).

    Neighbours in one charset are joined before decoding: many senders split inside a character. An encoded word that
    is damaged, or that comes after four hundred others, stays as it stands.
    """
    joined = _BETWEEN.sub("?=", value)
    out: list[str] = []
    open_charset, open_bytes = "", b""
    at = 0
    for count, match in enumerate(_WORD.finditer(joined)):
        if count >= MOST_WORDS:
            break
        charset = match[1].partition("*")[0].lower()
        if match.start() != at or charset != open_charset:
            out += [_text(open_bytes, open_charset, guesser), joined[at : match.start()]]
            open_charset, open_bytes = charset, b""
        open_bytes += _bytes_of(match[2], match[3])
        at = match.end()
    return "".join([*out, _text(open_bytes, open_charset, guesser), joined[at:]])


def _text(data: bytes, charset: str, guesser: Guesser) -> str:
    return decode(data, charset, guesser)[0] if data else ""


def _bytes_of(encoding: str, payload: str) -> bytes:
    """The bytes of one encoded word. Non-ASCII text in it cannot be meant; bad base64 gives what can be read."""
    raw = payload.encode("ascii", "ignore")
    if encoding in "qQ":
        return _HEX.sub(lambda match: bytes([int(match[1], 16)]), raw.replace(b"_", b" "))
    raw = _NOT_BASE64.sub(b"", raw)
    raw = raw[:-1] if len(raw) % 4 == 1 else raw
    return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))


def message_id(value: str) -> str:
    """A Message-ID without angle brackets, ``""`` where it is not plainly one (RFC 5322 §3.6.4, printable ASCII, at most 250)."""
    text = value.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    return text if len(text) <= 250 and text.count("@") == 1 and _MESSAGE_ID.fullmatch(text) else ""


def message_ids(value: str) -> tuple[str, ...]:
    """All plain Message-IDs in a References or In-Reply-To value, the last fifty."""
    found = (message_id(text) for text in _ANGLED_ID.findall(value[-20_000:]))
    return tuple(text for text in found if text)[-MOST_REFERENCES:]


def moment(value: str) -> datetime | None:
    """The time in a Date value (RFC 5322 §3.3 and its obsolete forms), aware, in UTC, ``None`` where there is none. Never raises."""
    if not value or len(value) > 200:
        return None
    try:
        parts = parsedate_tz(value)
        if parts is None:
            return None
        offset = parts[9] or 0
        if abs(offset) > 86_400:
            return None
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - timedelta(seconds=offset)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
