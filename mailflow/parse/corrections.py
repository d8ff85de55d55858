"""What a correction changes: only the fields that the mail speaks of."""

import re

from mailflow.model.mail import Signer
from mailflow.parse.card import Card
from mailflow.parse.country import country_of
from mailflow.parse.fold import fold, words_of
from mailflow.parse.names import covers, looks_like_name, printed, shares_a_word
from mailflow.parse.reading import Reading

_QUOTED = re.compile(r"[\"“”„«»「『]([^\"“”„«»」』]{1,120})[\"“”«»」』]")


def corrected(card: Card, reading: Reading) -> tuple[Signer, ...]:
    """The record after the correction: name always, title and country where new ones are given."""
    quoted = [
        found[1].strip(" ,.") for found in _QUOTED.finditer(reading.prose) if not _is_the_wrong_one(reading.prose[: found.start()], reading)
    ]
    name = _name(card, quoted, reading)
    if not name:
        return ()
    roles = [text for text in quoted if reading.lexicon.roles.found_in(text) and not shares_a_word(text, name)]
    country = next((code for text in [*quoted, *_after_to(reading.prose)] if (code := country_of(text, reading.lexicon))), None)
    return (Signer(name, title=max(roles, key=len, default=None), country=country),)


def _is_the_wrong_one(before: str, reading: Reading) -> bool:
    """Whether the word before a quotation denies it ("not", "instead of"), or says that it came out so ("as")."""
    words = words_of(fold(before[-40:]))
    tongue = reading.lexicon.tongues.get((reading.language or "").partition("-")[0])
    denied = tongue is not None and bool(words) and words[-1] in tongue.negate
    return (
        denied
        or re.search(
            r"(?:came out as|instead of|rather than|statt|anstelle von|au lieu de|en lugar de|invece di|zamiast|вместо|in plaats van|istället för)\W*$",
            fold(before),
        )
        is not None
    )


def _name(card: Card, quoted: list[str], reading: Reading) -> str:
    """The sender's own spelling; a full name in quotes that is not reported as wrong agrees with it."""
    own = printed(card.name, reading.lexicon)
    exact = [text for text in quoted if own and text in own]
    if own and (exact or not quoted):
        return own
    full = [
        text
        for text in quoted
        if len(text.split()) > 1 and looks_like_name(text, reading.lexicon) and (not own or shares_a_word(text, own))
    ]
    return own if own and (not full or covers(own, full[0])) else printed(full[0], reading.lexicon) if full else own


def _after_to(prose: str) -> list[str]:
    return re.findall(r"\b(?:to|in|en|auf|à|a|på|til|na|naar|är|is|ist|est|es|è|é)\s+((?:[A-ZÀ-Þ][\w'’-]+\s?){1,3})", prose)
