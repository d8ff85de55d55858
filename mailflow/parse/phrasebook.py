"""Finds the phrases of all languages in one pass over the tokens of a text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import MappingProxyType

from mailflow.parse.fold import UNSPACED, fold, tokens
from mailflow.parse.phrases import GAP, STEM, Part, Phrase, firsts

_GAP_TOKENS = 4
_GAP_LETTERS = 8
_CLAUSE_MARKS = frozenset(",;:،،、؛–—")
_ANY = ""
_FIRST_TWO = itemgetter(0, 1)


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
        return not self.hits.keys().isdisjoint(concerns)

    def in_sentence(self, concern: str, sentence: int) -> bool:
        """Whether a concern was hit in a certain sentence."""
        return concern in self.hits and any(hit.sentence == sentence for hit in self.hits[concern])


@dataclass(frozen=True, slots=True)
class _Step:
    """One part of a phrase, sorted for matching: choices of several tokens (longest first), whole words, stems, a gap, nothing at all."""

    runs: tuple[tuple[str, ...], ...]
    words: frozenset[str]
    stems: tuple[str, ...]
    gap: bool
    empty: bool

    @classmethod
    def of(cls, part: Part) -> "_Step":
        singles = [option[0] for option in part if len(option) == 1 and option != (GAP,)]
        return cls(
            runs=tuple(option for option in part if len(option) > 1),
            words=frozenset(token for token in singles if not token.endswith("*")),
            stems=tuple(token[:-1] for token in singles if token.endswith("*")),
            gap=(GAP,) in part,
            empty=() in part,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """A phrase that is ready to be matched; ``number`` is its place in the lexicons."""

    number: int
    concern: str
    language: str
    steps: tuple[_Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Loose:
    """A phrase with a gap near its beginning: what a match may begin with, and the choices of which each must leave a trace in the line."""

    pattern: _Pattern
    exact: tuple[str, ...]
    stems: tuple[str, ...]
    needs: tuple[frozenset[str], ...]

    def starts(self, places: Mapping[str, list[int]]) -> Iterator[int]:
        """Where in a line a match may begin; ``places`` are the numbers at which each of its tokens stands."""
        for token in self.exact:
            yield from places.get(token, ())
        for stem in self.stems:
            for token, numbers in places.items():
                if token.startswith(stem):
                    yield from numbers


class PhraseBook:
    """Every phrase of every language, indexed; built once, never changed.

    Most phrases are found by their first two words. Those with a gap there are found by the least common word that they cannot do
    without: hundreds of them begin with "i" or "the".
    """

    def __init__(self, phrases: Iterable[Phrase], unspaced: frozenset[str], common: frozenset[str] = frozenset()) -> None:
        heads: dict[str, dict[str, list[_Pattern]]] = {}
        anchored: dict[str, dict[_Loose, None]] = {}
        runs: dict[tuple[str, str], list[str]] = {}
        for number, phrase in enumerate(phrases):
            pattern = _Pattern(number, phrase.concern, phrase.language, tuple(_Step.of(part) for part in phrase.parts))
            if phrase.language in unspaced and UNSPACED.search(_run(phrase.parts)):
                runs.setdefault((phrase.concern, phrase.language), []).append(_run(phrase.parts))
            elif any(GAP in head for head in _heads(phrase.parts)):
                loose = _loose(pattern, phrase.parts)
                for anchor in _anchors(phrase.parts, common):
                    anchored.setdefault(_key(anchor), {})[loose] = None
            else:
                for first, second in dict.fromkeys((_key(head[0]), _key(head[1]) if head[1:] else _ANY) for head in _heads(phrase.parts)):
                    heads.setdefault(first, {}).setdefault(second, []).append(pattern)
        self._heads = {first: {second: tuple(found) for second, found in seconds.items()} for first, seconds in heads.items()}
        self._anchored = {key: tuple(value) for key, value in anchored.items()}
        self._runs = tuple((*key, re.compile("|".join(sorted(value, key=len, reverse=True)))) for key, value in runs.items())

    def scan(self, sentences: Sequence[str]) -> Scan:
        """Every phrase in these sentences. Linear in their length but for the bounded gaps."""
        hits: dict[str, list[Hit]] = {}
        folded = [fold(sentence) for sentence in sentences]
        lines = tuple(tuple(tokens(sentence)) for sentence in folded)
        seen: dict[tuple[str, ...], list[tuple[_Pattern, int, int]]] = {}
        for number, line in enumerate(lines):
            if line not in seen:
                seen[line] = self._spaced(line)
            for pattern, start, end in seen[line]:
                hits.setdefault(pattern.concern, []).append(Hit(pattern.concern, pattern.language, number, start, end))
        if UNSPACED.search("".join(folded)):
            for hit in self._unspaced(folded):
                hits.setdefault(hit.concern, []).append(hit)
        return Scan(tuple(sentences), lines, MappingProxyType({key: tuple(value) for key, value in hits.items()}))

    def _spaced(self, line: tuple[str, ...]) -> list[tuple[_Pattern, int, int]]:
        """(phrase, first token, token after the last) for each match, in order of the first token, then of the lexicons."""
        found: list[tuple[int, int, int, _Pattern]] = []
        stems = [token[:STEM] + "*" for token in line]
        for start, patterns in (*self._by_head(line, stems), *self._by_anchor(line, stems)):
            for pattern in patterns:
                end = _match(pattern.steps, 0, line, start)
                if end > start:
                    found.append((start, pattern.number, end, pattern))
        found.sort(key=_FIRST_TWO)
        return [(pattern, start, end) for start, _, end, pattern in found]

    def _by_head(self, line: tuple[str, ...], stems: list[str]) -> list[tuple[int, tuple[_Pattern, ...]]]:
        """Where phrases begin with the two words that stand there; a mark between clauses may stand between them."""
        size, heads = len(line), self._heads
        found: list[tuple[int, tuple[_Pattern, ...]]] = []
        for start, (token, stem) in enumerate(zip(line, stems, strict=True)):
            for seconds in (heads.get(token), heads.get(stem)):
                if seconds is None:
                    continue
                after = start + 1
                if after < size and line[after] in _CLAUSE_MARKS:
                    after += 1
                keys = (_ANY, line[after], stems[after]) if after < size else (_ANY,)
                found += [(start, seconds[key]) for key in keys if key in seconds]
        return found

    def _by_anchor(self, line: tuple[str, ...], stems: list[str]) -> list[tuple[int, tuple[_Pattern, ...]]]:
        """Where a phrase with a gap may begin: all that it needs stands somewhere in the line."""
        traces = frozenset((*line, *stems))
        known = self._anchored.keys() & traces
        if not known:
            return []
        places: dict[str, list[int]] = {}
        for number, token in enumerate(line):
            places.setdefault(token, []).append(number)
        loose = {entry for trace in known for entry in self._anchored[trace]}
        needed = [entry for entry in loose if not any(need.isdisjoint(traces) for need in entry.needs)]
        return [(start, (entry.pattern,)) for entry in needed for start in dict.fromkeys(entry.starts(places))]

    def _unspaced(self, folded: list[str]) -> Iterable[Hit]:
        """Token numbers mean nothing without spaces: start and end count letters there."""
        for concern, language, pattern in self._runs:
            for number, sentence in enumerate(folded):
                for found in pattern.finditer(sentence):
                    yield Hit(concern, language, number, found.start(), found.end())


def _match(steps: tuple[_Step, ...], number: int, line: tuple[str, ...], at: int) -> int:
    """The token after the last one of the pattern, or -1; the longest choice goes first, the shortest gap."""
    if number == len(steps):
        return at
    step = steps[number]
    for run in step.runs:
        after = _follow(run, line, at)
        if after >= 0 and (end := _match(steps, number + 1, line, after)) > 0:
            return end
    if step.gap:
        for skip in range(_GAP_TOKENS + 1):
            if (end := _match(steps, number + 1, line, at + skip)) > 0:
                return end
    here = at + 1 if at < len(line) and line[at] in _CLAUSE_MARKS else at
    if here < len(line) and (line[here] in step.words or line[here].startswith(step.stems)):
        end = _match(steps, number + 1, line, here + 1)
        if end > 0:
            return end
    return _match(steps, number + 1, line, at) if step.empty else -1


def _follow(run: tuple[str, ...], line: tuple[str, ...], at: int) -> int:
    """The token after these tokens, or -1. Marks between clauses may stand before any of them."""
    for wanted in run:
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


def _key(token: str) -> str:
    """What stands in an index for a token: itself, or the first letters of a stem; nothing for a stem that is too short for that."""
    if not token.endswith("*"):
        return token
    return token[:STEM] + "*" if len(token) > STEM else _ANY


def _heads(parts: tuple[Part, ...]) -> set[tuple[str, ...]]:
    """The first two tokens (or the one there is) of everything that the parts can be."""
    heads: set[tuple[str, ...]] = {()}
    for part in parts:
        heads = {head if len(head) > 1 else (head + option)[:2] for head in heads for option in part}
        if all(len(head) > 1 for head in heads):
            break
    return heads


def _loose(pattern: _Pattern, parts: tuple[Part, ...]) -> _Loose:
    begins = firsts(parts)
    exact = tuple(sorted(first for first in begins if not first.endswith("*")))
    return _Loose(pattern, exact, tuple(sorted(first[:-1] for first in begins if first.endswith("*"))), _needs(parts))


def _anchors(parts: tuple[Part, ...], common: frozenset[str]) -> set[str]:
    """Tokens of which one stands in every match: from the part that is never empty or a gap and has the least common words."""
    choices = [
        {min(option, key=lambda token: _commonness(token, common)) for option in part} for part in parts if all(part) and (GAP,) not in part
    ]
    if not choices:
        return firsts(parts)
    return min(choices, key=lambda tokens_: (max(_commonness(token, common) for token in tokens_), len(tokens_)))


def _needs(parts: tuple[Part, ...]) -> tuple[frozenset[str], ...]:
    """For each choice that is never empty or a gap: what its options begin with, stems by their first letters."""
    needed = [part for part in parts if all(part) and (GAP,) not in part]
    return tuple(frozenset(_key(option[0]) for option in part) for part in needed)


def _commonness(token: str, common: frozenset[str]) -> int:
    """How often a token turns up in any text, roughly."""
    if token in common:
        return 3
    return 2 if len(token.rstrip("*")) <= STEM else 1
