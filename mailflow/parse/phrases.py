"""Patterns of phrases, as the lexicons write them."""

import re
from dataclasses import dataclass

from mailflow.parse.fold import WORD, fold

GAP = ".."
STEM = 3
_PART = re.compile(rf"(\([^()]*\)\*?)|(\.\.)|({WORD}(?:['’]{WORD})*\*?)")


Part = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One pattern of one language: parts that follow each other, each a choice between token sequences (maybe empty).

    A token may be a ``stem*``; ``..`` stands for up to four tokens.
    """

    concern: str
    language: str
    parts: tuple[Part, ...]


def firsts(parts: tuple[Part, ...]) -> set[str]:
    """Every token that a match may begin with."""
    found = {option[0] for option in parts[0] if option}
    return found if all(parts[0]) or len(parts) == 1 else found | firsts(parts[1:])


def compile_phrases(text: str, concern: str, language: str) -> list[Phrase]:
    """Phrases separated by ``;`` or line ends: words, ``stem*``, ``..`` and ``(one|two|)`` for alternatives.

    Raises ValueError where a phrase may begin with a gap or with a stem of fewer than three letters.
    """
    sources = (source.strip() for source in re.split(r"[;\n]", text))
    phrases = [Phrase(concern, language, parts) for source in sources if (parts := _parts(source))]
    for phrase in phrases:
        if wrong := [first for first in firsts(phrase.parts) if first == GAP or (first.endswith("*") and len(first) <= STEM)]:
            raise ValueError(f"{language}: {concern}: no phrase may begin with a gap or a short stem: {wrong[0]!r}")
    return phrases


def _parts(source: str) -> tuple[Part, ...]:
    return tuple(_part(group, gap or word) for group, gap, word in _PART.findall(source))


def _part(group: str, single: str) -> Part:
    star = "*" if group.endswith("*") else ""
    options = (
        {tuple(fold(word) for word in (option + star if option else "").split()) for option in group[1 : group.rindex(")")].split("|")}
        if group
        else {(fold(single),)}
    )
    return tuple(sorted(options, key=lambda option: (-len(option), option)))
