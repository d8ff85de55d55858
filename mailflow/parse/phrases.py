"""Finds the phrases of all languages in one pass over the tokens of a text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from mailflow.parse.fold import UNSPACED, WORD, fold, tokens

GAP = ".."
_GAP_TOKENS = 4
_GAP_LETTERS = 8
_STEM = 3
_PART = re.compile(rf"(\([^()]*\)\*?)|(\.\.)|({WORD}(?:['’]{WORD})*\*?)")
_CLAUSE_MARKS = frozenset(",;:،،、؛–—")


Part = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One pattern of one language: parts that follow each other, each a choice between token sequences (maybe empty).

    A token may be a ``stem*``; ``..`` stands for up to four tokens.
    """

    concern: str
    language: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: sentence number, first token, token after the last."""

    concern: str
    language: str
    sentence: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A text's sentences as written, their folded tokens, and every phrase found, by concern."""

    sentences: tuple[str, ...] = ()
    tokens: tuple[tuple[str, ...], ...] = ()
    hits: Mapping[str, tuple[Hit, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, *concerns: str) -> tuple[Hit, ...]:
        """The hits of these concerns, in no special order."""
        return tuple(hit for concern in concerns for hit in self.hits.get(concern, ()))

    def has(self, *concerns: str) -> bool:
        """Whether any of these concerns was hit."""
        return any(concern in self.hits for concern in concerns)

    def in_sentence(self, concern: str, sentence: int) -> bool:
        """Whether a concern was hit in a certain sentence."""
        return any(hit.sentence == sentence for hit in self.hits.get(concern, ()))


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A phrase with what a match may begin with, whole tokens and stems, and the choices of which each must leave a trace in the line."""

    phrase: Phrase
    exact: tuple[str, ...]
    stems: tuple[str, ...]
    needs: tuple[frozenset[str], ...]

    def starts(self, places: Mapping[str, list[int]]) -> Iterable[int]:
        """Where in a line a match may begin; ``places`` are the numbers at which each of its tokens stands."""
        for token in self.exact:
            yield from places.get(token, ())
        for stem in self.stems:
            for token, numbers in places.items():
                if token.startswith(stem):
                    yield from numbers


class PhraseBook:
    """Every phrase of every language, indexed by the least common word that it cannot do without; built once, never changed.

    The first word would not do: hundreds of phrases begin with "i" or "the".
    """

    def __init__(self, phrases: Iterable[Phrase], unspaced: frozenset[str], common: frozenset[str] = frozenset()) -> None:
        exact: dict[str, dict[_Entry, None]] = {}
        stems: dict[str, dict[_Entry, None]] = {}
        runs: dict[tuple[str, str], list[str]] = {}
        for phrase in phrases:
            if phrase.language in unspaced and UNSPACED.search(_run(phrase.parts)):
                runs.setdefault((phrase.concern, phrase.language), []).append(_run(phrase.parts))
                continue
            firsts = _firsts(phrase.parts)
            entry = _Entry(
                phrase,
                tuple(sorted(first for first in firsts if not first.endswith("*"))),
                tuple(sorted(first[:-1] for first in firsts if first.endswith("*"))),
                _needs(phrase.parts),
            )
            for anchor in _anchors(phrase.parts, common):
                index, key = (stems, anchor[:_STEM]) if anchor.endswith("*") else (exact, anchor)
                index.setdefault(key, {})[entry] = None
        self._exact = {key: tuple(value) for key, value in exact.items()}
        self._stems = {key: tuple(value) for key, value in stems.items()}
        self._runs = tuple((*key, re.compile("|".join(sorted(value, key=len, reverse=True)))) for key, value in runs.items())

    def scan(self, sentences: Sequence[str]) -> Scan:
        """Every phrase in these sentences. Linear in their length but for the bounded gaps."""
        hits: dict[str, list[Hit]] = {}
        folded = [fold(sentence) for sentence in sentences]
        lines = tuple(tuple(tokens(sentence)) for sentence in folded)
        seen: dict[tuple[str, ...], list[tuple[Phrase, int, int]]] = {}
        for number, line in enumerate(lines):
            if line not in seen:
                seen[line] = list(self._spaced(line))
            for phrase, start, end in seen[line]:
                hits.setdefault(phrase.concern, []).append(Hit(phrase.concern, phrase.language, number, start, end))
        if UNSPACED.search("".join(folded)):
            for hit in self._unspaced(folded):
                hits.setdefault(hit.concern, []).append(hit)
        return Scan(tuple(sentences), lines, MappingProxyType({key: tuple(value) for key, value in hits.items()}))

    def _spaced(self, line: tuple[str, ...]) -> Iterable[tuple[Phrase, int, int]]:
        """(phrase, first token, token after the last) for each match, in order of the first token."""
        places: dict[str, list[int]] = {}
        for number, token in enumerate(line):
            places.setdefault(token, []).append(number)
        found: list[tuple[int, int, Phrase]] = []
        traces = {trace for token in places for trace in (token, token[:_STEM] + "*")}
        for entry in self._candidates(places):
            if any(need.isdisjoint(traces) for need in entry.needs):
                continue
            starts = dict.fromkeys(entry.starts(places)) if entry.stems else entry.starts(places)
            ends = ((start, _match(entry.phrase.parts, 0, line, start)) for start in starts)
            found.extend((start, end, entry.phrase) for start, end in ends if end > start)
        found.sort(key=lambda hit: hit[0])
        return [(phrase, start, end) for start, end, phrase in found]

    def _candidates(self, places: Iterable[str]) -> Iterable[_Entry]:
        """The phrases whose anchor stands in the line, each once."""
        groups = [group for token in places for group in (self._exact.get(token), self._stems.get(token[:_STEM])) if group]
        return dict.fromkeys(entry for group in groups for entry in group)

    def _unspaced(self, folded: list[str]) -> Iterable[Hit]:
        """Token numbers mean nothing without spaces: start and end count letters there."""
        for concern, language, pattern in self._runs:
            for number, sentence in enumerate(folded):
                for found in pattern.finditer(sentence):
                    yield Hit(concern, language, number, found.start(), found.end())


def _match(parts: tuple[Part, ...], part: int, line: tuple[str, ...], at: int) -> int:
    """The token after the last one of the pattern, or -1; the longest choice goes first."""
    if part == len(parts):
        return at
    for option in parts[part]:
        if option == (GAP,):
            ends = (_match(parts, part + 1, line, at + skip) for skip in range(_GAP_TOKENS + 1))
            end = next((end for end in ends if end > 0), -1)
        else:
            after = _follow(option, line, at)
            end = _match(parts, part + 1, line, after) if after >= 0 else -1
        if end > 0:
            return end
    return -1


def _follow(option: tuple[str, ...], line: tuple[str, ...], at: int) -> int:
    """The token after these tokens, or -1. Marks between clauses may stand before any of them."""
    for wanted in option:
        if at < len(line) and line[at] in _CLAUSE_MARKS:
            at += 1
        if at >= len(line) or not (line[at] == wanted or (wanted[-1] == "*" and line[at].startswith(wanted[:-1]))):
            return -1
        at += 1
    return at


def _run(parts: tuple[Part, ...]) -> str:
    """A regular expression for a script without spaces; a gap is a few letters, never beyond a clause."""
    gap = f"[^,、;，]{{0,{_GAP_LETTERS}}}?"
    return "".join(
        "(?:" + "|".join(gap if option == (GAP,) else re.escape("".join(option).replace("*", "")) for option in part) + ")"
        for part in parts
    )


def _anchors(parts: tuple[Part, ...], common: frozenset[str]) -> set[str]:
    """Tokens of which one stands in every match: from the part that is never empty or a gap and has the least common words."""
    choices = [
        {min(option, key=lambda token: _commonness(token, common)) for option in part} for part in parts if all(part) and (GAP,) not in part
    ]
    if not choices:
        return _firsts(parts)
    return min(choices, key=lambda tokens_: (max(_commonness(token, common) for token in tokens_), len(tokens_)))


def _needs(parts: tuple[Part, ...]) -> tuple[frozenset[str], ...]:
    """For each choice that is never empty or a gap: what its options begin with, stems by their first letters."""
    needed = [part for part in parts if all(part) and (GAP,) not in part]
    return tuple(frozenset(f"{option[0][:_STEM]}*" if option[0].endswith("*") else option[0] for option in part) for part in needed)


def _commonness(token: str, common: frozenset[str]) -> int:
    """How often a token turns up in any text, roughly."""
    if token in common:
        return 3
    return 2 if len(token.rstrip("*")) <= _STEM else 1


def _firsts(parts: tuple[Part, ...]) -> set[str]:
    """Every token that a match may begin with."""
    firsts = {option[0] for option in parts[0] if option}
    return firsts if all(parts[0]) or len(parts) == 1 else firsts | _firsts(parts[1:])


def compile_phrases(text: str, concern: str, language: str) -> list[Phrase]:
    """Phrases separated by ``;`` or line ends: words, ``stem*``, ``..`` and ``(one|two|)`` for alternatives.

    Raises ValueError where a phrase may begin with a gap or with a stem of fewer than three letters.
    """
    sources = (source.strip() for source in re.split(r"[;\n]", text))
    phrases = [Phrase(concern, language, parts) for source in sources if (parts := _parts(source))]
    for phrase in phrases:
        if wrong := [first for first in _firsts(phrase.parts) if first == GAP or (first.endswith("*") and len(first) <= _STEM)]:
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
