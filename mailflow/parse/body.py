"""Which of a mail's texts a human wrote, and whether two forms of it say the same."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from mailflow.parse.flowed import unflow
from mailflow.parse.html import all_letters, to_text
from mailflow.parse.message import Text
from mailflow.parse.reply import Known, Reply, scan

_WORD = re.compile(r"[^\W\d_]+")
_LINK = re.compile(
    r"[<\[(]?(?:https?://|mailto:|cid:|www\.|tel:)[^\s<>\])]{1,2000}[>\])]?|\[(?:image|cid|bild|inline image)[^\]\n]{0,200}\]",
    re.IGNORECASE,
)
_LINK_SIGNS = ("://", "mailto:", "cid:", "www.", "tel:", "[image", "[cid", "[bild", "[inline image")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")

STUB_WORDS = 12
COMPARED = 65_536
LONG_TEXT = 150
TOLERATED = 0.03


@dataclass(frozen=True, slots=True)
class Body:
    """The text that was chosen, its reply, and what is odd about it. ``text`` may hold signature marks."""

    text: str
    reply: Reply
    differs: bool = False
    hidden: bool = False


def body_of(texts: list[Text], known: Known, subject: str) -> Body:
    """Chooses among alternatives (RFC 2046 §5.1.4), joins what stands side by side, and finds the reply in it."""
    groups: dict[int, list[Text]] = {}
    for number, text in enumerate(texts):
        groups.setdefault(text.alternative or -1 - number, []).append(text)
    chosen = [_choose(group, known, subject) for group in groups.values()]
    if len(chosen) == 1:
        return chosen[0]
    pieces = [body.text for body in chosen if body.text.strip()]
    joined = "\n\n".join(pieces)
    return Body(joined, scan(joined, known, subject), any(body.differs for body in chosen), any(body.hidden for body in chosen))


def _choose(group: list[Text], known: Known, subject: str) -> Body:
    """Plain text, unless it is empty or a stub beside real HTML; both are read where they are not the same words."""
    plain = "\n\n".join(_unflowed(text) for text in group if not text.html)
    source = "\n".join(text.text for text in group if text.html)
    if not source.strip():
        return Body(plain, scan(plain, known, subject))
    # Most programs say the same twice: then the page need not be rendered to know that it adds and hides nothing.
    if plain.strip() and (letters := all_letters(source)) is not None and _says_the_same(plain, letters):
        return Body(plain, scan(plain, known, subject))
    rendered, hides = to_text(source)
    if not plain.strip() or not rendered.strip():
        text = plain if plain.strip() else rendered
        return Body(text, scan(text, known, subject), hidden=hides)
    one, two = _words(plain), _words(rendered)
    if one == two:
        return Body(plain, scan(plain, known, subject), hidden=hides)
    if len(one) <= STUB_WORDS and len(two) > 3 * len(one):
        return Body(rendered, scan(rendered, known, subject), differs=bool(Counter(one) - Counter(two)), hidden=hides)
    found, other = scan(plain, known, subject), scan(rendered, known, subject)
    return Body(plain, found, _differ(_words(found.unquoted), _words(other.unquoted)), hides)


def _says_the_same(plain: str, letters: str) -> bool:
    """Whether two texts are the same but for white space, or else word for word."""
    return "".join(plain.split()) == "".join(letters.split()) or _words(plain) == _words(letters) != []


def _unflowed(text: Text) -> str:
    return (unflow(text.text, delsp=text.delsp) if text.flowed else text.text).replace("\xa0", " ")


def _words(text: str) -> list[str]:
    """The words for comparing; links and pictures stand in one form only, numbers of lists too."""
    text = text[:COMPARED]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    text = text.casefold()
    return _WORD.findall(_LINK.sub(" ", text) if any(sign in text for sign in _LINK_SIGNS) else text)


def _differ(one: list[str], two: list[str]) -> bool:
    """Whether two word lists say materially different things: in a short text a word like "not" is enough."""
    if "".join(one) == "".join(two):
        return False
    bags = Counter(one), Counter(two)
    apart = (bags[0] - bags[1]).total() + (bags[1] - bags[0]).total()
    length = len(one) + len(two)
    return apart > (TOLERATED * length if length > LONG_TEXT else 0)
