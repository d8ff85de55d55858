"""Our sentences in one language: templates/*/languages/LANGUAGE.toml."""

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from markupsafe import Markup, escape

from mailflow.model.errors import BadConfig

_LOCALES = {"en": "en_GB", "zh": "zh_Hans", "zh-Hant": "zh_Hant"}
"""Where the tag alone would give another country's habits than those meant."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language; ``markup`` are the same, escaped for HTML."""

    language: str
    texts: Mapping[str, str]
    markup: Mapping[str, Markup]
    locale: Locale
    rtl: bool

    def say(self, key: str, **values: object) -> str:
        """Return a sentence as plain text with ``{name}`` replaced; raises KeyError for an unknown key or value."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def say_html(self, key: str, **values: object) -> Markup:
        """Return a sentence as HTML; values are escaped unless they are markup already."""
        text = self.markup[key]
        return text.format(**values) if values else text

    def long_date(self, day: date) -> str:
        """Return a date in words, with the year."""
        return format_date(day, "long", locale=self.locale)

    def country(self, code: str) -> str:
        """Return the country's name; the code itself where CLDR has none."""
        return str(self.locale.territories.get(code, code))

    def isolate(self, text: str) -> str:
        """Return ``text`` in bidi isolates (UAX #9, FSI and PDI) if it runs, even partly, against this language."""
        against = ("L",) if self.rtl else ("R", "AL")
        foreign = not text.isascii() or self.rtl
        return f"\u2068{text}\u2069" if foreign and any(unicodedata.bidirectional(char) in against for char in text) else text


def load_catalogues(folder: Path) -> dict[str, Catalogue]:
    """Read every ``*.toml`` of ``folder``, by language tag.

    Raises BadConfig for a file that is no TOML, holds anything but sentences, or lacks keys that another has.
    """
    found = {path.stem: _load(path) for path in sorted(folder.glob("*.toml"))}
    keys = {key for catalogue in found.values() for key in catalogue.texts}
    for language, catalogue in found.items():
        if missing := sorted(keys - catalogue.texts.keys()):
            raise BadConfig(f"{folder.name}/{language}.toml lacks {', '.join(missing)}; add what the other languages have")
    return found


def _load(path: Path) -> Catalogue:
    try:
        texts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path}: {error}; it must be TOML with one sentence a key") from None
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadConfig(f"{path}: every value must be a sentence in quotes")
    locale = Locale.parse(_LOCALES.get(path.stem, path.stem), sep="_")
    markup = {key: Markup(escape(text)) for key, text in texts.items()}  # noqa: S704 - escaped just here
    return Catalogue(path.stem, texts, markup, locale, locale.text_direction == "rtl")
