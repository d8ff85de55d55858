"""Addresses in headers: one author or none, never a pick."""

import re

import idna

from mailflow.parse.headers import words
from mailflow.parse.text import Guesser, clean_line, decode

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*|\"[^\"\\\r\n@<>,;:\s]{{1,62}}\"")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))+")
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufffc\ufffd]")
_AROUND = re.compile(r"[^\s<>()\[\]\\,;:\"]{1,320}")

MOST_ADDRESSEES = 100
LONGEST_LOCAL = 64
LONGEST_DOMAIN = 253
LONGEST_NAME = 200


def author_of(values: list[bytes], guesser: Guesser) -> tuple[str | None, str]:
    """(addr-spec or None, display name) of the From fields: exactly one field with exactly one mailbox (RFC 5322 §3.6.2).

    Groups, lists, source routes, comments inside the address, encoded words as address, two pairs of angle brackets:
    whatever two programs might read as two different people is nobody. The same on every version of Python.
    """
    if len(values) != 1:
        return None, ""
    raw = decode(values[0], "utf-8", guesser)[0].strip()
    name, address = _mailbox(raw)
    return (addr_spec(address) if address is not None else None), clean_line(words(name, guesser))[:LONGEST_NAME].strip()


def _mailbox(raw: str) -> tuple[str, str | None]:
    """Display name, still encoded, and the text that should be the address, ``None`` where there is not plainly one."""
    masked = _mask(raw)
    if masked is None:
        return "", None
    opened, closed = masked.count("<"), masked.count(">")
    if opened == 0 and closed == 0:
        return _bare(raw, masked)
    start, end = masked.find("<"), masked.find(">")
    name = _unquoted(raw[:start]) if start > 0 else ""
    rest = masked[end + 1 :].strip()
    if opened != 1 or closed != 1 or end < start or (rest and not (rest.startswith("(") and rest.endswith(")"))):
        return name if opened == 1 else "", None
    if any(sign in masked[:start] for sign in ",;:@\\"):
        return name, None
    return name, raw[start + 1 : end]


def _bare(raw: str, masked: str) -> tuple[str, str | None]:
    """An address without angle brackets: alone, or ``addr (Name)`` as old mailers wrote it (RFC 5322 §3.4, appendix A.5)."""
    start = masked.find("(")
    if start > 0 and masked.endswith(")") and masked.count("(") == 1 == masked.count(")"):
        return raw[start + 1 : -1].strip(), raw[:start].rstrip()
    return "", raw


def _mask(raw: str) -> str | None:
    """The value with what stands in quoted strings and comments blanked out, same length; ``None`` where a quote or comment is open."""
    out: list[str] = []
    inside, depth, escaped = False, 0, False
    for letter in raw:
        hidden = inside or depth > 0
        if escaped:
            escaped = False
        elif letter == "\\" and hidden:
            escaped = True
        elif letter == '"' and not depth:
            inside = not inside
            hidden = False
        elif letter == "(" and not inside:
            depth += 1
            hidden = depth > 1
        elif letter == ")" and depth:
            depth -= 1
            hidden = depth > 0
        out.append("_" if hidden else letter)
    return None if inside or depth else "".join(out)


def _unquoted(phrase: str) -> str:
    """A display name without the quote marks around it or around its words, quoted pairs undone."""
    text = phrase.strip()
    if '"' not in text:
        return text
    out: list[str] = []
    escaped = False
    for letter in text:
        if not escaped and letter in '"\\':
            escaped = letter == "\\"
            continue
        escaped = False
        out.append(letter)
    return "".join(out).strip()


def addr_spec(text: str) -> str | None:
    """An addr-spec (RFC 5322 §3.4.1, dot-atom or a plain quoted string), its domain in lower-case A-labels; ``None`` for all else.

    The local part is kept as written: its case and its dots are its server's business.
    """
    if len(text) > LONGEST_LOCAL + LONGEST_DOMAIN + 1 or "=?" in text:
        return None
    local, _, domain = text.rpartition("@")
    if len(local) > LONGEST_LOCAL or _ODD.search(local) or not _LOCAL.fullmatch(local):
        return None
    host = a_label(domain)
    return f"{local}@{host}" if host else None


def a_label(domain: str) -> str:
    """A domain of two labels or more in lower-case A-labels (RFC 5890, UTS #46), ``""`` where it is none.

    The length is capped before idna sees it (CVE-2024-3651 and its kin).
    """
    if not domain or len(domain) > LONGEST_DOMAIN or _ODD.search(domain):
        return ""
    lower = domain.lower()
    if not lower.isascii():
        try:
            lower = idna.encode(lower, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    return lower if len(lower) <= LONGEST_DOMAIN and _HOST.fullmatch(lower) else ""


def all_in(values: list[bytes], guesser: Guesser) -> tuple[str, ...]:
    """Every addr-spec that To and Cc fields hold, at most a hundred: good for "was it written to us?", not for identity."""
    found: dict[str, None] = {}
    for value in values:
        for match in _AROUND.finditer(decode(value, "utf-8", guesser)[0]):
            spec = addr_spec(match[0]) if "@" in match[0] else None
            if spec is not None:
                found[spec] = None
            if len(found) >= MOST_ADDRESSEES:
                return tuple(found)
    return tuple(found)
