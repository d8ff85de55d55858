"""Bounds that are checked on raw bytes, before any parser sees them: each input below is quadratic or worse in one."""

import re

from mailflow.config.settings import LimitSettings

_HEAD_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_FIELD_END = re.compile(rb"\r?\n(?![ \t])|\r(?![\n \t])")
_ADDRESS_FIELD = re.compile(rb"(?im)^(?:from|to|cc|sender|reply-to|resent-[a-z-]{2,12})[ \t]*:")
_STRUCTURED_FIELD = re.compile(rb"(?im)^content-(?:type|disposition|transfer-encoding)[ \t]*:")
_CONTAINER = re.compile(rb"(?i)content-type[ \t]*:\s{0,8}(?:multipart|message)/")
_RECEIVED = re.compile(rb"(?im)^received[ \t]*:")

MOST_PARAMETERS = 64
STRUCTURED_FIELD_BYTES = 8192


def head_of(raw: bytes) -> bytes:
    """The header block: everything before the first empty line."""
    match = _HEAD_END.search(raw)
    return raw[: match.start()] if match else raw


def exceeded(raw: bytes, limits: LimitSettings) -> tuple[str, ...]:
    """The names of the caps that a mail breaks; such a mail is not parsed. Linear in its size."""
    head = head_of(raw)
    broken = {
        "header_block_too_large": len(head) > limits.header_bytes,
        "too_many_header_lines": head.count(b"\n") + head.count(b"\r") > 2 * limits.header_lines,
        "address_header_too_large": _longest(head, _ADDRESS_FIELD) > limits.address_header_bytes,
        "too_many_hops": sum(1 for _ in _RECEIVED.finditer(head)) > limits.hops,
        "structured_header_too_large": _structure_is_hostile(raw),
        "mime_too_deep": sum(1 for _ in _CONTAINER.finditer(raw)) > limits.mime_parts,
        "too_many_mime_parts": raw.count(b"\n--") + raw.count(b"\r--") > 4 * limits.mime_parts and _CONTAINER.search(raw) is not None,
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)


def _longest(head: bytes, field: re.Pattern[bytes]) -> int:
    return max((_end(head, match.end()) - match.end() for match in field.finditer(head)), default=0)


def _end(raw: bytes, start: int) -> int:
    match = _FIELD_END.search(raw, start)
    return match.start() if match else len(raw)


def _structure_is_hostile(raw: bytes) -> bool:
    """Whether any part's Content-Type and the like are so long or have so many parameters that parsing them is quadratic."""
    for match in _STRUCTURED_FIELD.finditer(raw):
        end = _end(raw, match.end())
        if end - match.end() > STRUCTURED_FIELD_BYTES or raw.count(b";", match.end(), end) > MOST_PARAMETERS:
            return True
    return False
