"""The lines of a body, each with what it was found to be."""

import re
from dataclasses import dataclass

from mailflow.parse.html import SIGNATURE_MARK

OWN = ""
"""The kind of a line that the sender wrote in this mail."""
LONGEST_LOOKED_AT = 400
"""A longer line is prose: no attribution, label or separator."""

_DIRECTION = re.compile("[\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]")
_PAIRS = str.maketrans("＞：", ">:")


@dataclass(slots=True)
class Line:
    """One line. ``text`` is as it stands, ``bare`` without marks of direction, edges and emphasis, ``""`` where it is too long to matter."""

    text: str
    bare: str
    kind: str = OWN

    @property
    def own(self) -> bool:
        """Whether it is (still) the sender's own, and not empty."""
        return not self.kind and bool(self.text.strip())


def plain_text(text: str) -> str:
    """A text without the marks of our own."""
    return text.replace(SIGNATURE_MARK, "")


def lines_of(body: str) -> list[Line]:
    """The lines of a body; those that quote marks or the markup name are marked."""
    return [_line(text) for text in body.split("\n")]


def _line(text: str) -> Line:
    if text.startswith(SIGNATURE_MARK):
        return Line(text[1:], text[1:].strip(), "signature")
    if len(text) > LONGEST_LOOKED_AT:
        return Line(text, "", "quote" if text.lstrip(" ").startswith(">") else OWN)
    plain = text if text.isascii() else _DIRECTION.sub("", text)
    start = plain.lstrip(" \t").translate(_PAIRS) if plain[:1] in " \t＞" else plain
    if start.startswith(">") and not _is_smiley(start):
        return Line(text, "", "quote")
    return Line(text, plain.strip(" \t\xa0*"))


def _is_smiley(text: str) -> bool:
    """``>:-(`` and ``>.<`` at the start of a short line."""
    return text[1:2] in (":", ".") and len(text) < 8


def mark(lines: list[Line], start: int, end: int, kind: str) -> None:
    """Gives the lines from ``start`` to before ``end`` a kind, if they have none."""
    for line in lines[start:end]:
        line.kind = line.kind or kind


def paragraphs(lines: list[Line]) -> list[tuple[int, int]]:
    """Start and end of each run of own, non-empty lines."""
    found: list[tuple[int, int]] = []
    start = -1
    for at, line in enumerate(lines):
        if line.own:
            start = at if start < 0 else start
        elif start >= 0:
            found.append((start, at))
            start = -1
    return [*found, (start, len(lines))] if start >= 0 else found


def segments(lines: list[Line]) -> list[tuple[int, int]]:
    """Start and end of each stretch of own text between things that are not: the answers between quotes."""
    found: list[tuple[int, int]] = []
    start = -1
    for at, line in enumerate(lines):
        if not line.kind:
            start = at if start < 0 else start
        elif start >= 0:
            found.append((start, at))
            start = -1
    return [*found, (start, len(lines))] if start >= 0 else found
