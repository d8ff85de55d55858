"""Quoted and forwarded mail inside a body, known by its structure in any language or script. Linear."""

import re

from mailflow.parse.labels import HEAD_WORDS
from mailflow.parse.lines import Line, mark

MOST_LINES = 4000
"""Below so many lines nobody looks for the head of a quoted mail."""
LONGEST_ATTRIBUTION = 4
LONGEST_TEXT = 320
LONGEST_HEAD = 18

_COLONS = (":", "：", "︰")
_ADDRESS = re.compile(r"[\w.+%=-]{1,64}@[\w-]{1,63}\.[\w.-]{2,100}")
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d)|(?<!\d)\d{1,2}[:.h٫]\d\d(?![\d.])|[٠-٩]{4}|[۰-۹]{4}|[०-९]{4}|[๐-๙]{4}"
)
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h٫時点시]\s?\d\d(?![\d.])")
_LABEL = re.compile(r"[^\W\d_][^:<>@\d]{0,34}:")
_SEPARATED = re.compile(r"[-=*_]{2,}[^-=*_][^\n]*[-=*_]{2,}")
_RULE = re.compile(r"_{8,}|-{10,}|={10,}")
_CUT_DATE = re.compile(r"(?:\d{1,2}, |de |del )(?:19|20)\d\d\b")
_BRACKETED = re.compile(r"< ?[^<>\s]{1,100}@[^<>\s]{1,100}>")
_FORWARD_WORDS = re.compile(
    r"forward|weiterg|weiterl|transf[eé]r|transmis|reenvi|encaminh|inoltr|doorgest|vidarebef|videresen|välitet|edelleen|przekaz|podan|přepos|preposl|továbbít"
    r"|пересыла|пересла|переслан|препрат|прослеђ|proslijeđ|posredovan|prosleđ|προωθ|iletil|redirecționat|redirect|edasi|pārsūt|persi[ųu]s|áframsend"
    r"|محول|هدایت|بازارسال|הועבר|转发|轉寄|轉發|転送|전달|chuyển tiếp|diteruskan|dimajukan|ส่งต่อ|अग्रेषित|imepelekwa|zirkul",
    re.IGNORECASE,
)
_ORIGINAL_WORDS = re.compile(
    r"origin|oorspronk|ursprüng|ursprungl|opprinnelig|oprindelig|alkuperäi|oryginal|wiadomość|původní|pôvodn|eredeti|izvorn|изворн|исходн|оригинал|αρχικ|orijinal|özgün|algne|sākotn"
    r"|pirmin|upprunaleg|الأصلية|الأصلي|پیام اصلی|اصلی|מקורית|מקורי|原始|原邮件|原郵件|元の|オリジナル|원본|원래|asli|gốc|ต้นฉบับ|मूल|reply message|wrote|schrieb|écrit|escribi",
    re.IGNORECASE,
)


def mark_quoted(lines: list[Line], subject: str) -> None:
    """Marks quoted and forwarded mails and the lines that introduce them. ``subject`` is the mail's own, without "Re:" or with it."""
    _mark_block_below(lines, _core(subject))
    _mark_attributions(lines)


def _core(subject: str) -> str:
    return " ".join(subject.rpartition(":")[2].split()).casefold()


def _mark_block_below(lines: list[Line], subject: str) -> None:
    """The first forwarded or original mail: all below its head is not the sender's, unless quote marks say what is."""
    for at in _candidates(lines[:MOST_LINES]):
        found = _block_at(lines, at, subject)
        if found is None:
            continue
        why, end = found
        if _marked_quote_follows(lines, end):
            mark(lines, at, end, "attribution")
            continue
        mark(lines, at, len(lines), why)
        return


def _candidates(lines: list[Line]) -> list[int]:
    """The own lines in which a quoted mail may start: with a label, a rule, or an attribution of up to three lines."""
    found: set[int] = set()
    for at, line in enumerate(lines):
        text = line.bare
        if line.kind or not text:
            continue
        if text[-1] in _COLONS:
            found.update(range(max(0, at - 2), at + 1))
        elif ":" in text or "：" in text or text[0] in "-=_":
            found.add(at)
    return [at for at in sorted(found) if lines[at].bare and not lines[at].kind]


def _marked_quote_follows(lines: list[Line], at: int) -> bool:
    """Whether the next thing is a quote with quote marks: then what has none is an answer."""
    follower = next((line for line in lines[at : at + 4] if line.text.strip()), None)
    return follower is not None and follower.kind == "quote"


def _block_at(lines: list[Line], at: int, subject: str) -> tuple[str, int] | None:
    """(why, where its head ends) if a quoted mail starts in this line."""
    text = lines[at].bare
    if text[0] in "-=_" and (found := _after_separator(lines, at, text, subject)):
        return found
    if text.endswith(_COLONS) and _FORWARD_WORDS.search(text) and (end := _head(lines, at + 1, 2, subject)):
        return "forwarded", end
    if _is_label(text) and (end := _head(lines, at, 3, subject)) and _speaks_of_mail(lines, at, end, subject):
        return "quote", end
    end = _lone_attribution(lines, at)
    return ("quote", end) if end else None


def _after_separator(lines: list[Line], at: int, text: str, subject: str) -> tuple[str, int] | None:
    if _RULE.fullmatch(text):
        end = _head(lines, at + 1, 3, subject)
        return ("quote", end) if end else None
    if not _SEPARATED.fullmatch(text) or len(text) > 200:
        return None
    why = "forwarded" if _FORWARD_WORDS.search(text) else "quote"
    end = _head(lines, at + 1, 2, subject)
    if end or _FORWARD_WORDS.search(text) or _ORIGINAL_WORDS.search(text):
        return why, end or at + 1
    return (why, at + 1) if _ADDRESS.search(text) and _DATE.search(text) else None


def _is_label(text: str) -> bool:
    return _LABEL.match(text[:40].replace("：", ":").replace("︰", ":").replace("*", "")) is not None


def _head(lines: list[Line], start: int, least: int, subject: str) -> int:
    """Where a block of ``Label: value`` lines ends that is the head of a mail, 0 if none stands here.

    It has a date with a time, and an address, or the subject of this mail. A form that somebody filled in has labels
    too, but nobody writes the time of day behind one.
    """
    labels = other = 0
    address = moment = dated = same = False
    at = start
    for at in range(start, min(start + LONGEST_HEAD, len(lines))):
        text = lines[at].bare
        if not text or lines[at].kind:
            if labels or lines[at].kind or at > start + 2:
                break
            continue
        if _is_label(text):
            labels += 1
            value = text.replace("：", ":").partition(":")[2]
            moment = moment or (len(value) < 90 and bool(_TIME.search(value)) and bool(_DATE.search(value)))
            same = same or (bool(subject) and len(subject) > 3 and " ".join(value.split()).casefold().endswith(subject))
        else:
            other += 1
            if other > labels or len(text) > 200:
                break
        dated = dated or bool(_DATE.search(text))
        address = address or bool(_ADDRESS.search(text))
    else:
        at += 1
    enough = (
        (moment and (address or same or labels >= 4))
        or (dated and address and (same or least < 3))
        or (least < 3 and labels >= 3 and dated)
    )
    return at if labels >= least and enough else 0


def _speaks_of_mail(lines: list[Line], start: int, end: int, subject: str) -> bool:
    """Whether one label is the word for sender or subject in some language, or one value is the subject of this mail.

    The only question of words here: a form that somebody sends has labels, an address and perhaps a time as well.
    """
    for line in lines[start:end]:
        label, _, value = line.bare.replace("：", ":").partition(":")
        if label.strip(" *").casefold() in HEAD_WORDS:
            return True
        if len(subject) > 3 and " ".join(value.split()).casefold().endswith(subject):
            return True
    return False


def _lone_attribution(lines: list[Line], at: int) -> int:
    """Where an attribution ends that stands above text without quote marks, 0 if none stands here.

    It has a date and an address in angle brackets and ends in a colon: few sentences do.
    """
    if at and lines[at - 1].own and not lines[at - 1].bare.endswith((".", "!", "?", "。", ",", "，")):
        return 0
    texts: list[str] = []
    for end in range(at, min(at + 3, len(lines))):
        if lines[end].kind or not lines[end].bare:
            return 0
        texts.append(lines[end].bare)
        if texts[-1].endswith(_COLONS):
            # The shortest: a line above that has a date of its own is not part of it.
            wrapped = len(texts) > 1 and _CUT_DATE.match(texts[1]) is not None
            return end + 1 if _attributes(texts) and (wrapped or not _attributes(texts[1:])) else 0
    return 0


def _attributes(texts: list[str]) -> bool:
    joined = " ".join(texts)
    if not texts or len(joined) > LONGEST_TEXT:
        return False
    if not ("<" in texts[0] or _DATE.search(texts[0]) or (len(texts) > 1 and _CUT_DATE.match(texts[1]))):
        return False
    return _BRACKETED.search(joined) is not None and _DATE.search(joined) is not None


def _mark_attributions(lines: list[Line]) -> None:
    """The lines directly above a quote that say whose it is: at most four, with a date or an address, ending in a colon."""
    for at in range(1, len(lines)):
        if lines[at].kind != "quote" or lines[at - 1].kind in ("quote", "attribution"):
            continue
        end = at - 1
        while end > 0 and not lines[end].text.strip() and at - end <= 2:
            end -= 1
        start = _attribution_start(lines, end)
        if start >= 0:
            mark(lines, start, end + 1, "attribution")


def _attribution_start(lines: list[Line], end: int) -> int:
    """Where the attribution starts that ends in this line, -1 if it is none."""
    last = lines[end].bare
    if lines[end].kind or not last:
        return -1
    top = end
    while top > 0 and end - top < LONGEST_ATTRIBUTION - 1 and not lines[top - 1].kind and lines[top - 1].bare:
        top -= 1
    texts = [lines[at].bare for at in range(top, end + 1)]
    closes = last.rstrip("_-").endswith(_COLONS)
    address = _nearest(texts, _ADDRESS)
    date = _nearest(texts, _DATE)
    if address is None and date is None:
        return -1
    if not closes and (address is None or date is None or len(" ".join(texts)) > LONGEST_TEXT):
        return -1
    told = [found for found in (address, date) if found is not None]
    if max(told) < len(texts) - 1 and not closes:
        return -1
    start = top + min(told) if closes else top + max(min(told), len(texts) - 2)
    # Where the wrap cut the date in two, the line above is its first half.
    return start - 1 if start > top and _CUT_DATE.match(lines[start].bare) else start


def _nearest(texts: list[str], pattern: re.Pattern[str]) -> int | None:
    """The last of the lines that holds it; a sentence that ends above the last line ends the search."""
    for at in range(len(texts) - 1, -1, -1):
        if at < len(texts) - 1 and texts[at].endswith((".", "!", "?", "。", "؟", "।")):
            return None
        if pattern.search(texts[at]):
            return at
    return None
