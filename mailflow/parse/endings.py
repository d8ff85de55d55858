"""What stands below a person's words in a stretch of own text: signature block, app footer, legal notice, list footer. Linear."""

import re

from mailflow.parse.footers import is_app_footer, is_disclaimer, is_list_footer, is_virus_advert
from mailflow.parse.lines import Line, mark, segments

LONGEST_SIGNATURE = 14
LONGEST_LOOSE_SIGNATURE = 8
LONGEST_SIGNATURE_LINE = 160
FARTHEST_DELIMITER = 60
MOST_FOOTER_PARAGRAPHS = 12
LONGEST_UNDER_DISCLAIMER = 600

_ARMOUR_START = "-----BEGIN PGP SIGNED MESSAGE-----"
_ARMOUR_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_ARMOUR_END = "-----END PGP SIGNATURE-----"
_STRICT = frozenset({"-- ", "- -- ", "-- \u200e"})
_LOOSE = frozenset({"--", "—", "––", "――", "- --", "-- -"})
_NOT_SHOWN = re.compile(r"\[(?:image|cid|inline image|bild|logo)[^\]\n]{0,120}\]", re.IGNORECASE)


def mark_endings(lines: list[Line]) -> None:
    """Marks endings in every stretch of own text; what remains is what the person wrote."""
    _mark_armour(lines)
    for start, end in segments(lines):
        _mark_signature(lines, start, end)
    for start, end in segments(lines):
        _mark_footers(lines, start, end)
    _unmark_long_markup(lines)


def _mark_armour(lines: list[Line]) -> None:
    """The armour of an inline PGP signature (RFC 4880 §7)."""
    inside = ""
    for line in lines:
        if line.bare == _ARMOUR_START:
            inside = "head"
        elif line.bare == _ARMOUR_SIGNATURE:
            inside = "signature"
        elif inside == "head" and not line.bare:
            inside = ""
        if inside and not line.kind:
            line.kind = "armour"
        if line.bare == _ARMOUR_END:
            inside = ""


def _mark_signature(lines: list[Line], start: int, end: int) -> None:
    """From ``-- `` to the end of the stretch (RFC 3676 §4.3); longer than a signature, it is text after all."""
    first = next((at for at in range(start, end) if lines[at].own), end)
    for at in range(max(start, end - FARTHEST_DELIMITER), end):
        text = lines[at].text
        strict = text in _STRICT
        if not strict and text.strip() not in _LOOSE:
            continue
        below = [line.text for line in lines[at + 1 : end] if line.text.strip()]
        short = all(len(line) <= LONGEST_SIGNATURE_LINE for line in below)
        if _fits(len(below), short=short, strict=strict, above=first < at):
            mark(lines, at, end, "signature")
            return


def _fits(length: int, *, short: bool, strict: bool, above: bool) -> bool:
    if strict:
        return length <= LONGEST_SIGNATURE or (length <= 2 * LONGEST_SIGNATURE and above)
    return above and short and 0 < length <= LONGEST_LOOSE_SIGNATURE


def _mark_footers(lines: list[Line], start: int, end: int) -> None:
    """From the bottom up, paragraph by paragraph, as long as each is a program's or a lawyer's."""
    _mark_list_footer(lines, start, end)
    last = end
    for _ in range(MOST_FOOTER_PARAGRAPHS):
        while last > start and not lines[last - 1].own:
            last -= 1
        first = last
        while first > start and lines[first - 1].own:
            first -= 1
        if first == last:
            return
        if not _mark_paragraph(lines, start, first, last):
            _mark_notice_above(lines, start, first, end)
            return
        last = first if lines[first].kind else last


def _mark_paragraph(lines: list[Line], start: int, first: int, last: int) -> bool:
    """Marks a paragraph, or its last lines, if a program wrote them. Whether it did."""
    own_above = any(line.own for line in lines[start:first])
    if own_above and is_disclaimer(" ".join(line.text for line in lines[first:last])):
        mark(lines, first, last, "disclaimer")
        return True
    if last - first <= 3 and any(is_virus_advert(line.bare) for line in lines[first:last]) and own_above:
        mark(lines, first, last, "advert")
        return True
    found = False
    for at in range(last - 1, max(first, last - 4) - 1, -1):
        if is_app_footer(lines[at].bare):
            mark(lines, at, last, "app_footer") if at + 2 >= last else mark(lines, at, at + 1, "app_footer")
            found = True
        elif _NOT_SHOWN.fullmatch(lines[at].bare):
            mark(lines, at, at + 1, "picture")
            found = True
    return found


def _mark_notice_above(lines: list[Line], start: int, first: int, end: int) -> None:
    """A legal notice with a little more beneath it, a company's number, a plea for trees: all of it goes, if it is little."""
    at, looked = first, 0
    while at > start and looked < 3:
        bottom = at
        while bottom > start and not lines[bottom - 1].own:
            bottom -= 1
        at = bottom
        while at > start and lines[at - 1].own:
            at -= 1
        looked += 1
        if at in (bottom, start) or not any(line.own for line in lines[start:at]):
            return
        if is_disclaimer(" ".join(line.text for line in lines[at:bottom])):
            if sum(len(line.text) for line in lines[bottom:end] if line.own) <= LONGEST_UNDER_DISCLAIMER:
                mark(lines, at, end, "disclaimer")
            return


def _mark_list_footer(lines: list[Line], start: int, end: int) -> None:
    """A rule and what a list server says of itself, at the very end."""
    for at in range(end - 1, max(start, end - 12) - 1, -1):
        if lines[at].own and lines[at].bare[:1] in "_=*~-" and is_list_footer([line.text for line in lines[at:end] if line.own]):
            mark(lines, at, end, "list_footer")
            return


def _unmark_long_markup(lines: list[Line]) -> None:
    """A signature that only the markup names, and that is the whole mail or longer than one, is what the person wrote."""
    signed = [line for line in lines if line.kind == "signature" and line.text.strip()]
    delimited = any(line.text.strip() in _LOOSE for line in signed)
    if delimited or not signed:
        return
    nothing_else = not any(line.own for line in lines)
    if len(signed) > 2 * LONGEST_SIGNATURE or (nothing_else and sum(len(line.text) for line in signed) > 200):
        for line in lines:
            line.kind = "" if line.kind == "signature" else line.kind
