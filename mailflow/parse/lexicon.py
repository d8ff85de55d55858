"""What the reader knows of languages: phrases, words, labels and countries, built once from data texts."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mailflow.parse.fold import fold, words_of
from mailflow.parse.phrasebook import PhraseBook
from mailflow.parse.phrases import Phrase, compile_phrases

PHRASES = (
    "endorse", "subject", "withdraw", "withdraw_word", "correct", "decline", "question", "confirm", "thanks",
    "condition", "exception", "hypothetical", "behalf", "members", "minor", "pen_name", "abuse", "half", "elsewhere",
    "other_letter", "claim", "program", "anonymous", "named", "leave_out", "organisation", "absence_subject", "absence",
    "receipt", "challenge", "advertising", "bounce", "intro", "list_as", "live", "work_at", "self_role",
)  # fmt: skip
WORDS = ("words", "negate", "and", "role", "org", "honorific", "degree", "particle", "yes", "no")
LINES = ("greeting", "closing")
LABELS = ("name", "title", "affiliation", "organisation", "place", "country", "publish", "quote")
ENTRIES = (*PHRASES, *WORDS, *LINES, *(f"label_{label}" for label in LABELS), "countries")


_FAMILIES = (frozenset({"da", "nb", "sv"}), frozenset({"cs", "sk"}), frozenset({"es", "pt"}), frozenset({"ru", "uk"}))


def related(language: str | None) -> frozenset[str]:
    """The languages that may be meant where this one was recognised: near ones are taken for each other."""
    base = (language or "").partition("-")[0]
    return next((family for family in _FAMILIES if base in family), frozenset({base}))


@dataclass(frozen=True, slots=True)
class Tongue:
    """The single words of one language, folded."""

    words: frozenset[str]
    negate: frozenset[str]
    conjunctions: frozenset[str]
    negates_after: bool
    blocks: frozenset[str]
    unspaced: bool


@dataclass(frozen=True)
class Lexicon:
    """Everything known of all languages. Made by ``from_texts``; immutable and free of I/O."""

    book: PhraseBook
    tongues: Mapping[str, Tongue]
    common: Mapping[str, tuple[str, ...]]
    greeting: re.Pattern[str]
    closing: re.Pattern[str]
    labels: Mapping[str, str]
    roles: "Stems"
    orgs: "Stems"
    honorifics: frozenset[str]
    degrees: frozenset[str]
    particles: frozenset[str]
    conjunctions: frozenset[str]
    yes: frozenset[str]
    no: frozenset[str]
    countries: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    views: "Mapping[str, Lexicon]" = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], territories: Mapping[str, str] | None = None) -> "Lexicon":
        """Language tag -> TOML text, and country names in many languages -> ISO 3166-1 alpha-2.

        Raises ValueError (TOMLDecodeError among them) or KeyError where a text is malformed or lacks an entry.
        """
        data = {tag: tomllib.loads(text) for tag, text in sorted(texts.items())}
        tongues = {tag: _tongue(entries) for tag, entries in data.items()}
        unspaced = frozenset(tag for tag, entries in data.items() if entries.get("unspaced", False))
        whole = cls(
            book=PhraseBook(_phrases(data), unspaced, frozenset(_all(data, "words"))),
            tongues=MappingProxyType(tongues),
            common=_common(tongues),
            greeting=_line_pattern(data, "greeting"),
            closing=_line_pattern(data, "closing"),
            labels=_labels(data),
            roles=Stems.of(_all(data, "role")),
            orgs=Stems.of(_all(data, "org")),
            honorifics=frozenset(_all(data, "honorific")),
            degrees=frozenset(_all(data, "degree")),
            particles=frozenset(_all(data, "particle")),
            conjunctions=frozenset(_all(data, "and")),
            yes=frozenset(_all(data, "yes")),
            no=frozenset(_all(data, "no")),
            countries=_countries(data, territories or {}),
        )
        return replace(whole, views=MappingProxyType({tag: whole._narrowed(data, tag) for tag in data}))

    def spoken(self, language: str | None) -> "Lexicon":
        """The same, with the roles and organisations of one language (and of English) only: stems of others would mislead."""
        return self.views.get((language or "").partition("-")[0], self)

    def _narrowed(self, data: Mapping[str, Mapping[str, object]], tag: str) -> "Lexicon":
        near = {other: data[other] for other in (*related(tag), "en") if other in data}
        return replace(self, roles=Stems.of(_all(near, "role")), orgs=Stems.of(_all(near, "org")))


@dataclass(frozen=True, slots=True)
class Stems:
    """Words known whole, by their beginning (``teach*``), by their end (``*lehrerin``), or inside a run (ideographs)."""

    whole: frozenset[str]
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    inside: tuple[str, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> "Stems":
        """Sorts the entries of a word list into the four kinds."""
        known = sorted(set(entries))
        return cls(
            whole=frozenset(word for word in known if "*" not in word),
            begins=tuple(word[:-1] for word in known if word.endswith("*") and not word.startswith("*")),
            ends=tuple(word[1:] for word in known if word.startswith("*") and not word.endswith("*")),
            inside=tuple(word.strip("*") for word in known if word.startswith("*") and word.endswith("*")),
        )

    def found_in(self, text: str) -> bool:
        """Whether any word of a (not yet folded) text is known."""
        folded = fold(text)
        if any(part in folded for part in self.inside):
            return True
        return any(self.knows(word) for word in words_of(folded))

    def knows(self, word: str) -> bool:
        """Whether one folded word is known."""
        return word in self.whole or word.startswith(self.begins) or word.endswith(self.ends)


def _all(data: Mapping[str, Mapping[str, object]], entry: str) -> list[str]:
    return [fold(item) for entries in data.values() for item in _items(entries[entry])]


def _items(value: object) -> list[str]:
    """The items of an entry: separated by ``;`` where there is one, else by spaces."""
    text = str(value)
    parts = re.split(r"[;\n]", text) if ";" in text else text.split()
    return [part.strip() for part in parts if part.strip()]


def _tongue(entries: Mapping[str, object]) -> Tongue:
    words, negate, both = (frozenset(fold(item) for item in _items(entries[entry])) for entry in ("words", "negate", "and"))
    blocks = frozenset(fold(item) for item in _items(entries.get("blocks", "")))
    return Tongue(words, negate, both, bool(entries.get("negates_after", False)), blocks, bool(entries.get("unspaced", False)))


def _common(tongues: Mapping[str, Tongue]) -> Mapping[str, tuple[str, ...]]:
    """Function word -> the languages that have it."""
    common: dict[str, list[str]] = {}
    for tag, tongue in tongues.items():
        for word in sorted(tongue.words):
            common.setdefault(word, []).append(tag)
    return MappingProxyType({word: tuple(tags) for word, tags in common.items()})


def _phrases(data: Mapping[str, Mapping[str, object]]) -> list[Phrase]:
    return [
        phrase for tag, entries in data.items() for concern in PHRASES for phrase in compile_phrases(str(entries[concern]), concern, tag)
    ]


def _line_pattern(data: Mapping[str, Mapping[str, object]], entry: str) -> re.Pattern[str]:
    """One expression for the beginnings of greeting or closing lines, longest first, on folded text; ``*様`` is a line's end."""
    items = sorted({_beginning(item) for item in _all(data, entry)}, key=len, reverse=True)
    return re.compile(r"\s*[\"'*_(¡]*(?:" + "|".join(items) + ")")


def _beginning(item: str) -> str:
    """The expression for one item: ``word*`` takes what is attached to it, ``*word`` a short line that ends so."""
    if item.startswith("*"):
        return r".{1,20}" + re.escape(item[1:]) + r"\W*$"
    return re.escape(item.rstrip("*")).replace(r"\*", ".*") + (r"[^\s,.!:،。，！、]*" if item.endswith("*") else r"(?!\w)")


def _labels(data: Mapping[str, Mapping[str, object]]) -> Mapping[str, str]:
    return MappingProxyType(
        {
            fold(item).rstrip("?؟？ "): label
            for entries in data.values()
            for label in LABELS
            for item in _items_of(entries[f"label_{label}"])
        }
    )


def _countries(data: Mapping[str, Mapping[str, object]], territories: Mapping[str, str]) -> Mapping[str, str]:
    """Folded name -> code; what the lexicons say goes before what CLDR says."""
    names = {fold(name): code for name, code in territories.items()}
    for entries in data.values():
        for item in _items_of(entries["countries"]):
            name, equals, code = item.rpartition("=")
            if not equals or not re.fullmatch("[A-Z]{2}", code):
                raise ValueError(f"countries must be name=CODE, not {item!r}")
            names[fold(name)] = code
    return MappingProxyType(names)


def _items_of(value: object) -> list[str]:
    return [part.strip() for part in str(value).split(";") if part.strip()]
