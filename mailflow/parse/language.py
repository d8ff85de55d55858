"""Which language somebody wrote, by script, letters and small words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mailflow.parse.fold import fold
from mailflow.parse.lexicon import Lexicon

_LATIN, _CYRILLIC, _ARABIC = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"), re.compile("[\u0400-\u04ff]"), re.compile("[\u0600-\u06ff]")
_LETTER_WEIGHT = 1.5
_HINT_WEIGHT = 0.6
_BY_SCRIPT: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(letters), language)
    for letters, language in (
        ("[\u3040-\u30ff]", "ja"), ("[\uac00-\ud7a3\u1100-\u11ff]", "ko"), ("[\u4e00-\u9fff]", "zh"), ("[\u0e01-\u0e5b]", "th"),
        ("[\u0900-\u097f]", "hi"), ("[\u0980-\u09ff]", "bn"), ("[\u0a00-\u0a7f]", "pa"), ("[\u0a80-\u0aff]", "gu"), ("[\u0b80-\u0bff]", "ta"),
        ("[\u0c00-\u0c7f]", "te"), ("[\u0c80-\u0cff]", "kn"), ("[\u0d00-\u0d7f]", "ml"), ("[\u0d80-\u0dff]", "si"), ("[\u0590-\u05ff]", "he"),
        ("[\u0370-\u03ff\u1f00-\u1fff]", "el"), ("[\u10a0-\u10ff]", "ka"), ("[\u0530-\u058f]", "hy"), ("[\u1780-\u17ff]", "km"),
        ("[\u0e80-\u0eff]", "lo"), ("[\u1000-\u109f]", "my"), ("[\u1200-\u137f]", "am"),
    )
)  # fmt: skip
_OWN_LETTERS: Final[Mapping[str, str]] = MappingProxyType({
    "en": "", "de": "ßäöü", "fr": "èêëçœûîùà", "es": "ñ¿¡óí", "pt": "ãõâç", "it": "òìùè", "nl": "ĳ", "sv": "åäö", "da": "æøå", "nb": "æøå", "fi": "äö",
    "pl": "łżźśćńąę", "cs": "řěůžčý", "sk": "ľĺŕôťďň", "hu": "őű", "ro": "ășțţşâî", "ru": "ыэъё", "uk": "іїєґ", "bg": "ъщ", "sr": "ђћљњџј", "mk": "ѓќѕ",
    "tr": "ğışİ", "ar": "ةىإأ", "fa": "پچژگیک", "ur": "ٹڈڑںےہ", "vi": "ơưđạảấầẩậắằặẹẻẽếềểệịỉọỏốồổộớờởợụủứừửựỳỹ", "ca": "çàèòï", "hr": "čćšžđ", "sl": "čšž",
    "et": "õäö", "lv": "āēīūģķļņ", "lt": "ėįųūš", "is": "þðæö", "ga": "áéíóú", "cy": "ŵŷ", "eo": "ĉĝĥĵŝŭ", "sq": "ëç", "gl": "ñ", "eu": "", "id": "", "sw": "", "ms": "",
})  # fmt: skip
_TRADITIONAL = frozenset("們這個來時國會說學對開關長門車電與為無發書聯邊萬東經實還樣過進點體聲應簽簡當樂讓請謝護壩灣漁濕鳥屬")
_SIMPLIFIED = frozenset("们这个来时国会说学对开关长门车电与为无发书联边万东经实还样过进点体声应签简当乐让请谢护坝湾渔湿鸟属")


@dataclass(frozen=True, slots=True)
class Hints:
    """What else speaks for a language: headers (weak), and phrases that were found (their languages, one each)."""

    headers: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


def language_of(text: str, words: Iterable[str], hints: Hints, lexicon: Lexicon) -> str | None:
    """The BCP 47 tag of a text, whose folded words the caller has; None where nothing speaks for any language."""
    script = _script_language(text)
    if script is not None:
        return _chinese(text) if script == "zh" else _devanagari(script, hints)
    scores = _scores(text, words, hints, lexicon)
    if not scores:
        return next(iter(hints.headers), None)
    return max(sorted(scores), key=lambda tag: scores[tag])


def _script_language(text: str) -> str | None:
    """The language that a script gives away: the script of a fifth of the letters or more, the first of the table first."""
    if text.isascii():
        return None
    letters = sum(char.isalpha() for char in text) or 1
    for pattern, language in _BY_SCRIPT:
        if len(pattern.findall(text)) * 5 > letters * (0.25 if language == "ja" else 1.5):
            return language
    return None


def _chinese(text: str) -> str:
    traditional = sum(char in _TRADITIONAL for char in text)
    return "zh-Hant" if traditional > sum(char in _SIMPLIFIED for char in text) else "zh-Hans"


def _devanagari(script: str, hints: Hints) -> str:
    """Marathi and Nepali are believed only where the client says so."""
    return next((tag for tag in hints.headers if tag in ("mr", "ne")), script) if script == "hi" else script


def _scores(text: str, words: Iterable[str], hints: Hints, lexicon: Lexicon) -> dict[str, float]:
    scores: dict[str, float] = {}
    for word in words:
        tags = lexicon.common.get(word)
        if tags:
            for tag in tags:
                scores[tag] = scores.get(tag, 0.0) + 1.0 / len(tags)
    if not text.isascii():
        _add_letters(scores, text.lower())
    for tag in hints.phrases:
        scores[tag] = scores.get(tag, 0.0) + 1.0
    for tag in hints.headers[:1]:
        scores[tag] = scores.get(tag, 0.0) + _HINT_WEIGHT
    alphabet = _alphabet(text)
    return {tag: score for tag, score in scores.items() if _ALPHABETS.get(tag, "latin") == alphabet}


def _add_letters(scores: dict[str, float], text: str) -> None:
    """Letters that only some languages write; rare ones count for more than common ones."""
    present = frozenset(text)
    for tag, letters in _OWN_LETTERS.items():
        own = [letter for letter in letters if letter in present]
        if own:
            scores[tag] = scores.get(tag, 0.0) + _LETTER_WEIGHT * len(own) / max(len(letters), 4)


_ALPHABETS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("ru", "uk", "bg", "sr", "mk", "be", "kk"), "cyrillic") | dict.fromkeys(("ar", "fa", "ur", "ps", "ckb"), "arabic")
)


def _alphabet(text: str) -> str:
    """Which of the alphabets with several languages most letters are of; Latin where none is."""
    if text.isascii():
        return "latin"
    counts = {name: len(pattern.findall(text)) for name, pattern in (("latin", _LATIN), ("cyrillic", _CYRILLIC), ("arabic", _ARABIC))}
    return max(counts, key=lambda name: counts[name])


def header_languages(values: Iterable[str]) -> tuple[str, ...]:
    """The primary tags of Content-Language and Accept-Language values (RFC 3282), in order."""
    tags = (fold(part).partition(";")[0].strip().partition("-")[0] for value in values for part in value.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if re.fullmatch("[a-z]{2,3}", tag)))
