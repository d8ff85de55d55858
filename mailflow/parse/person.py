"""Who endorses, as it should be printed: the sender's own text first, then the signature, then From."""

import re
from collections.abc import Iterable
from dataclasses import replace

from mailflow.model.mail import Signer
from mailflow.parse.card import Card, is_junk, pieces_of, place_and_country, read_card
from mailflow.parse.country import stated_country
from mailflow.parse.fold import fold, sentences
from mailflow.parse.introduction import introduction, listing_request, told_of_self
from mailflow.parse.names import covers, fullest, is_cased, looks_like_name, printed, script_of, shares_a_word
from mailflow.parse.reading import Reading
from mailflow.parse.template import Form

_LONGEST = 200
_TWO = re.compile(r"\s+(?:&|\+|and|und|et|y|e|i|og|och|en|ja|és|и|і|ve|và|dan|na|και|și)\s+")
_STRANGE = re.compile("[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def card_of(reading: Reading) -> Card:
    """Everything the mail says of the person who signs; the name may be empty."""
    if reading.form is not None:
        return _from_form(reading.form, reading).filled(_named(read_card(reading.layout.last, reading.lexicon), reading))
    listed = listing_request(reading)
    told = introduction(reading)
    last = _named(read_card(_person_lines(reading.layout.last, reading), reading.lexicon), reading)
    signature = _signature_card(reading)
    if reading.scan.has("behalf") and told.name and not covers(reading.author_name or "", told.name):
        return told
    own = [card for card in (listed, told, last, signature) if card.name]
    name = _best_name([card.name for card in own], reading)
    if listed.name:
        return replace(listed, name=name if covers(name, listed.name) else listed.name)
    card = Card(more=told.more or last.more)
    for other in (last, told, signature, told_of_self(reading)):
        card = card.filled(other) if not other.name or not name or shares_a_word(other.name, name) or other is last else card
    return replace(card, name=name)


def _named(card: Card, reading: Reading) -> Card:
    """A card whose name is one; what only looked like a name is dropped. "Ann and Bob Lee" are two."""
    parts = _TWO.split(card.name)
    if len(parts) == 2 and all(looks_like_name(part, reading.lexicon) for part in parts) and not looks_like_two_part(card.name, reading):
        first, second = parts
        family = second.split()[-1] if len(first.split()) == 1 and len(second.split()) > 1 else ""
        return replace(card, name=f"{first} {family}".strip(), more=(second,))
    return card if looks_like_name(card.name, reading.lexicon) else replace(card, name="")


def looks_like_two_part(name: str, reading: Reading) -> bool:
    """Whether "and" belongs to one Iberian surname ("Ortega y Gasset"), which From then also has."""
    return (
        covers(reading.author_name, name)
        if reading.author_name
        else bool(re.search(r" (?:y|i|e) [A-Z]\w+$", name)) and len(name.split()) > 3
    )


def _person_lines(lines: Iterable[str], reading: Reading) -> list[str]:
    return [
        line
        for line in lines
        if not reading.lexicon.closing.match(fold(line)) or looks_like_name(pieces_of(line)[0] if pieces_of(line) else "", reading.lexicon)
    ]


def _signature_card(reading: Reading) -> Card:
    """The signature block; its first lines hold the name, or it has none."""
    lines = [line for line in reading.letter.signature.split("\n") if line.strip(" -_*=~\t")][:10]
    while lines and is_junk(lines[0]) and not looks_like_name((pieces_of(lines[0]) or [""])[0], reading.lexicon):
        lines.pop(0)
    if not lines:
        return Card()
    first = (pieces_of(lines[0]) or [""])[0]
    known = bool(reading.author_name) and shares_a_word(first, reading.author_name)
    named = looks_like_name(first, reading.lexicon) and (known or len(first.split()) > 1 or not is_cased(first))
    return _named(read_card(lines, reading.lexicon, named=not named), reading) if known or named else Card()


def _best_name(own: list[str], reading: Reading) -> str:
    """The fullest form among the sender's own that agree with the first; From fills up initials and given names."""
    author = reading.author_name
    if not own:
        return author
    first = printed(own[0], reading.lexicon)
    forms = [first, *(form for name in own[1:] if (form := printed(name, reading.lexicon)) and shares_a_word(form, first))]
    best = fullest(forms)
    if author and (
        covers(author, best)
        or (len(best.split()) == 1 and script_of(best) not in ("CJK", "HANGUL", "KATAKANA", "HIRAGANA") and _other_script(author, best))
    ):
        return fullest([best, author])
    return best


def _other_script(one: str, other: str) -> bool:
    return script_of(one) != script_of(other)


def _from_form(form: Form, reading: Reading) -> Card:
    """The card in a filled form. What stands beside "Affiliation:" goes there, tidied, even an occupation."""
    lexicon = reading.lexicon
    named = read_card([form.value("name")], lexicon) if form.value("name") else Card()
    place, in_place = place_and_country(form.value("place"), lexicon)
    country_field = form.value("country")
    country = stated_country(country_field, lexicon)
    if not place and country and "," in country_field:
        place, _ = place_and_country(country_field, lexicon)
    affiliation = _tidy(form.value("affiliation") or form.value("organisation"), reading)
    name = _best_name([named.name], reading) if named.name else reading.author_name
    title = _tidy(form.value("title"), reading) or named.title
    return Card(name, title, affiliation or named.affiliation, place or named.place, country or in_place or named.country)


def _tidy(value: str, reading: Reading) -> str:
    """A field without refusals ("prefer not to say where", "none", "-")."""
    kept = []
    for piece in re.split(r"\s*[,;]\s+|\s*[()]\s*", value.strip(" -–—.*_")):
        scan = reading.lexicon.book.scan(sentences(piece))
        if (
            piece
            and not scan.has("leave_out")
            and fold(piece).strip(" ./") not in reading.lexicon.no
            and fold(piece) not in ("n/a", "na", "/", "--")
        ):
            kept.append(piece)
    return ", ".join(kept)


def signers_of(card: Card, reading: Reading) -> tuple[Signer, ...]:
    """The signers in print form; only the first has more than a name and a place. Odd names are kept for a human to see."""
    affiliation = None if reading.scan.has("leave_out") and reading.form is None else card.affiliation
    names = [printed(name, reading.lexicon) for name in (card.name, *card.more)]
    first = Signer(names[0], _text(card.title), _text(affiliation), _text(card.place), card.country) if names[0] else None
    others = (Signer(name, place=_text(card.place)) for name in dict.fromkeys(names[1:]) if name and name != names[0])
    return tuple(signer for signer in (first, *others) if signer is not None)


def _text(value: str | None) -> str | None:
    """One line without controls, or None."""
    text = " ".join(_STRANGE.sub("", value or "").split()).strip(" ,;")[:_LONGEST]
    return text or None
