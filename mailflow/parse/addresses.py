"""Addresses in headers: one author or none, never a pick."""

import re

import idna

from mailflow.parse.headers import words
from mailflow.parse.text import clean_line, decode

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_ADDR_SPEC = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*|\"(?:[^\"\\\r\n@<>,;:\s]){{1,64}}\")@([A-Za-z0-9\u0080-\U0010ffff._-]{{1,253}})")
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_FIND = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9\u0080-\U0010ffff-]{{1,63}}(?:\.[A-Za-z0-9\u0080-\U0010ffff-]{{1,63}})+")
MOST_ADDRESSEES = 100


def author_of(values: list[bytes]) -> tuple[str | None, str]:
    """(addr-spec or None, display name) of the From fields: exactly one field with exactly one mailbox (RFC 5322 §3.6.2).

    Groups, lists, source routes, comments inside the address, encoded words as address, two pairs of angle brackets:
    whatever two programs might read as two different people is nobody.
    """
    if len(values) != 1:
        return None, ""
    raw = decode(values[0], "utf-8")[0].strip()
    name, address = _mailbox(raw)
    return (_addr_spec(address) if address is not None else None), name


def _mailbox(raw: str) -> tuple[str, str | None]:
    """Display name and the text that should be the address, ``None`` where there is not plainly one."""
    masked = _mask_quoted(raw)
    if masked is None:
        return "", None
    opened, closed = masked.count("<"), masked.count(">")
    if opened == 0 and closed == 0:
        bare, comment = _trailing_comment(masked)
        return _name(raw[len(masked) - len(masked.lstrip()) :][comment:] if comment else ""), raw[: len(bare)].strip()
    if opened != 1 or closed != 1 or not masked.rstrip().endswith(">"):
        return "", None
    start = masked.index("<")
    phrase = masked[:start]
    name = _name(raw[:start])
    if any(sign in phrase for sign in ",;:@"):
        return name, None
    return name, raw[start + 1 : masked.index(">")]


def _mask_quoted(raw: str) -> str | None:
    """The value with quoted strings blanked out, same length; ``None`` where a quote is not closed."""
    out, inside, escaped = [], False, False
    for letter in raw:
        if escaped:
            out.append("_")
            escaped = False
        elif letter == "\\":
            out.append("_" if inside else letter)
            escaped = inside
        elif letter == '"':
            out.append('"')
            inside = not inside
        else:
            out.append("_" if inside else letter)
    return None if inside else "".join(out)


def _trailing_comment(masked: str) -> tuple[str, int]:
    """For ``addr (Name)``, the form of old mailers: the length of the address part, and where the comment starts."""
    text = masked.rstrip()
    start = text.find("(")
    if start > 0 and text.endswith(")") and text.count("(") == 1:
        return text[:start], start
    return text, 0


def _name(raw: str) -> str:
    text = raw.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if len(text) > 1 and text[0] == '"' and text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return clean_line(words(text))[:200]


def _addr_spec(text: str) -> str | None:
    """An addr-spec with its domain in lower-case A-labels, or None."""
    match = _ADDR_SPEC.fullmatch(text.strip()) if len(text) <= 320 else None
    if match is None or "=?" in text:
        return None
    domain = a_label(match[1])
    return f"{text.strip()[: match.start(1) - 1]}@{domain}" if domain and "." in domain else None


def a_label(domain: str) -> str:
    """A domain in lower-case A-labels (RFC 5890), ``""`` where it is none. The length is capped before idna sees it."""
    lower = domain.lower()
    if lower.isascii():
        return lower if _HOST.fullmatch(lower) else ""
    if len(domain) > 253:
        return ""
    try:
        return idna.encode(lower, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


def all_in(values: list[bytes]) -> tuple[str, ...]:
    """Every addr-spec that To and Cc fields hold, at most a hundred: good for "was it written to us?", not for identity."""
    found: list[str] = []
    for value in values:
        for match in _FIND.finditer(decode(value, "utf-8")[0][:65_536]):
            spec = _addr_spec(match[0])
            if spec is not None:
                found.append(spec)
            if len(found) >= MOST_ADDRESSEES:
                return tuple(found)
    return tuple(dict.fromkeys(found))
