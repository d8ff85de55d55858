"""Bytes to text that every store and screen can take."""

import codecs
import re
from dataclasses import dataclass

import chardet

# Codecs that are no charsets of mail, or that turn harmless bytes into markup (UTF-7) or anything else.
_NEVER = frozenset({
    "utf_7", "unicode_escape", "raw_unicode_escape", "unicode_internal", "idna", "punycode", "undefined", "hex", "hex_codec", "base64",
    "zlib", "bz2", "uu", "quopri", "rot13", "mbcs", "oem", "charmap", "cp037", "cp500", "cp1026", "cp1140", "cp273", "cp424", "cp875",
})  # fmt: skip
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030", "hz-gb-2312": "hz",
    "big5": "cp950", "x-x-big5": "cp950", "cn-big5": "cp950", "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949",
    "x-windows-949": "cp949", "x-sjis": "cp932", "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "ansi_x3.4-1968": "cp1252",
    "x-user-defined": "cp1252", "unknown-8bit": "", "x-unknown": "", "unknown": "", "default": "", "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8", "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "unicode-1-1-utf-8": "utf-8", "utf8": "utf-8", "x-utf-8": "utf-8", "utf-8-mac": "utf-8", "utf8mb4": "utf-8", "cp-850": "cp850",
    "x-mac-roman": "mac_roman", "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "iso-2022-jp": "iso2022_jp_ext",
}  # fmt: skip
"""What senders say -> what they mean: the superset that the bytes are really in (WHATWG Encoding says much the same)."""

_GUESSED = re.compile(
    r"(?:windows-|cp)(?:125\d|87[4]|9\d\d|866)|iso-8859-\d+|koi8-[rtu]|gb18030|gb2312|big5\S*|euc-\S+|shift_jis|mac\S+|tis-620|johab",
    re.IGNORECASE,
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\ue00f\ufeff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_SEVEN_BIT = ("utf-16", "utf16", "utf-32", "utf32", "hz", "ucs-2", "iso-2022", "iso2022", "utf_16", "utf_32")
GUESS_BYTES = 4096
MOST_GUESSES = 4
FEW_HIGH_BYTES = 8


@dataclass(slots=True)
class Guesser:
    """Guesses charsets for one mail: a few times only (a guess costs a millisecond), then as the last time."""

    hint: str | None = None
    left: int = MOST_GUESSES
    last: str = "cp1252"

    def guess(self, data: bytes) -> str:
        """The codec that bytes of no known charset are most likely in: the one the mail names elsewhere, if they fit."""
        if self.hint and self.hint not in ("utf-8", "cp1252") and _strict(data, self.hint) is not None:
            return self.hint
        high = len(data) - len(data.decode("ascii", "ignore"))
        if high < FEW_HIGH_BYTES and 2 * high <= len(data):
            # An accent here and there: too little to tell Western from Central European, and Western is what it mostly is.
            return self.last
        if self.left > 0:
            self.left -= 1
            found = str(chardet.detect(_telling(data)).get("encoding") or "")
            # chardet's confidence is low even where it is right; its answer is better than ours as long as it is a charset of mail.
            self.last = (codec_of(found) or "cp1252") if _GUESSED.fullmatch(found) else "cp1252"
        return self.last


def _telling(data: bytes) -> bytes:
    """The lines that are not plain ASCII: only they say anything."""
    lines = [line for line in data[: 4 * GUESS_BYTES].split(b"\n") if not line.isascii()]
    return b"\n".join(lines)[:GUESS_BYTES] or data[:GUESS_BYTES]


def decode(data: bytes, charset: str | None, guesser: Guesser) -> tuple[str, str | None]:
    """Text of ``data`` and the name of a defect, if the declared charset was a lie or missing. Never raises.

    UTF-8 that is valid and not ASCII is taken as UTF-8 whatever was declared: no other text looks like it.
    """
    name = (charset or "").strip(" \t\"'").lower()
    if data.isascii() and b"\x1b" not in data and not name.startswith(_SEVEN_BIT):
        return data.decode("ascii"), None
    if name.startswith(_SEVEN_BIT) or b"\x1b$" in data or b"\x1b(" in data:
        return _shifted(data, name, guesser)
    if (text := _strict(data, "utf-8")) is not None:
        return text, None if name in ("utf-8", "utf8", "us-ascii", "") else "charset_was_utf_8"
    codec = codec_of(name)
    if codec == "utf-8" or codec is None:
        text = data.decode("utf-8", "replace")
        if 3 * text.count("\ufffd") < len(text) - len(text.encode("ascii", "ignore")):
            return text, "charset_damaged"
    if codec is not None and codec != "utf-8":
        text = _loose(data, codec)
        return text, "charset_damaged" if "\ufffd" in text else None
    return _loose(data, guesser.guess(data)), "charset_guessed"


def _shifted(data: bytes, name: str, guesser: Guesser) -> tuple[str, str | None]:
    """Text in a charset that hides letters behind ASCII bytes: ISO-2022 escapes, HZ, UTF-16 and UTF-32."""
    declared = codec_of(name)
    for codec in (declared, "iso2022_jp_ext", "iso2022_kr"):
        if codec is not None and (text := _strict(data, codec)) is not None:
            return text, None if codec == declared else "charset_guessed"
    if (text := _strict(data, "utf-8")) is not None:
        return text, "charset_guessed"
    return _loose(data, declared or guesser.guess(data)), "charset_damaged"


def _strict(data: bytes, codec: str) -> str | None:
    """The text, if every byte of it fits."""
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError, LookupError):
        return None


def _loose(data: bytes, codec: str) -> str:
    """The text, with U+FFFD where a byte does not fit."""
    try:
        return data.decode(codec, "replace")
    except (UnicodeError, ValueError, LookupError):
        return data.decode("cp1252", "replace")


def codec_of(name: str) -> str | None:
    """Python's codec for a charset name as senders write it, ``None`` for what is no charset of mail. Never raises."""
    meant = _MEANT.get(name.lower(), name)
    if not meant or not meant.isascii() or not meant.isprintable() or len(meant) > 60:
        return None
    try:
        found = codecs.lookup(meant)
    except (LookupError, ValueError, UnicodeError):
        return None
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name.replace("-", "_") not in _NEVER else None


def clean(text: str) -> str:
    r"""Text with ``\n`` line ends and without controls, surrogates, NUL and our own private marks."""
    if text.isascii() and (text.isprintable() or text.replace("\n", "").isprintable()):
        return text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x0c" in text or not text.isascii():
        text = text.replace("\x0c", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _CONTROLS.sub("", text) if _CONTROLS.search(text) else text


def clean_line(text: str) -> str:
    """One line for a header value: no line ends, no tabs, no marks that change the direction of what follows."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_BIDI.sub("", clean(text)).split())
