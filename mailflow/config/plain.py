"""A statement as plain text: what people quote when they answer it."""

import html
import re
from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from mailflow.config.campaign import DEMANDS_HERE, Statement

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_BULLET = re.compile(r"^[ \t]*(?:[-*+])[ \t]+")
_NUMBER = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+")
_QUOTE = re.compile(r"^ {0,3}(?:> ?)+")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|=+)$")
_FENCE = re.compile(r"^ {0,3}(?:`{3,}|~{3,})")
_MARKS = (
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:[ \t]+\"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"!?\[([^\[\]]*)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s/]+@[^<>\s]+)>"), r"\1"),
    (re.compile(r"<br ?/?>", re.IGNORECASE), "\n"),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), ""),
    (re.compile(r"(`+)(.+?)\1"), r"\2"),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_]+?)(?<=\S)_(?![\w_])"), r"\1"),
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_COMMAS = {"ar": "، ", "fa": "، ", "ur": "، ", "ckb": "، ", "ps": "، ", "ja": "、", "zh": "、"}
_HELD = 0xE000
"""Escaped marks wait in the private use area until the other marks are gone."""


def statement_text(statement: Statement) -> str:
    """Title, body, demands as ``1. ...``, authors, date and invitation; one line a paragraph, empty lines between."""
    demands = "\n".join(f"{number}. {plain(demand)}" for number, demand in enumerate(statement.demands, 1))
    before, _, after = statement.body.partition(DEMANDS_HERE)
    comma = _COMMAS.get(statement.language.lower().partition("-")[0], ", ")
    authors = comma.join(author.name for author in statement.authors)
    signed = "\n".join(part for part in (authors, *written_dates(statement.date, statement.language)) if part)
    parts = [statement.title, plain(before), demands, plain(after), signed, plain(statement.invitation)]
    return "\n\n".join(part for part in parts if part)


def written_dates(day: date, language: str) -> list[str]:
    """The date in words as it is written in a language; both orders of English."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return [day.isoformat()]
    if locale.language == "en":
        return [format_date(day, "d MMMM y", locale=locale), format_date(day, "MMMM d, y", locale=locale)]
    return [format_date(day, "long", locale=locale)]


def plain(markdown: str) -> str:
    """Markdown without its marks. Lines of one paragraph are joined, as a mail program shows them; list items stay lines."""
    lines: list[str] = []
    joins = fenced = False
    for raw in markdown.expandtabs(4).splitlines():
        if _FENCE.match(raw):
            fenced, joins = not fenced, False
            continue
        text, is_block = (raw, True) if fenced else _line(raw)
        if joins and text and not is_block:
            lines[-1] += " " + text
        else:
            lines.append(text)
        joins = bool(text) and not raw.endswith(("  ", "\\")) and not _HEADING.match(raw) and not fenced
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _line(raw: str) -> tuple[str, bool]:
    """A line without its marks, and whether it stands on its own whatever came before."""
    if _RULE.match(raw):
        return "", True
    quoteless = _QUOTE.sub("", raw)
    heading = _HEADING.match(quoteless)
    if heading:
        return _inline(heading[1]), True
    is_item = bool(_BULLET.match(quoteless) or _NUMBER.match(quoteless))
    return _inline(_BULLET.sub("", quoteless).strip().removesuffix("\\")), is_item


def _inline(text: str) -> str:
    held = _ESCAPE.sub(lambda found: chr(_HELD + ord(found[1])), text)
    for mark, kept in _MARKS:
        held = mark.sub(kept, held)
    freed = re.sub(f"[{chr(_HELD + 0x21)}-{chr(_HELD + 0x7E)}]", lambda found: chr(ord(found[0]) - _HELD), held)
    return html.unescape(freed).strip()
