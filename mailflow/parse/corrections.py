"""What a correction changes: only the fields that the mail speaks of."""

import re

from mailflow.model.mail import Signer
from mailflow.parse.card import Card
from mailflow.parse.country import country_of
from mailflow.parse.names import covers, looks_like_name, printed, shares_a_word
from mailflow.parse.reading import Reading

_QUOTED = re.compile(r"[\"“”„«»「『]([^\"“”„«»」』]{1,120})[\"“”«»」』]")


def corrected(card: Card, reading: Reading) -> tuple[Signer, ...]:
    """The record after the correction: name always, title and country where new ones are given."""
    quoted = [found.strip(" ,.") for found in _QUOTED.findall(reading.prose)]
    name = _name(card, quoted, reading)
    if not name:
        return ()
    roles = [text for text in quoted if reading.lexicon.roles.found_in(text) and not shares_a_word(text, name)]
    country = next((code for text in [*quoted, *_after_to(reading.prose)] if (code := country_of(text, reading.lexicon))), None)
    return (Signer(name, title=max(roles, key=len, default=None), country=country),)


def _name(card: Card, quoted: list[str], reading: Reading) -> str:
    """The sender's own spelling; a full name in quotes that is not reported as wrong agrees with it."""
    own = printed(card.name, reading.lexicon)
    exact = [text for text in quoted if own and text in own]
    if own and (exact or not quoted):
        return own
    full = [text for text in quoted if len(text.split()) > 1 and looks_like_name(text, reading.lexicon) and (not own or shares_a_word(text, own))]
    return own if own and (not full or covers(own, full[0])) else printed(full[0], reading.lexicon) if full else own


def _after_to(prose: str) -> list[str]:
    return re.findall(r"\b(?:to|in|en|auf|à|a|på|til|na|naar|är|is|ist|est|es|è|é)\s+((?:[A-ZÀ-Þ][\w'’-]+\s?){1,3})", prose)
