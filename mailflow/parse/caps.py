"""Bounds that are checked on raw bytes, before any parser sees them: what lies beyond is quadratic or worse in one."""

import re

from mailflow.config.settings import LimitSettings

_EMPTY_LINE = re.compile(rb"(?>\r\r\n|\r\n|\n|\r){2}")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_ADDRESS_FIELD = re.compile(rb"(?im)^(?:from|to|cc|bcc|sender|reply-to|resent-[a-z-]{2,12})[ \t]*:")
# Each begins with the line end before it: the search then leaps from line to line.
_STRUCTURED_FIELD = re.compile(rb"(?i)\n(?:content-(?:type|disposition|transfer-encoding)|mime-version)[ \t]*:")
_CONTAINER = re.compile(rb"(?i)\ncontent-type[ \t]*:\s*(?:multipart|message)/")
_BOUNDARY = re.compile(rb"(?i)boundary\*?0?\*?[ \t]*=[ \t]*(?:\"([^\"\n]{1,300})|([^\s;\"]{1,300}))")
_MARK = re.compile(rb"(?im)^--([^\n]{1,300})$|^(content-type)[ \t]*:\s*(?:multipart|message)/")
_RECEIVED = re.compile(rb"(?im)^received[ \t]*:")

MOST_PARAMETERS = 64
STRUCTURED_FIELD_BYTES = 8192
MOST_MARKS = 4000
"""Lines that may be delimiters; beyond it nobody asks whether they are."""
MOST_LINE_VISITS = 3_000_000
"""Lines times open multiparts: the standard parser looks at each line once for each multipart it stands in."""


def unified(raw: bytes) -> bytes:
    """The mail with LF line ends, without what some programs put above the header.

    CR CR LF is one line end (a file that was converted twice), a lone CR too: the standard parser takes it for one,
    and two readers of one mail must see the same lines. Above the header a byte order mark, empty lines and one mbox
    separator line are dropped.
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\n")
    if raw.startswith((b"From ", b">From ")) and b":" not in raw[5:6]:
        raw = raw.partition(b"\n")[2]
    return raw


def has_bare_cr(raw: bytes) -> bool:
    """Whether the header block holds a CR that is not half of a CRLF: signatures and parsers part lines differently there (F7)."""
    if raw.count(b"\r") == raw.count(b"\r\n"):
        return False
    mail = raw.lstrip(b"\r\n")
    end = _EMPTY_LINE.search(mail)
    head = mail[: end.start()] if end else mail
    return head.count(b"\r") != head.count(b"\r\n")


def divide(mail: bytes) -> tuple[bytes, bytes]:
    """Header block and body of a mail with LF line ends: they part at the first empty line (RFC 5322 §2.1)."""
    if mail.startswith(b"\n"):
        return b"", mail[1:]
    head, _, body = mail.partition(b"\n\n")
    return head, body


def exceeded(head: bytes, body: bytes, limits: LimitSettings) -> tuple[str, ...]:
    """The names of the caps that a mail breaks; such a mail is not parsed. Linear in its size."""
    broken = {
        "header_block_too_large": len(head) > limits.header_bytes,
        "too_many_header_lines": head.count(b"\n") >= limits.header_lines,
        "address_header_too_large": len(head) > limits.address_header_bytes
        and _longest(head, _ADDRESS_FIELD) > limits.address_header_bytes,
        "too_many_hops": head.count(b":") > limits.hops and len(_RECEIVED.findall(head)) > limits.hops,
    }
    return (*(name for name, is_broken in broken.items() if is_broken), *_structure(head, body, limits))


def hops(head: bytes) -> int:
    """How many servers passed the mail on: the Received fields of its header block."""
    return len(_RECEIVED.findall(head))


def _structure(head: bytes, body: bytes, limits: LimitSettings) -> list[str]:
    """The caps on MIME that are broken: field sizes, depth, number of parts."""
    head, body = b"\n" + head, b"\n" + body
    if _is_hostile(head) or _is_hostile(body):
        return ["structured_header_too_large"]
    if not _CONTAINER.search(head):
        return []
    containers = 1 + len(_CONTAINER.findall(body))
    marks = body.count(b"\n--") + (not body.startswith(b"\n--"))
    depth = containers
    if (containers > limits.mime_depth or marks > limits.mime_parts) and marks <= MOST_MARKS:
        depth, marks = _measure(head + b"\n" + body)
    broken = {
        "mime_too_deep": depth > limits.mime_depth,
        "too_many_mime_parts": marks > limits.mime_parts or containers > limits.mime_parts,
        "too_many_lines": body.count(b"\n") * min(depth, containers) > MOST_LINE_VISITS,
    }
    return [name for name, is_broken in broken.items() if is_broken]


def _measure(mail: bytes) -> tuple[int, int]:
    """(depth, number of parts), estimated on raw bytes with one stack of open boundaries; never less than a parser finds.

    A container opens a level; a delimiter line closes all levels above the one it belongs to.
    """
    known = {(match[1] or match[2]).rstrip() for match in _BOUNDARY.finditer(mail)}
    opened: dict[bytes, int] = {}
    stack: list[bytes] = []
    deepest = parts = level = 0
    for match in _MARK.finditer(mail):
        if match[2] is not None:
            level += 1
            deepest = max(deepest, level)
            continue
        line = match[1].rstrip()
        name = line if line in known else line.removesuffix(b"--")
        if name not in known:
            continue
        parts += line in known
        if name in opened:
            while stack[-1] != name:
                del opened[stack.pop()]
            level = opened[name]
        else:
            opened[name] = level
            stack.append(name)
    return deepest, parts


def _longest(head: bytes, field: re.Pattern[bytes]) -> int:
    return max((_end(head, match.end()) - match.end() for match in field.finditer(head)), default=0)


def _end(raw: bytes, start: int) -> int:
    match = _FIELD_END.search(raw, start)
    return match.start() if match else len(raw)


def _is_hostile(raw: bytes) -> bool:
    """Of text that begins with a line end: whether any part's Content-Type and the like are so long or have so many parameters that parsing them is quadratic."""
    for match in _STRUCTURED_FIELD.finditer(raw):
        end = _end(raw, match.end())
        if end - match.end() > STRUCTURED_FIELD_BYTES or raw.count(b";", match.end(), end) > MOST_PARAMETERS:
            return True
    return False
