"""Countries stated in words."""

import re

from mailflow.parse.fold import fold
from mailflow.parse.lexicon import Lexicon

_EDGE = " \t.,;:()[]\"'،、。"
_UNSURE = frozenset({"US", "IN", "DE", "NO", "IT", "BE", "AT", "IS", "ME"})


def country_of(text: str, lexicon: Lexicon) -> str | None:
    """The ISO 3166-1 alpha-2 code of a text that is nothing but a country's name, in any known language."""
    bare = text.strip(_EDGE)
    if not bare:
        return None
    code = lexicon.countries.get(fold(bare))
    return None if code in _UNSURE and len(bare) == 2 and bare.isascii() and not bare.isupper() else code


def stated_country(text: str, lexicon: Lexicon) -> str | None:
    """The country of a field that was meant for one: the whole, or what stands in or before brackets or commas."""
    pieces = [text, *re.split(r"[,;/()\[\]،、，]| - ", text)]
    return next((code for piece in pieces if (code := country_of(piece, lexicon)) is not None), None)


def country_at_end(text: str, lexicon: Lexicon) -> tuple[str, str | None]:
    """A place without the country's name at its end ("Hexley England"), and the code."""
    words = text.strip(_EDGE).split()
    for count in (3, 2, 1):
        if len(words) > count and (code := country_of(" ".join(words[-count:]), lexicon)):
            return " ".join(words[:-count]).strip(_EDGE), code
    return text, None


def country_after(words: list[str], lexicon: Lexicon) -> str | None:
    """The country that a run of words begins with, the longest name first."""
    for count in range(min(4, len(words)), 0, -1):
        if code := country_of(" ".join(words[:count]), lexicon):
            return code
    return None
