"""The organisation that a mail endorses for."""

import re

from mailflow.parse.card import Card
from mailflow.parse.fold import TOKEN
from mailflow.parse.reading import Reading

_MOST_TOKENS = 10


def organisation_of(card: Card, reading: Reading) -> str | None:
    """Its name: the affiliation of the person who signs for it, else what stands behind "on behalf of the"."""
    hits = [*reading.scan.of("organisation"), *reading.subject.of("organisation")]
    if not hits or reading.scan.has("leave_out"):
        return None
    named = next((name for hit in reading.scan.of("organisation") if (name := _behind(reading, hit.sentence, hit.end))), "")
    if card.affiliation and (not named or card.affiliation in named or named in card.affiliation):
        return card.affiliation
    return named or card.affiliation or None


def _behind(reading: Reading, sentence: int, end: int) -> str:
    """The run of large words (small ones between them) behind a phrase, if a word of it means an organisation."""
    text = reading.scan.sentences[sentence]
    spans = [found.end() for found in TOKEN.finditer(text)]
    if end > len(spans):
        return ""
    words: list[str] = []
    for word in re.split(r"[,.;:!?()\"“”]", text[spans[end - 1] :].strip())[0].split()[:_MOST_TOKENS]:
        if (not word[0].isupper() and len(word) > 4) or word in ("I", "We", "Ich", "Wir", "Je", "Ik"):
            break
        words.append(word)
    while words and not words[-1][0].isupper():
        words.pop()
    while words and not words[0][0].isupper():
        words.pop(0)
    return " ".join(words) if reading.lexicon.orgs.found_in(" ".join(words)) else ""
