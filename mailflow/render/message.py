"""Headers and bodies -> the bytes of a mail. No text of a stranger may come near a header here."""

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = re.compile(rf"{_DOT_ATOM}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_MESSAGE_ID = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_BOUNDARY = re.compile(r"=_[A-Za-z0-9]{8,60}")
_LINE = 76
_WORD_BYTES = 45  # =?utf-8?B? and ?= and 60 characters of base64: 72 of the 75 that RFC 2047 §2 allows
_FIRST_WORD_BYTES = 30  # the first shares its line of 76 with the header's name


def header(name: str, value: str) -> bytes:
    """Return one header field with CRLF, folded at spaces where it is longer than 76 characters.

    ``value`` is ASCII: already encoded, with only spaces between its words. Raises ValueError for CR, LF, NUL, any other control, a lone
    surrogate or anything beyond ASCII: such a value is a bug of ours and never goes out (RFC 5322 §2.2).
    """
    if not _NAME.fullmatch(name) or not value.isascii() or _REFUSED.search(value) or not value.strip():
        raise ValueError("not a header field: control, line break, text beyond ASCII or nothing at all")
    if len(name) + 2 + len(value) <= _LINE:
        return f"{name}: {value}\r\n".encode("ascii")
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _LINE and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    if any(not one.strip() or len(one) > 998 for one in lines):
        raise ValueError("a header line is blank or longer than 998 characters (RFC 5322 §2.1.1)")
    return "\r\n".join([*lines, ""]).encode("ascii")


def text_value(text: str) -> str:
    """Return ``text`` for an unstructured header such as Subject, in encoded-words where it must be (RFC 2047 §5).

    Raises ValueError for controls, line breaks and lone surrogates.
    """
    text = _checked(text)
    plain = text.isascii() and "=?" not in text and all(len(word) < _LINE for word in text.split(" "))
    return text if plain else _encoded(text)


def mailbox(display_name: str, address: str) -> str:
    """Return ``Name <address>`` for a header such as From (RFC 5322 §3.4); raises ValueError as its parts do."""
    name = _checked(display_name)
    if not name:
        return addr_spec(address)
    if not name.isascii() or "=?" in name:
        name = _encoded(name)
    elif not _ATEXT.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{addr_spec(address)}>"


def addr_spec(address: str) -> str:
    """Return ``address`` if it is exactly one dot-atom address in ASCII (RFC 5322 §3.4.1), else raise ValueError."""
    if len(address) > 320 or not _ADDRESS.fullmatch(address):
        raise ValueError("not one plain address")
    return address


def message_ids(*ids: str) -> str:
    """Return Message-IDs (without angle brackets) as a header value; raises ValueError for any that is none."""
    if not all(_MESSAGE_ID.fullmatch(one) and len(one) < 900 for one in ids):
        raise ValueError("not a Message-ID")
    return " ".join(f"<{one}>" for one in ids)


@lru_cache(maxsize=16)
def date_value(now: datetime) -> str:
    """Return ``now`` (aware) for the Date header, in UTC; raises ValueError for a naive one (RFC 5322 §3.3)."""
    if now.tzinfo is None:
        raise ValueError("now has no time zone")
    return format_datetime(now.astimezone(UTC))


def build(headers: Sequence[tuple[str, str]], text: str, html: str, boundary: str) -> bytes:
    """Return a multipart/alternative mail (RFC 2046 §5.1.4) with exactly these headers and those of MIME.

    ``boundary`` holds ``=_``, which no body in quoted-printable or base64 can hold (RFC 2045 §6.7).
    Raises ValueError for a header that is none, or one that stands twice.
    """
    if len({name.lower() for name, _ in headers}) != len(headers) or not _BOUNDARY.fullmatch(boundary):
        raise ValueError("a header stands twice, or the boundary could be in a body")
    mime = (("MIME-Version", "1.0"), ("Content-Type", f'multipart/alternative; boundary="{boundary}"'))
    edge = b"--" + boundary.encode("ascii")
    return b"".join(
        [
            *(header(name, value) for name, value in (*headers, *mime)),
            b"\r\n",
            edge,
            b"\r\n",
            _part(b"text/plain", text),
            edge,
            b"\r\n",
            _part(b"text/html", html),
            edge,
            b"--\r\n",
        ]
    )


def _part(kind: bytes, text: str) -> bytes:
    """One body with CRLF line ends, in quoted-printable where that stays readable, else in base64 (RFC 2045 §6)."""
    data = text.replace("\r", "\n").replace("\n", "\r\n").encode("utf-8")
    encoding, body = b"quoted-printable", b2a_qp(data, istext=True)
    if b"\n" not in data:
        # b2a_qp breaks lines with a bare LF where the text has no CRLF to learn from
        body = body.replace(b"\n", b"\r\n")
    if len(body) * 3 > len(data) * 4:
        encoding, body = b"base64", _base64(data)
    return b"Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n" % (kind, encoding, body)


def _base64(data: bytes) -> bytes:
    whole = b64encode(data)
    return b"\r\n".join([whole[at : at + 76] for at in range(0, len(whole), 76)])


def _checked(text: str) -> str:
    if _REFUSED.search(text):
        raise ValueError("a control, line break or lone surrogate in a header")
    return " ".join(word for word in text.split(" ") if word)


def _encoded(text: str) -> str:
    """Encoded-words of at most 75 characters, none of which cuts a character in two (RFC 2047 §5 (3))."""
    words: list[str] = []
    piece, size = "", 0
    for char in text:
        width = len(char.encode("utf-8"))
        if size + width > (_WORD_BYTES if words else _FIRST_WORD_BYTES):
            words.append(piece)
            piece, size = "", 0
        piece, size = piece + char, size + width
    return " ".join(f"=?utf-8?B?{b64encode(one.encode('utf-8')).decode('ascii')}?=" for one in [*words, piece] if one)
