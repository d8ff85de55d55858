"""Texts of our own that people quote without marking them."""

import re
from dataclasses import dataclass

from mailflow.parse.lines import Line, mark, paragraphs

LONGEST_SCANNED = 4000
LEAST_IN_A_ROW = 3
SHORTEST_LINE = 12
LONG_ENOUGH_ALONE = 160
"""Letters of a paragraph that nobody writes by chance as we wrote it."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_FIRST_WORD = re.compile(r"[\W\d_]{0,12}([^\W\d_]{1,40})")
_NUMBER = re.compile(r"^(?:\(?\d{1,2}[.)]|[-•*·–])\s+")


@dataclass(frozen=True, slots=True)
class Known:
    """Passages of our texts, white space folded. ``passages`` is empty where we sent nothing."""

    passages: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: tuple[str, ...]) -> "Known":
        """Every paragraph of our texts, and every line that says something. The labels of a form are no passages: people fill them in."""
        found = {fold(piece) for text in texts for piece in _PARAGRAPH.split(text)}
        found |= {line for text in texts for piece in text.split("\n") if len(line := fold(piece)) >= SHORTEST_LINE}
        passages = frozenset(piece for piece in found if piece and not piece.endswith((":", "?")))
        return cls(passages, frozenset(start_of(piece) for piece in passages))

    def holds(self, text: str) -> bool:
        """Whether a text is a passage of ours. Most are not, and their first word tells."""
        return start_of(text) in self.starts and fold(text) in self.passages


def start_of(text: str) -> str:
    """The first word of a text, case gone, ``""`` where it has none near its start."""
    match = _FIRST_WORD.match(text)
    return match[1].casefold() if match else ""


def fold(text: str) -> str:
    """Text for comparing: white space folded, case gone, list numbers, quote marks and emphasis at the edges off."""
    folded = " ".join(text.split()).casefold().strip('*#_> "“”«»„')
    return _NUMBER.sub("", folded)


def mark_statement(lines: list[Line], known: Known) -> None:
    """Marks our own passages: three in a row, or a single long one. A sentence of ours in a paragraph of theirs stays."""
    if not known.passages:
        return
    run: list[tuple[int, int]] = []
    for start, end in paragraphs(lines[:LONGEST_SCANNED]):
        for first, last, is_ours in _pieces(lines, start, end, known):
            if is_ours:
                run.append((first, last))
            elif run:
                _mark_run(lines, run)
                run = []
    _mark_run(lines, run)


def _pieces(lines: list[Line], start: int, end: int, known: Known) -> list[tuple[int, int, bool]]:
    """A paragraph as one passage, wrapped as it may be, or else line by line."""
    if start_of(lines[start].text) in known.starts and known.holds(" ".join(line.text for line in lines[start:end])):
        return [(start, end, True)]
    return [(at, at + 1, known.holds(lines[at].text)) for at in range(start, end)]


def _mark_run(lines: list[Line], run: list[tuple[int, int]]) -> None:
    longest = max((sum(len(line.text) for line in lines[first:last]) for first, last in run), default=0)
    if len(run) >= LEAST_IN_A_ROW or longest >= LONG_ENOUGH_ALONE:
        mark(lines, run[0][0], run[-1][1], "statement")
