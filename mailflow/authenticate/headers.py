"""The one view of a mail's header block that signatures and identity are both taken from."""

import re
from dataclasses import dataclass

import idna

Field = tuple[bytes, bytes]
"""(name as written, value with its folds and a final CRLF), as RFC 6376 §3.4 hashes it."""

SINGLETONS = frozenset({
    b"from", b"sender", b"reply-to", b"to", b"cc", b"message-id", b"subject", b"date",
    b"mime-version", b"content-type", b"content-transfer-encoding",
})  # fmt: skip
"""Fields that RFC 5322 §3.6 and RFC 2045 allow once."""

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ANGLE = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Block:
    """Header fields in order, the body with CRLF line ends, and the flaws that make every proof worthless."""

    fields: tuple[Field, ...]
    body: bytes
    flaws: tuple[str, ...]

    def values(self, name: bytes) -> list[bytes]:
        """The values of a field (name in lower case), from the top."""
        return [value for key, value in self.fields if key.lower() == name]


def split(raw: bytes) -> Block:
    """Takes a mail's header block apart, strictly; never raises.

    Line ends may be CRLF or, in files, LF. Whatever two readers could read in two ways is a flaw: bare CR and
    NUL (CPython splits lines there, DKIM does not), a first line that is folded, lines that are no field.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    head, body = _divide(raw)
    flaws = [name for name, sign in (("bare_cr_in_header", b"\r"), ("nul_in_header", b"\0")) if sign in head.replace(b"\r\n", b"\n")]
    fields: list[list[bytes]] = []
    for number, line in enumerate(re.split(rb"\r?\n", head)):
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1] += line + b"\r\n"
            else:
                flaws.append("folded_first_line")
        elif match := _FIELD.match(line):
            fields.append([match[1], line[match.end() :] + b"\r\n"])
            if line[match.end() - 2 : match.end() - 1] in (b" ", b"\t"):
                flaws.append("space_before_colon")
        elif number or not line.startswith(b"From "):
            flaws.append("line_is_no_field")
    seen = [name.lower() for name, _ in fields]
    flaws += [f"duplicate_{name.decode().replace('-', '_')}" for name in sorted(SINGLETONS) if seen.count(name) > 1]
    return Block(tuple((name, value) for name, value in fields), body, tuple(dict.fromkeys(flaws)))


def _divide(raw: bytes) -> tuple[bytes, bytes]:
    """Head and body; the body's line ends are made CRLF, as they were on the wire."""
    match = re.search(rb"\r?\n\r?\n", raw)
    if match is None:
        return raw.rstrip(b"\r\n"), b""
    body = raw[match.end() :]
    return raw[: match.start()], body if b"\n" not in body.replace(b"\r\n", b"") else re.sub(rb"\r?\n", b"\r\n", body)


def author_of(block: Block) -> str | None:
    """The addr-spec in the one From field, domain in lower-case A-labels; ``None`` where there is not exactly one.

    Deliberately narrower than RFC 5322: what is not plainly one address is nobody's proof.
    """
    values = block.values(b"from")
    if len(values) != 1:
        return None
    text = re.sub(r"\r\n(?=[ \t])", "", values[0].decode("utf-8", "replace")).strip()
    angled = _ANGLE.findall(text)
    if len(angled) > 1 or (angled and not text.endswith(">")):
        return None
    address = (angled[0] if angled else text).strip()
    local, _, domain = address.rpartition("@")
    if not local or not domain or re.search(r'[\s",;:<>()\[\]\\]', address.replace('"', "", 2) if local[0] == '"' else address):
        return None
    return f"{local}@{a_label(domain)}" if a_label(domain) else None


def a_label(domain: str) -> str:
    """A domain in lower-case A-labels, ``""`` where it is no host name (RFC 5890). Never raises."""
    if len(domain) > 253:
        return ""
    lower = domain.lower()
    if re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", lower):
        return lower
    if lower.isascii():
        return ""
    try:
        return idna.encode(lower, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""
