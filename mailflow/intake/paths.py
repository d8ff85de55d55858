"""Paths and parameters of MAIL and RCPT (RFC 5321 §4.1.2, RFC 6531 §3.3), and how a recipient is compared."""

import re
import unicodedata
from dataclasses import dataclass

from mailflow.decide import identity
from mailflow.parse.addresses import a_label

_OPTIONS = r"((?:[ \t]+[!-~]+)*)[ \t]*"
# A sender is kept and never acted on, so any path will do: quoted, routed, literal. A recipient has to be one of ours.
_REVERSE_PATH = re.compile(r"[ \t]*<((?:\"(?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~]){0,64}\")?[!#-;=?-~\x80-\U0010ffff]{0,254})>" + _OPTIONS)
_FORWARD_PATH = re.compile(r"[ \t]*<([!#-'*+\--9=?@A-Z^-~\x80-\U0010ffff]{1,254})>" + _OPTIONS)
_LONGEST = 320
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_JOINERS = "\u200c\u200d"
"""Persian and Indic names are spelt with them."""


@dataclass(frozen=True, slots=True)
class Path:
    """An address as it was written, without its brackets, and the parameters behind it, in upper case."""

    address: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """An accepted recipient and the campaign that it means, ``None`` where it is mistyped and could mean two."""

    address: str
    campaign: str | None


def reverse_path(argument: str) -> Path | None:
    """The argument of MAIL; ``None`` where it is no ``FROM:<path>``, or holds characters that no one can see."""
    return _path(_REVERSE_PATH, argument[5:]) if argument[:5].upper() == "FROM:" else None


def forward_path(argument: str) -> Path | None:
    """The argument of RCPT; ``None`` where it is no ``TO:<path>`` with a plain address."""
    return _path(_FORWARD_PATH, argument[3:]) if argument[:3].upper() == "TO:" else None


def _path(shape: re.Pattern[str], text: str) -> Path | None:
    found = shape.fullmatch(text)
    if found is None or not _visible(found[1]):
        return None
    return Path(found[1], tuple(found[2].upper().split()))


def _visible(address: str) -> bool:
    """Whether every letter beyond ASCII is one that shows, and the whole is no longer than an address may be in octets."""
    if address.isascii():
        return True
    odd = any(unicodedata.category(letter) in _INVISIBLE and letter not in _JOINERS for letter in address if letter > "\x7f")
    return not odd and len(address.encode()) <= _LONGEST


def canonical(address: str) -> str:
    """A recipient as campaigns are looked up: NFC, without case and tag, its domain in A-labels; ``""`` for what cannot be one.

    ``%``, ``!`` and source routes never match an address of ours.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local:
        return ""
    host = domain.lower() if domain.isascii() else a_label(domain)
    # Case folding can take apart what NFC had put together.
    return unicodedata.normalize("NFC", identity(f"{unicodedata.normalize('NFC', local)}@{host}")) if host else ""
