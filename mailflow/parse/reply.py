"""What the sender wrote in this mail: a scanner over lines, linear, that knows structure rather than languages."""

import re
from dataclasses import dataclass, field

from mailflow.parse.footers import is_app_footer, is_disclaimer, is_list_footer, is_virus_advert
from mailflow.parse.html import SIGNATURE_MARK
from mailflow.parse.letter import Cut

LONGEST_SCANNED = 4000
"""Lines of one mail that are looked at; what stands below is a quote, or nobody's letter."""
LONGEST_ATTRIBUTION = 4
LONGEST_SIGNATURE = 14

_SEPARATOR = re.compile(r"^\s*[-=*_]{2,}\s*[^\s\-=*_][^\n]{2,70}?\s*[-=*_]{2,}\s*$")
_RULE = re.compile(r"^\s*_{8,}\s*$|^\s*-{20,}\s*$")
_LABEL = re.compile(r"^\s*[*>]{0,2}\s?[^\W\d_][^:：<>@]{0,28}\s?\*?[:：]\*?(?:\s|$|\S)")
_ADDRESS = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}\.[\w.-]{2,}")
_DATE = re.compile(r"\b(?:19|20)\d\d\b|(?<!\d)\d{1,2}[:.h٫]\d\d(?!\d)|[٠-٩۰-۹]{4}|(?:19|20)\d\d\s?[年년]|[०-९]{4}")
_ENDS_ATTRIBUTION = (":", "：", "︰")
_FORWARD_WORDS = re.compile(
    r"forward|weiter|transf|transmis|reenvi|encaminh|inoltr|doorgestuurd|vidarebef|videresend|välitetty|przekaz|přepos|továbbít|original|ursprüng|origine"
    r"|oryginal|původní|eredeti|пересыла|пересла|исходн|оригинал|переслан|προωθ|αρχικ|iletilen|orijinal|ilet|محول|الأصلي|هدایت|اصلی|הועבר|מקורי|转发|轉寄|轉發|原始|原邮件|転送|元の|전달|원본|chuyển tiếp|diteruskan",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(slots=True)
class _Line:
    """One line and what it was found to be; ``""`` is the sender's own."""

    text: str
    kind: str = ""


@dataclass(slots=True)
class Reply:
    """The outcome: own words, signature block, and everything that was cut, in order."""

    reply: str
    signature: str
    cuts: tuple[Cut, ...] = field(default=())


def scan(body: str, known: "Known") -> Reply:
    """Cuts a body (``\\n`` line ends) into the sender's own words and the rest.

    When in doubt the text stays: a quote that is printed is a blemish, a sentence that is lost is a wrong.
    """
    lines = [_Line(text) for text in body.split("\n")]
    for line in lines[LONGEST_SCANNED:]:
        line.kind = "quote"
    _mark_quotes(lines)
    _mark_blocks_below(lines)
    _mark_attributions(lines)
    _mark_statement(lines, known)
    _mark_signature(lines)
    _mark_footers(lines)
    return _collect(lines)


@dataclass(frozen=True, slots=True)
class Known:
    """Texts of ours that people quote without marking them: paragraphs and lines, white space folded."""

    passages: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: tuple[str, ...]) -> "Known":
        """Every line and paragraph of our texts that is long enough to be recognised."""
        found = {fold(piece) for text in texts for piece in (*text.split("\n"), *re.split(r"\n\s*\n", text))}
        return cls(frozenset(piece for piece in found if piece))


def fold(text: str) -> str:
    """Text for comparing: white space folded, case gone, list numbers and quote marks at the edges off."""
    return " ".join(text.split()).casefold().strip("*#_> \"“”«»")


def _mark_quotes(lines: list[_Line]) -> None:
    for line in lines:
        text = line.text
        if text.startswith(SIGNATURE_MARK):
            line.kind = "signature"
        elif text.lstrip(" ").startswith((">", "＞")) and not text.lstrip(" ").startswith(">:"):
            line.kind = "quote"


def _mark_blocks_below(lines: list[_Line]) -> None:
    """The first forwarded or original-message block: all below it is not the sender's (unless quote marks say otherwise)."""
    for at, line in enumerate(lines[:LONGEST_SCANNED]):
        if line.kind or not line.text.strip():
            continue
        if why := _block_starts(lines, at):
            for below in lines[at:]:
                below.kind = below.kind or why
            return


def _block_starts(lines: list[_Line], at: int) -> str:
    text = lines[at].text
    if _SEPARATOR.match(text):
        header = _header_block(lines, at + 1, least=2)
        if header or _FORWARD_WORDS.search(text):
            return "forwarded"
    if _RULE.match(text) and _header_block(lines, at + 1, least=2):
        return "quote"
    if _LABEL.match(text) and _header_block(lines, at, least=3):
        return "quote"
    if _is_lone_attribution(lines, at):
        return "quote"
    return ""


def _header_block(lines: list[_Line], start: int, least: int) -> bool:
    """Whether ``Label: value`` lines stand here that hold both an address and a date, as reply headers do.

    A filled-in template has labels too, but nobody writes the date and two addresses into it.
    """
    labels, address, date, other, seen = 0, False, False, 0, 0
    for line in lines[start : start + 16]:
        text = line.text.strip("> *\u200e\u200f")
        if not text:
            if labels:
                break
            continue
        seen += 1
        if _LABEL.match(text):
            labels += 1
        else:
            other += 1
            if other > labels + 1:
                break
        address = address or bool(_ADDRESS.search(text))
        date = date or bool(_DATE.search(text))
    return labels >= least and date and (address or labels >= 4)


def _is_lone_attribution(lines: list[_Line], at: int) -> bool:
    """An attribution with date and address that ends in a colon, above text that carries no quote marks."""
    for length in (1, 2, 3):
        block = [line.text.strip() for line in lines[at : at + length]]
        if len(block) < length or not all(block):
            return False
        joined = " ".join(block)
        if joined.endswith(_ENDS_ATTRIBUTION):
            below = next((line for line in lines[at + length : at + length + 3] if line.text.strip()), None)
            whole = re.search(r"<[^<>\s]+@[^<>\s]+>", joined) and _DATE.search(joined) and len(joined) < 300
            return bool(whole) and (below is None or not below.kind)
    return False


def _mark_attributions(lines: list[_Line]) -> None:
    """The lines directly above a quote that say whose it is: at most four, ending in a colon, with a date or an address."""
    for at, line in enumerate(lines):
        if line.kind != "quote" or at == 0 or lines[at - 1].kind in ("quote", "attribution"):
            continue
        end = at - 1
        while end >= 0 and not lines[end].text.strip() and at - end <= 2:
            end -= 1
        _mark_attribution(lines, end)


def _mark_attribution(lines: list[_Line], end: int) -> None:
    for length in range(1, LONGEST_ATTRIBUTION + 1):
        start = end - length + 1
        if start < 0 or lines[start].kind or not lines[start].text.strip():
            return
        joined = " ".join(line.text.strip() for line in lines[start : end + 1])
        if len(joined) > 300:
            return
        told = _ADDRESS.search(joined) or _DATE.search(joined)
        closes = joined.rstrip("*_ ").endswith(_ENDS_ATTRIBUTION) or (_ADDRESS.search(joined) and _DATE.search(joined))
        above = lines[start - 1].text.strip() if start else ""
        if told and closes and (not above or length == LONGEST_ATTRIBUTION or above.endswith((".", "!", "?", "。", ","))):
            for line in lines[start : end + 1]:
                line.kind = "attribution"
            return


def _mark_statement(lines: list[_Line], known: Known) -> None:
    """Passages of our own texts that are quoted without a mark: three lines in a row, or one long paragraph."""
    if not known.passages:
        return
    for start, end in _paragraphs(lines):
        text = fold(" ".join(line.text for line in lines[start:end]))
        if len(text) > 60 and text in known.passages:
            _mark(lines, start, end, "statement")
    run: list[int] = []
    for at, line in enumerate([*lines, _Line("\0")]):
        text = fold(line.text)
        if text and not line.kind and text in known.passages:
            run.append(at)
        elif text and line.kind != "statement":
            if len(run) >= 3:
                _mark(lines, run[0], run[-1] + 1, "statement")
            run = []


def _paragraphs(lines: list[_Line]) -> list[tuple[int, int]]:
    """Start and end of each run of own, non-empty lines."""
    found, start = [], None
    for at, line in enumerate([*lines, _Line("")]):
        ink = bool(line.text.strip()) and not line.kind
        if ink and start is None:
            start = at
        elif not ink and start is not None:
            found.append((start, at))
            start = None
    return found


def _mark(lines: list[_Line], start: int, end: int, kind: str) -> None:
    for line in lines[start:end]:
        line.kind = line.kind or kind


def _mark_signature(lines: list[_Line]) -> None:
    """From ``-- `` to the next quote or the end (RFC 3676 §4.3); longer than a signature, it is text after all."""
    for at, line in enumerate(lines):
        if line.kind or line.text not in ("-- ", "--", "—", "-- \u200e", "––"):
            continue
        end = next((n for n in range(at + 1, len(lines)) if lines[n].kind not in ("", "signature")), len(lines))
        ink = sum(1 for below in lines[at + 1 : end] if below.text.strip())
        above = any(before.text.strip() and not before.kind for before in lines[:at])
        if ink <= LONGEST_SIGNATURE and (above or line.text == "-- "):
            _mark(lines, at, end, "signature")
            return


def _mark_footers(lines: list[_Line]) -> None:
    """What stands at the end of the own text and is a program's or a lawyer's, from the bottom up."""
    changed = True
    while changed:
        changed = False
        paragraphs = _paragraphs(lines)
        for start, end in paragraphs[-6:]:
            for at in range(max(start, end - 8), end):
                if is_app_footer(lines[at].text):
                    lines[at].kind, changed = "app_footer", True
                elif is_virus_advert(lines[at].text) and end - start <= 3:
                    lines[at].kind, changed = "antivirus", True
        paragraphs = _paragraphs(lines)
        for start, end in paragraphs[-4:]:
            if (start, end) != paragraphs[0] and is_disclaimer(" ".join(line.text for line in lines[start:end])):
                _mark(lines, start, end, "disclaimer")
                changed = True
        for start, end in _paragraphs(lines)[-2:]:
            for at in range(start, end):
                if is_list_footer([line.text for line in lines[at:end]]):
                    _mark(lines, at, end, "list_footer")
                    changed = True
                    break


def _collect(lines: list[_Line]) -> Reply:
    kept: list[str] = []
    cuts: list[Cut] = []
    signature: list[str] = []
    open_why, open_lines = "", [""]
    for line in [*lines, _Line("", "\0")]:
        text = line.text.removeprefix(SIGNATURE_MARK)
        if line.kind != open_why:
            if open_why:
                cuts.append(Cut(open_why, "\n".join(open_lines)))
                kept.append("")
            open_why, open_lines = line.kind, []
        if not line.kind:
            kept.append(text.rstrip())
        else:
            open_lines.append(text)
            if line.kind == "signature":
                signature.append(text)
    return Reply(_tidy(kept), "\n".join(signature).strip("\n -—"), tuple(cuts))


def _tidy(kept: list[str]) -> str:
    """Paragraphs kept, runs of empty lines made one."""
    out: list[str] = []
    for text in kept:
        if text.strip() or (out and out[-1]):
            out.append(text if text.strip() else "")
    return "\n".join(out).strip("\n")
