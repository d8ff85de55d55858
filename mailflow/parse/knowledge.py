"""Loads what the reader must know: the lexicons that ship with the program and the country names of CLDR."""

from importlib.resources import files

from babel import Locale

from mailflow.parse.lexicon import Lexicon

# Country names are worth knowing in more languages than intents are.
_MORE_LOCALES = (
    "bg",
    "ca",
    "cy",
    "eo",
    "et",
    "eu",
    "ga",
    "gl",
    "hr",
    "hy",
    "is",
    "ka",
    "lt",
    "lv",
    "mk",
    "ms",
    "sl",
    "sq",
    "sr",
    "ta",
    "zh_Hant",
)
_HISTORIC = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})


def load_lexicon() -> Lexicon:
    """Reads every lexicon and CLDR's country names; a second or so, once a process."""
    texts = lexicon_texts()
    return Lexicon.from_texts(texts, territory_names((*sorted(texts), *_MORE_LOCALES)))


def lexicon_texts() -> dict[str, str]:
    """Language tag -> TOML text, for each file in parse/lexicons."""
    folder = files("mailflow.parse") / "lexicons"
    return {entry.name.removesuffix(".toml"): entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")}


def territory_names(locales: tuple[str, ...]) -> dict[str, str]:
    """Country name -> ISO 3166-1 alpha-2 code, from CLDR; the earlier locale wins where two disagree."""
    names: dict[str, str] = {}
    for locale in locales:
        for code, name in Locale.parse(locale).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _HISTORIC:
                names.setdefault(name, code)
    return names
