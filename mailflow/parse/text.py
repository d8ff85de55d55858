"""Bytes to text that every store and screen can take."""

import codecs
import re

import chardet

# Codecs that are no charsets of mail, or that turn harmless bytes into markup (UTF-7) or anything else.
_NEVER = frozenset({
    "utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "hex", "base64", "zlib", "bz2", "uu", "quopri",
    "rot13", "mbcs", "oem",
})  # fmt: skip
_ALIASES = {"gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "x-sjis": "cp932", "iso-8859-1": "cp1252", "latin-1": "cp1252",
            "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-8-i": "iso-8859-8", "unicode-1-1-utf-8": "utf-8", "cp-850": "cp850",
            "windows-874": "cp874", "utf8": "utf-8", "x-mac-roman": "mac_roman", "iso-8859-9": "cp1254"}  # fmt: skip
"""What senders say -> what they mean: the superset that the bytes are really in."""

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\ue00f\ufeff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_GUESS_BYTES = 8192
_SURE = 0.5


def decode(data: bytes, charset: str | None) -> tuple[str, str | None]:
    """Text of ``data`` and the name of a defect, if the declared charset was a lie or missing. Never raises.

    UTF-8 that is valid and not ASCII is taken as UTF-8 whatever was declared: no other text looks like it.
    """
    name = (charset or "").strip().strip("\"'").lower()
    if data.isascii() and b"\x1b" not in data and name not in ("utf-16", "utf-16le", "utf-16be", "utf-32", "hz-gb-2312"):
        return data.decode("ascii"), None
    codec = _codec(name)
    escapes = b"\x1b$" in data or b"\x1b(" in data or name.startswith(("utf-16", "utf-32", "hz-"))
    if not escapes and (text := _strict(data, "utf-8")) is not None:
        return text, None if name in ("utf-8", "utf8") else "charset_was_utf_8"
    if codec is not None and (text := _strict(data, codec)) is not None:
        return text, None
    if escapes and (text := _strict(data, "iso2022_jp_2")) is not None:
        return text, "charset_guessed"
    return _guess(data, codec), "charset_guessed"


def _strict(data: bytes, codec: str) -> str | None:
    """The text, if every byte of it fits."""
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _codec(name: str) -> str | None:
    try:
        found = codecs.lookup(_ALIASES.get(name, name)).name if name and "\0" not in name else None
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if found is None or found.replace("-", "_") in {bad.replace("-", "_") for bad in _NEVER} else found


def _guess(data: bytes, declared: str | None) -> str:
    if declared is not None and declared not in ("utf-8", "ascii", "cp1252"):
        return data.decode(declared, "replace")
    found = chardet.detect(data[:_GUESS_BYTES])
    codec = _codec(str(found.get("encoding") or "").lower()) if float(found.get("confidence") or 0) >= _SURE else None
    return data.decode(codec or "cp1252", "replace")


def clean(text: str) -> str:
    """Text with ``\\n`` line ends and without controls, surrogates, NUL and our own private marks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\x0c", "\n")
    return _CONTROLS.sub("", text) if _CONTROLS.search(text) else text


def clean_line(text: str) -> str:
    """One line for a header value: no line ends, no tabs, no marks that change the direction of what follows."""
    return " ".join(_BIDI.sub("", clean(text)).split())
