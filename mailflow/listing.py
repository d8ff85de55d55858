"""Accepted endorsements -> the public list: who is named, in which order, and in which formats."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from mailflow.config.campaign import Campaign
from mailflow.config.campaign import Listing as NamingRule
from mailflow.model.endorsement import Entry, EntryState

FEW = 5
"""Fewer unnamed people than this in one country are not told apart by country: it could point at them."""

_JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji are spelled with them
_LATIN = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "THAI")
_LAST_SCRIPTS = ("HIRAGANA", "KATAKANA", "HANGUL", "CJK")
_FORMULA = frozenset("=+-@")
FULL_LINE = 55
"""Columns from which on a line of a mail counts as full; most programs break at 72 to 78, before a word that does not fit."""
_NOT_ASCII_WORDS = re.compile("[^a-z0-9 ]+")


@dataclass(frozen=True, slots=True)
class PublicEntry:
    """One named person as everybody may see them: nothing else of the entry leaves the store.

    ``country`` is ISO 3166-1 alpha-2, absent values are ``""``, ``words`` may hold line feeds.
    """

    name: str
    title: str = ""
    affiliation: str = ""
    place: str = ""
    country: str = ""
    organisation: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The public list of one campaign. ``total`` = ``named`` + ``unnamed``.

    ``by_country`` holds (alpha-2, count), largest first; ``elsewhere`` are those in no country
    of it: no country given, or so few unnamed people that the figure could point at them.
    """

    campaign: str
    name: str
    total: int
    named: int
    unnamed: int
    by_country: tuple[tuple[str, int], ...]
    elsewhere: int
    entries: tuple[PublicEntry, ...]


COLUMNS = tuple(field.name for field in fields(PublicEntry))


def public_entries(entries: Iterable[Entry], campaign: Campaign) -> Listing:
    """Return the public list over ``entries``: those that are LIVE and may appear; others are as if they were not there.

    The order is by name and tells nothing of the time of arrival.
    """
    named: list[PublicEntry] = []
    shown: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    for entry in entries:
        if entry.state is not EntryState.LIVE or not entry.published:
            continue
        public = public_entry(entry, campaign)
        if public is None:
            hidden[(entry.country or "").upper()] += 1
        else:
            named.append(public)
            shown[public.country] += 1
    countries = {code: shown[code] + (hidden[code] if hidden[code] >= FEW else 0) for code in {*shown, *hidden} if code}
    total = len(named) + hidden.total()
    return Listing(
        campaign=campaign.slug,
        name=campaign.name,
        total=total,
        named=len(named),
        unnamed=hidden.total(),
        by_country=tuple(sorted(((c, n) for c, n in countries.items() if n), key=lambda pair: (-pair[1], pair[0]))),
        elsewhere=total - sum(countries.values()),
        entries=tuple(sorted(named, key=_order)),
    )


def public_entry(entry: Entry, campaign: Campaign) -> PublicEntry | None:
    """Return ``entry`` as it is listed, or ``None`` where the person is counted and not named.

    A wish not to be named always wins; under ``count`` nobody is named whatever they wish.
    """
    if not entry.named or campaign.listing is NamingRule.COUNT or not printable(entry.name).strip():
        return None
    words = entry.words if entry.words_shown and campaign.show_words else ""
    return PublicEntry(
        name=_line(entry.name),
        title=_line(entry.title),
        affiliation=_line(entry.affiliation),
        place=_line(entry.place),
        country=_line(entry.country).upper(),
        organisation=_line(entry.organisation),
        words=unwrapped(printable(words).strip()),
    )


def to_rows(listing: Listing) -> list[tuple[str, ...]]:
    """Return a heading and one row a person, every cell one line without controls, for a table on a terminal."""
    return [COLUMNS, *(tuple(" ".join(cell.split()) for cell in _cells(entry)) for entry in listing.entries)]


def to_json(listing: Listing) -> str:
    """Return one JSON object (RFC 8259) with the counts and the list ``signers``."""
    return json.dumps(
        {
            "campaign": listing.campaign,
            "name": listing.name,
            "total": listing.total,
            "named": listing.named,
            "unnamed": listing.unnamed,
            "by_country": dict(listing.by_country),
            "elsewhere": listing.elsewhere,
            "signers": [dict(zip(COLUMNS, _cells(entry), strict=True)) for entry in listing.entries],
        },
        ensure_ascii=False,
    )


def to_csv(listing: Listing) -> str:
    """Return CSV (RFC 4180: CRLF, every cell quoted) in which no cell is a formula for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([guard(cell) for cell in _cells(entry)] for entry in listing.entries)
    return out.getvalue()


def printable(text: str) -> str:
    """Return ``text`` without controls, surrogates and bidi marks; line feeds stay, other breaks become line feeds."""
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(char for char in lines if char in "\n" + _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"})


def unwrapped(text: str) -> str:
    """Return ``text`` with the line ends taken out that a mail program put in; short lines, as of a verse, stay lines.

    A line that is followed by another and is nearly as long as mail programs make them was broken by one.
    """
    out = ""
    before = ""
    for line in text.split("\n"):
        if not out:
            out = line
        elif line.strip() and _width(before) >= FULL_LINE:
            glue = "" if _is_wide(before.rstrip()[-1:]) and _is_wide(line.lstrip()[:1]) else " "
            out = f"{out.rstrip()}{glue}{line.lstrip()}"
        else:
            out = f"{out}\n{line}"
        before = line
    return out


def _width(line: str) -> int:
    """Columns of a terminal: ideographs take two."""
    return sum(2 if _is_wide(char) else 1 for char in line)


def _is_wide(char: str) -> bool:
    return bool(char) and unicodedata.east_asian_width(char) in "WF"


def guard(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet takes it for text: a leading apostrophe where it could start a formula.

    A reader of the CSV takes one leading ``'`` off a cell whose next character is such a one.
    """
    start = unicodedata.normalize("NFKC", cell.lstrip(" \t\r\n\v\f\0\u00a0\u3000\ufeff'\"“”‘’;,")[:1])
    risky = cell[:1] in ("\t", "\r", "\n", "\0") or start in _FORMULA
    return ("'" if risky else "") + cell.replace("\0", "")


def _line(text: str | None) -> str:
    return " ".join(printable(text).split()) if text else ""


def _cells(entry: PublicEntry) -> tuple[str, ...]:
    return (entry.name, entry.title, entry.affiliation, entry.place, entry.country, entry.organisation, entry.words)


def _order(entry: PublicEntry) -> tuple[int, str, tuple[str, ...]]:
    """Script, then the name without accents and case; the whole public row last, so that no tie shows who came first."""
    return _script(entry.name), _folded(entry.name), _cells(entry)


def _folded(name: str) -> str:
    if name.isascii():
        return _NOT_ASCII_WORDS.sub("", name.lower()).strip()
    bare = unicodedata.normalize("NFKD", name.casefold().translate(_LATIN))
    return "".join(char for char in bare if unicodedata.category(char)[0] in "LN" or char == " ").strip()


def _script(name: str) -> int:
    """Latin first, then the other alphabets, then scripts unknown to us, East Asian ones last."""
    first = next((char for char in name if char.isalpha()), "")
    if first.isascii():
        return 0
    script = unicodedata.name(first, "").partition(" ")[0].partition("-")[0]
    if script in _SCRIPTS:
        return _SCRIPTS.index(script)
    return len(_SCRIPTS) + 1 + (_LAST_SCRIPTS.index(script) if script in _LAST_SCRIPTS else -1)
