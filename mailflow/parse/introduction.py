"""What people say of themselves in running text: "My name is ...", "please list me as ...", "I live in ..."."""

import re
from typing import Final

from mailflow.parse.card import Card, joined, place_and_country, read_card
from mailflow.parse.country import country_after
from mailflow.parse.fold import TOKEN, UNSPACED, behind_letters, fold
from mailflow.parse.lexicon import related
from mailflow.parse.names import _PARTICLES as PARTICLES
from mailflow.parse.names import is_cased, looks_like_name, shares_a_word, split_honorifics
from mailflow.parse.phrasebook import Hit
from mailflow.parse.reading import Reading

_QUOTED = re.compile(r"[\"“”„«»「『‘']([^\"“”„«»」』]{2,160})[\"“”«»」』’']")
_LISTING_END = re.compile(r"[.!?。;](?=\s|$)|$")
_COUNTED = re.compile(r"^.{0,12}?(?:一名|一位|一个|一個)")
_LETTERS = 14
_NAME_TOKENS = 6
_LISTED_TOKENS = 9
# Names of places change their ends there after a preposition, and the list prints the base form.
INFLECTING = frozenset({"ru", "uk", "pl", "cs", "sk", "hu", "fi", "tr", "el"})
_EDGE = ' .,:;!?"“”„«»।،'
_ROLE_TOKENS = 8
_IDEOGRAPHIC: Final[tuple[re.Pattern[str], ...]] = (
    re.compile(
        r"(?:私の名前は|名前は|私は|わたしは|わたくし)[、,]?\s*([^、。,\s]{2,12}?(?:[ 　][^、。,\s]{1,6}?)?)\s*(?:と申します|といいます|と言います|です)"
    ),
    re.compile(r"(?:我叫|我的名字是|我的名字叫|本人姓名|我是|本人)\s*([\u4e00-\u9fff·]{2,8}?)(?=[,，。、;；\s]|$)"),
    re.compile(r"(?:제 이름은|저는|나는|이름은)\s*([가-힣]{2,5})(?=입니다|이라고|라고|이에요|예요|이며)"),
    re.compile(r"(?:ผม|ดิฉัน|ฉัน|ข้าพเจ้า)?\s*(?:ชื่อ|นาย|นางสาว|นาง)\s*([\u0e00-\u0e7f]{2,30}(?: [\u0e00-\u0e7f]{2,30})?)"),
)


def listing_request(reading: Reading) -> Card:
    """The card in 'Please list me as "..."'; empty where nobody asks."""
    for hit in reading.scan.of("list_as"):
        rest = _text_after(reading, hit)
        if rest is None:
            continue
        quoted = _QUOTED.match(rest.lstrip(" :–-,"))
        text = quoted[1] if quoted else rest.lstrip(" :–-")[: _end_of(rest)]
        card = read_card([text], reading.lexicon)
        if looks_like_name(card.name, reading.lexicon):
            return card
        if quoted or not card.name:
            continue
    return Card()


def _end_of(rest: str) -> int:
    found = _LISTING_END.search(rest)
    return found.start() if found else len(rest)


def introduction(reading: Reading) -> Card:
    """The name that the prose gives, and what stands between commas behind it; more names where several are told."""
    for text in reading.scan.sentences if UNSPACED.search(reading.prose) or re.search("[가-힣]", reading.prose) else ():
        for pattern in _IDEOGRAPHIC:
            if (
                (found := pattern.search(text))
                and looks_like_name(found[1], reading.lexicon)
                and not reading.lexicon.roles.found_in(found[1])
            ):
                return Card(name=found[1])
    for hit in sorted(_spoken("intro", reading), key=lambda hit: (hit.sentence, hit.start - hit.end)):
        rest = _text_after(reading, hit)
        card = _named_in(rest, reading) if rest else Card()
        if card.name and (_known(card.name, reading) or card.more or _is_sure(hit, card.name, reading)):
            return card
    return _named_in_line(reading)


def _is_sure(hit: Hit, name: str, reading: Reading) -> bool:
    """A small word ("I ...") proves a name only where capitals set it off."""
    if reading.lexicon.tongues[hit.language].unspaced:
        return True
    small = reading.scan.tokens[hit.sentence][hit.start] in reading.lexicon.common
    return hit.end - hit.start > 1 or not small or (is_cased(name) and len(name.split()) > 1)


def _spoken(concern: str, reading: Reading) -> list[Hit]:
    """The hits of small words count only in the language that was written: "i" is nobody in Polish."""
    return [hit for hit in reading.scan.of(concern) if hit.language in related(reading.language)]


def _known(name: str, reading: Reading) -> bool:
    return bool(reading.author_name) and shares_a_word(name, reading.author_name)


def _text_after(reading: Reading, hit: Hit) -> str | None:
    """The sentence as written behind a phrase; None where folding changed the number of its tokens."""
    sentence = reading.scan.sentences[hit.sentence]
    if reading.lexicon.tongues[hit.language].unspaced:
        return behind_letters(sentence, hit.end)
    spans = [found.end() for found in TOKEN.finditer(sentence)]
    if len(spans) != len(reading.scan.tokens[hit.sentence]):
        return None
    return sentence[spans[hit.end - 1] :]


def _named_in(rest: str, reading: Reading) -> Card:
    """A name at the beginning of some text, with its pieces."""
    pieces = [piece.strip() for piece in re.split(r"[,،;:]|\s[–—-]\s", rest.strip(' :,–-،"“„«'))]
    name, behind = _leading_name(pieces[0], reading)
    if not looks_like_name(name, reading.lexicon) or not name:
        return Card()
    bare, honorifics = split_honorifics(name, reading.lexicon)
    card = Card(name=bare, title=honorifics)
    if more := _more_names(rest, reading):
        return Card(name=bare, more=more)
    return card if behind else _with_pieces(card, pieces[1:], reading)


def _leading_name(piece: str, reading: Reading) -> tuple[str, str]:
    """The words that can be a name, and the rest of the piece."""
    words, taken = piece.split(), list[str]()
    for word in words[:_NAME_TOKENS]:
        if not _can_be_in_name(word, taken, reading):
            break
        taken.append(word)
    while taken and fold(taken[-1]) in PARTICLES:
        taken.pop()
    if not is_cased(piece) and len(taken) == len(words) and len(taken) > 4:
        return "", piece
    return " ".join(taken).strip(_EDGE), " ".join(words[len(taken) :])


def _can_be_in_name(word: str, taken: list[str], reading: Reading) -> bool:
    bare = fold(word).strip(_EDGE)
    if not bare:
        return False
    if is_cased(word):
        return word.lstrip('"“„«')[0].isupper() or (bool(taken) and bare in PARTICLES and bare not in reading.lexicon.conjunctions)
    return len(taken) < 4 and bare not in reading.lexicon.common and bare not in reading.lexicon.conjunctions


def _more_names(rest: str, reading: Reading) -> tuple[str, ...]:
    """Further people in a list: each begins with an honorific or stands behind "and"."""
    lexicon, names = reading.lexicon, list[str]()
    for separator, piece in re.findall(r"([,،&]|\s\w+\s)\s*((?:[^\s,،.]+\s?){1,4})", re.split(r"[.!?]", rest)[0]):
        conjunction = fold(separator.strip()) in lexicon.conjunctions
        name, _ = _leading_name(piece.strip(), reading)
        bare, honorific = split_honorifics(name, lexicon)
        if bare and (honorific or (conjunction and len(bare.split()) > 1)) and looks_like_name(bare, lexicon):
            names.append(bare)
    return tuple(names)


def _with_pieces(card: Card, pieces: list[str], reading: Reading) -> Card:
    """Role, organisation and place between commas, as long as pieces look like them."""
    for number, piece in enumerate(pieces[:4]):
        if (
            not piece
            or fold(piece.split()[0]) in reading.lexicon.common
            or len(piece.split()) > _ROLE_TOKENS
            or (number == len(pieces) - 1 and len(pieces) > 1 and len(piece.split()) > 3)
        ):
            break
        more = read_card([piece], reading.lexicon, named=True)
        certain = (
            bool(more.country or more.affiliation)
            or reading.lexicon.roles.found_in(piece)
            or (piece[0].isupper() and len(piece.split()) <= 3)
        )
        if not certain:
            break
        card = Card(
            card.name,
            joined(card.title, more.title),
            card.affiliation or more.affiliation,
            card.place or more.place,
            card.country or more.country,
        )
    return card


def _named_in_line(reading: Reading) -> Card:
    """As in "Firmo. Maite Orbegozo Lasarte, bibliotecaria, Getaria.": a sentence, or its end after a colon, that is a card and agrees with From."""
    for sentence in reading.scan.sentences if reading.author_name else ():
        text = sentence.rstrip(". ").rpartition(": ")[2]
        name = text.partition(",")[0]
        if len(text) < 120 and 1 < len(name.split()) <= _LISTED_TOKENS and looks_like_name(name, reading.lexicon) and _known(name, reading):
            return read_card([text], reading.lexicon)
    return Card()


def told_of_self(reading: Reading) -> Card:
    """Role, workplace, place and country told in the prose."""
    return Card(title=_told_role(reading), affiliation=_told_work(reading)).filled(_told_place(reading))


def _told_role(reading: Reading) -> str:
    """As in "I am a teacher", "I hold a master's degree in law": up to a preposition that leads elsewhere."""
    for hit in sorted(_spoken("self_role", reading), key=lambda hit: (hit.sentence, -hit.end)):
        rest = _text_after(reading, hit)
        role = _leading_role(rest, reading) if rest else ""
        if role:
            return role
    return ""


def _leading_role(rest: str, reading: Reading) -> str:
    if UNSPACED.search(rest):
        piece = _COUNTED.sub("", re.split(r"[,.;:!?，。、！；]|です|として|でござ|をして|ครับ|ค่ะ", rest.strip())[0].strip())
        return piece if len(piece) <= _LETTERS and reading.lexicon.roles.found_in(piece) else ""
    words: list[str] = []
    for word in re.split(r"[,.;:!?()،।]|\s[–—-]\s", rest.strip())[0].split()[:_ROLE_TOKENS]:
        if words and (_leads_away(word, reading) and (reading.lexicon.roles.found_in(" ".join(words)))):
            break
        words.append(word)
    role = " ".join(words)
    return role if reading.lexicon.roles.found_in(" ".join(words[:4])) and len(words) < _ROLE_TOKENS else ""


def _leads_away(word: str, reading: Reading) -> bool:
    """Small words end a role, but for the genitives and "in" that are a part of it."""
    bare = fold(word)
    return bare in reading.lexicon.common and bare not in (
        "of",
        "de",
        "in",
        "en",
        "di",
        "da",
        "do",
        "der",
        "des",
        "d'",
        "für",
        "for",
        "fur",
        "و",
    )


def _told_work(reading: Reading) -> str:
    """As in "I teach at Lycée X": the organisation behind the phrase, up to a small word."""
    for hit in _spoken("work_at", reading):
        rest = _text_after(reading, hit)
        if rest is None:
            continue
        words: list[str] = []
        for word in re.split(r"[,.;:!?()،।]", rest.strip())[0].split()[:_ROLE_TOKENS]:
            if (
                words
                and word[0].islower()
                and fold(word) in reading.lexicon.common
                and fold(word) not in ("of", "de", "for", "der", "di", "des", "du", "the")
            ):
                break
            words.append(word)
        text = " ".join(words)
        if words and reading.lexicon.orgs.found_in(text) and any(word[0].isupper() for word in words):
            return text
    return ""


def _told_place(reading: Reading) -> Card:
    """As in "I live in Hexley, England"."""
    for hit in _spoken("live", reading):
        rest = (_text_after(reading, hit) or "").strip()
        if country := country_after(re.sub(r"[.,!?;:]", " ", rest).split(), reading.lexicon):
            return Card(country=country)
        words: list[str] = []
        for word in rest.split()[:6]:
            if (is_cased(word) and not word[0].isupper()) or (words and not is_cased(word)):
                break
            words.append(word)
            if word[-1] in ".;!?":
                break
        if words:
            place, code = place_and_country(" ".join(words).strip(".,;!?"), reading.lexicon)
            return Card(place="" if (reading.language or "") in INFLECTING else place, country=code)
    return _in_place_and_country(reading)


def _in_place_and_country(reading: Reading) -> Card:
    """As in "in Hexley, England" in a sentence that also gives the name."""
    for hit in reading.scan.of("intro"):
        found = re.search(
            r"\b\w{1,4} ((?:[A-ZÀ-Þ][\w'’-]+ ?){1,3}), ((?:[A-ZÀ-Þ][\w'’-]+ ?){1,3})", reading.scan.sentences[hit.sentence][10:]
        )
        if found and (code := country_after(found[2].split(), reading.lexicon)):
            return Card(place=found[1].strip(), country=code)
    return Card()
