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

LONGEST_HEADER = 262_144
"""Bytes of a header block that are looked into: four times what the parser reads by default."""

_FIELD = re.compile(rb"([!-9;-~]+)([ \t]*):")
_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_FOLD = re.compile(r"\r\n(?=[ \t])")
_MAILBOX = re.compile(r'(?:(?:"(?:[^"\\]|\\.)*+"|[^"<>@,;:\\])*+<\s*([^<>\s]*)\s*>)|([^<>]*)')
"""A display name, in which ``<>@,;:\\`` stand in quotes only, and an address in angle brackets; or an address alone."""

_NOT_IN_ADDRESS = re.compile(r'[\s",;:<>()\[\]\\]|=\?')
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")


@dataclass(frozen=True, slots=True)
class Block:
    """Header fields in order, the body as it is in the mail, and the flaws that make every proof worthless."""

    fields: tuple[Field, ...]
    body: bytes
    flaws: tuple[str, ...]

    def named(self, name: bytes) -> list[Field]:
        """The fields of a name (in lower case), from the top."""
        return [field for field in self.fields if field[0].lower() == name]


def split(raw: bytes) -> Block:
    """Takes a mail's header block apart, strictly; never raises; linear.

    Line ends may be CRLF or, in files, LF. Whatever two readers could read in two ways is a flaw: bare CR and
    NUL (CPython splits lines there, DKIM does not), a first line that is folded, lines that are no field.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    end = _END.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw.rstrip(b"\r\n"), b"")
    if len(head) > LONGEST_HEADER:
        return Block((), body, ("header_block_too_large",))
    fields, flaws = _fields(head)
    if b"\r" in head.replace(b"\r\n", b"\n"):
        flaws.insert(0, "bare_cr_in_header")
    if b"\0" in head:
        flaws.append("nul_in_header")
    seen = [name.lower() for name, _ in fields]
    flaws += [f"duplicate_{name.decode().replace('-', '_')}" for name in sorted(SINGLETONS) if seen.count(name) > 1]
    return Block(fields, body, tuple(dict.fromkeys(flaws)))


def _fields(head: bytes) -> tuple[tuple[Field, ...], list[str]]:
    fields: list[tuple[bytes, list[bytes]]] = []
    flaws: list[str] = []
    for number, line in enumerate(_LINE_END.split(head)):
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(line)
            else:
                flaws.append("folded_first_line")
        elif match := _FIELD.match(line):
            fields.append((match[1], [line[match.end() :]]))
            if match[2]:
                flaws.append("space_before_colon")
        elif number or not line.startswith(b"From "):
            flaws.append("line_is_no_field")
    return tuple((name, b"\r\n".join(lines) + b"\r\n") for name, lines in fields), flaws


def author_of(block: Block) -> str | None:
    """The addr-spec in the one From field, domain in lower-case A-labels; ``None`` where there is not exactly one.

    Deliberately narrower than RFC 5322: what is not plainly one address is nobody's proof.
    """
    found = block.named(b"from")
    if len(found) != 1:
        return None
    match = _MAILBOX.fullmatch(_FOLD.sub("", found[0][1].decode("utf-8", "replace")).strip())
    if match is None:
        return None
    address = match[1] if match[1] is not None else match[2]
    local, _, domain = address.rpartition("@")
    plain = address.replace('"', "", 2) if local[:1] == '"' == local[-1:] else address
    if not local or _NOT_IN_ADDRESS.search(plain):
        return None
    host = a_label(domain)
    return f"{local}@{host}" if host else None


def a_label(domain: str) -> str:
    """A domain in lower-case A-labels, ``""`` where it is no host name (RFC 5890). Never raises."""
    if len(domain) > 253:
        return ""
    lower = domain.lower()
    if _HOST.fullmatch(lower):
        return lower
    if lower.isascii():
        return ""
    try:
        label = idna.encode(lower, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""
    return label if _HOST.fullmatch(label) else ""
