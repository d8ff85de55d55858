"""Who somebody is, from the lines under a letter: name, role, organisation, place, country."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mailflow.parse.country import country_at_end, country_of
from mailflow.parse.fold import fold
from mailflow.parse.lexicon import Lexicon
from mailflow.parse.names import is_cased, looks_like_name, split_honorifics

_PIECES = re.compile(r"\s*[,;،؛、，|•·]\s*|\s+[–—/-]\s+|\s+//\s+|(?<=[\u4e00-\u9fff])・(?=[\u4e00-\u9fff])")
_BRACKET = re.compile(r"\s*[(（\[]([^)）\]]*)[)）\]]")
_JUNK = re.compile(
    r"@|https?:|www\.|://|\b\w+\.(?:com|org|net|example|edu|eu)\b|\+?\d[\d ()/.-]{6,30}\d|^[\s\"“„«*_=~#>-]*$|^\s*[\"“„«].*[\"”»]\s*$"
    r"|^\W*(?:t|m|f|p|tel|telefon|phone|mob|mobile|fax|cell|e-?mail|web|skype|twitter|handy|тел|τηλ|电话|電話|手机|전화|هاتف)\b\.?\s*[:：.]"
    r"|\b(?:no|nr|n°|№)\.? ?\d|charity\b|\bvat\b|\biban\b",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"^(?:[A-Z]{1,2}-)?\d{4,6}(?:[ -]?[A-Z]{2})?\s+(?=\S)|^\d{2,3}[ -]\d{2,3}\s+(?=\S)|\s+\d{4,6}$|\s+[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}$|^\d{3}-\d{4}\s+"
)
_PLACE_START = re.compile(
    r"^(?:г\.|м\.|с\.|ул\.|in|from|aus|de|da|di|en|à|z|ze|из|iz|fra|från|uit|at|em|bei|near|village of|city of|town of)\s+(?=\S)",
    re.IGNORECASE,
)
_AT = re.compile(
    r"\s+(?:at|bei|chez|presso|vid|ved|an|am|przy|w|na|při|bij|aan|@)(?:\s+(?:the|der|dem|den|het|de|la|il|le))?\s+", re.IGNORECASE
)
_SHORT = re.compile(r"[a-zà-ÿ]{1,4}(?:'|’)?$|of|the")
_FROM = re.compile(r"^(.{3,}?)\s+(from|aus|dari|fra|från|uit|ở|từ|in|em|в|из|з|із|у|z|ze|w|we|v|ve|în|din)\s+([A-ZÀ-ÞĀ-ŽА-ЯІЇЄĐ].*)$")
_BENDING = frozenset({"в", "из", "з", "із", "у", "z", "ze", "w", "we", "v", "ve"})
_COUNTED = re.compile(r"^.{0,12}?(?:一名|一位|一个|一個)|[。.]$")
_LABEL = re.compile(r"^(?:name|nom|nombre|nome|imię i nazwisko|имя|ad|adı)\s*:\s*", re.IGNORECASE)


_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Card:
    """What some lines say of one person; ``more`` are further names beside the first."""

    name: str = ""
    title: str = ""
    affiliation: str = ""
    place: str = ""
    country: str | None = None
    more: tuple[str, ...] = ()

    def filled(self, other: "Card") -> "Card":
        """This card with its gaps filled from another."""
        return Card(
            name=self.name or other.name,
            title=self.title or other.title,
            affiliation=self.affiliation or other.affiliation,
            place=self.place or other.place,
            country=self.country or other.country,
            more=self.more or other.more,
        )


def is_junk(piece: str) -> bool:
    """Telephone numbers, addresses, quotations and registration numbers of a signature."""
    return bool(_JUNK.search(piece))


def pieces_of(line: str) -> list[str]:
    """A line taken apart at commas, bars and dashes; a country in brackets is a piece, other brackets stay."""
    return [piece for piece in (part.strip(' \t.*_~"（）') for part in _PIECES.split(line)) if piece]


def read_card(lines: Sequence[str], lexicon: Lexicon, *, named: bool = False) -> Card:
    """Reads the lines that follow a closing formula. ``named`` says that the name is known and not among them."""
    card = Card()
    unknown: list[tuple[int, str]] = []
    for number, written in enumerate(lines):
        line, card = _bracketed_country(" ".join(written[:_LONGEST_LINE].split()), card, lexicon)
        if is_junk(line) and not is_person_first(line, lexicon):
            continue
        for whole in pieces_of(_LABEL.sub("", line.lstrip("-–—~* "))):
            if is_junk(whole):
                continue
            if not named and not card.name:
                card, named = _with_name(card, whole, lexicon), True
                continue
            piece, card = _country_split_off(whole, card, lexicon)
            if (placed := _placed(card, piece, lexicon)) is not None:
                card = placed
            else:
                unknown.append((number, piece))
    alone = frozenset(number for number, line in enumerate(lines) if len(pieces_of(line)) == 1)
    return _with_unknown(card, unknown, len(lines), alone)


def _country_split_off(piece: str, card: Card, lexicon: Lexicon) -> tuple[str, Card]:
    """A piece without the country's name at its end ("Hexley England"), unless it is an organisation's ("University of Wales")."""
    rest, code = country_at_end(piece, lexicon)
    if code is None or not rest or lexicon.orgs.found_in(piece):
        return piece, card
    return rest, replace(card, country=card.country or code)


def is_person_first(line: str, lexicon: Lexicon) -> bool:
    """Whether a line begins with a name, whatever follows."""
    pieces = pieces_of(line)
    return bool(pieces) and not is_junk(pieces[0]) and looks_like_name(pieces[0], lexicon)


def _bracketed_country(line: str, card: Card, lexicon: Lexicon) -> tuple[str, Card]:
    for found in _BRACKET.finditer(line):
        if code := country_of(found[1], lexicon):
            return line[: found.start()] + line[found.end() :], replace(card, country=code)
    return line, card


def _with_name(card: Card, piece: str, lexicon: Lexicon) -> Card:
    """The first piece is the name; its honorifics and degrees are the beginning of the title."""
    name, honorifics = split_honorifics(piece, lexicon)
    return replace(card, name=name, title=honorifics)


def _placed(card: Card, piece: str, lexicon: Lexicon) -> Card | None:
    """The card with a piece whose kind is certain, or None."""
    if code := country_of(piece, lexicon):
        return replace(card, country=card.country or code)
    if fold(piece).replace(".", "") in lexicon.degrees:
        return replace(card, title=joined(card.title, piece))
    if _is_role(piece, lexicon):
        piece, place = _role_and_place(_COUNTED.sub("", piece), lexicon)
        card = replace(card, place=card.place or place)
        role, organisation = role_and_organisation(piece, lexicon)
        return replace(card, title=joined(card.title, role), affiliation=card.affiliation or organisation)
    if lexicon.orgs.found_in(piece):
        return replace(card, affiliation=joined(card.affiliation, piece)) if not re.match(r"\d", piece) else None
    return None


def _role_and_place(piece: str, lexicon: Lexicon) -> tuple[str, str]:
    """A role without the place it is told with ("fisker fra Vardø"); where prepositions bend names, the place is dropped."""
    found = _FROM.match(piece)
    if found is None or lexicon.orgs.found_in(found[3]) or lexicon.roles.found_in(found[3]):
        return piece, ""
    return found[1], found[3] if found[2].lower() not in _BENDING else ""


def _is_role(piece: str, lexicon: Lexicon) -> bool:
    """Its first words name a role, or it is written small where places and organisations are written large."""
    words = piece.split()
    organisation = lexicon.orgs.found_in(piece)
    if lexicon.roles.found_in(piece) and not (organisation and not lexicon.roles.found_in(" ".join(words[:2]))):
        return True
    if re.search(r"\d", piece) or not is_cased(piece) or not words[0][0].islower():
        return False
    return not (organisation and lexicon.orgs.found_in(words[0])) and not _PLACE_START.match(piece)


def role_and_organisation(piece: str, lexicon: Lexicon) -> tuple[str, str]:
    """A role and the organisation it is held in, parted at the preposition between them."""
    words = piece.split()
    at = next((number for number, word in enumerate(words) if number and lexicon.orgs.found_in(word)), 0)
    if not at or not is_cased(piece):
        return piece, ""
    while at > 1 and words[at - 1][0].isupper() and not lexicon.roles.found_in(words[at - 1]):
        at -= 1
    start = at
    while start > 1 and _SHORT.fullmatch(words[start - 1]):
        start -= 1
    if start == at or not lexicon.roles.found_in(" ".join(words[:start])):
        return piece, ""
    return " ".join(words[:start]), " ".join(words[at:])


def _with_unknown(card: Card, unknown: Iterable[tuple[int, str]], lines: int, alone: frozenset[int]) -> Card:
    """What is left: in a long block the line under the name is a role and the next an organisation; else a place.

    ``alone`` are the numbers of lines that hold one piece only; a role or an organisation stands alone.
    """
    places = []
    for number, piece in unknown:
        if not place_name(piece):
            continue
        block = lines >= 4 and number in alone
        if block and number == 1 and not card.title:
            card = replace(card, title=piece)
        elif block and 0 < number <= 2 and not card.affiliation and card.title and number < lines - 1:
            card = replace(card, affiliation=piece)
        else:
            places.append(piece)
    place = ", ".join(filter(None, (place_name(piece) for piece in places)))
    return replace(card, place=card.place or place)


def place_name(piece: str) -> str:
    """A place without postcode and preposition; ``""`` for a street address."""
    bare = _PLACE_START.sub("", _POSTCODE.sub("", piece.strip())).strip(" .,")
    return "" if re.search(r"\d", bare) else bare


def place_and_country(text: str, lexicon: Lexicon) -> tuple[str, str | None]:
    """A place and the country behind it ("Hexley, England")."""
    pieces = pieces_of(text)
    if pieces and (code := country_of(pieces[-1], lexicon)):
        return ", ".join(pieces[:-1]), code
    return country_at_end(text, lexicon)


def joined(one: str, other: str) -> str:
    """Two parts of a title, joined by a comma."""
    return ", ".join(filter(None, (one, other)))
