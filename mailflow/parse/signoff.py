"""Where the letter ends and the sender's name begins: greeting, prose, closing formula, last lines."""

import re
from dataclasses import dataclass
from itertools import dropwhile

from mailflow.parse.card import is_junk, is_person_first, pieces_of
from mailflow.parse.fold import UNSPACED, fold, join_ideographs, sentences, tokens
from mailflow.parse.lexicon import Lexicon
from mailflow.parse.names import is_cased, looks_like_name, script_of, shares_a_word

_POSTSCRIPT = re.compile(
    r"^\W*(?:p\.? ?p\.? ?s\b|p\.? ?s\b|п\.? ?с\b|з\.? ?и\b|n\.?b\b|р\.? ?s\b|υ\.? ?γ|附言|又及|追伸|추신|ps|نکته|ملاحظة|ملحوظة|ปล)[.:：]?",
    re.IGNORECASE,
)
_GREETING_END = re.compile(r"[,،，、:：!！.。]+")
_MOST_LINES = 9
_MOST_WORDS = 12
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Layout:
    """``prose`` is what the sender wrote as prose, paragraphs kept; ``last`` the name, role and place lines below it."""

    prose: str
    last: tuple[str, ...] = ()
    closed: bool = False


def lay_out(reply: str, known: str, lexicon: Lexicon) -> Layout:
    """Takes greeting, closing formula and last lines off a reply. ``known`` is the author's name as From has it."""
    lines = without_greeting([line.strip() for line in reply.strip().split("\n")], lexicon)
    body, postscript = _postscript_apart(lines)
    start, end, closed = _ending(body, known, lexicon)
    prose, last = body[:start], body[end:] if end >= 0 else []
    if not last and not closed:
        prose, last, closed = _ending_on_the_line(prose, known, lexicon)
    last, prose_after = _prose_after(last)
    text = _text([*prose, *([""] if prose_after or postscript else []), *prose_after, "", *postscript])
    return Layout(text, tuple(line for line in last if line), closed)


def _text(lines: list[str]) -> str:
    """Lines as a text, at most one empty line between paragraphs, ideographs unwrapped."""
    return join_ideographs(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")).strip()


def without_greeting(lines: list[str], lexicon: Lexicon) -> list[str]:
    """The lines without the greeting: whole lines, or the beginning of one that goes on."""
    lines = [*lines]
    for _ in range(2):
        lines = list(dropwhile(lambda line: not line, lines))
        if not lines or (rest := _after_greeting(lines, lexicon)) is None:
            return lines
        lines[0] = rest
        if rest:
            return lines
    return lines


def _after_greeting(lines: list[str], lexicon: Lexicon) -> str | None:
    """What the first line holds after its greeting, or None where it has none."""
    line = lines[0]
    alone = len(lines) == 1 or not lines[1]
    words = len(line.split())
    short = words <= 9 and len(line) <= 70
    if lexicon.greeting.match(fold(line)):
        if (
            short
            and (line[-1] in ",،，、:：!！。" or (alone and line[-1] not in ".?？") or words <= 3 or len(line) <= 14)
            and not _parted(line)
        ):
            return ""
        return _after_first_clause(line)
    if short and line[-1] in ",،，:：" and len(lines) > 1 and (alone or words <= 4):
        return ""
    return None


def _parted(line: str) -> bool:
    """Whether more than a name follows the first mark: "Hello, I endorse this!"."""
    found = _GREETING_END.search(line)
    if found is None:
        return False
    rest = line[found.end() :]
    return len(rest.split()) > 3 or (UNSPACED.search(rest) is not None and len(rest) > 4)


def _after_first_clause(line: str) -> str | None:
    found = _GREETING_END.search(line)
    if found is None or found.start() > 60 or len(line[: found.start()].split()) > 6:
        return None
    return line[found.end() :].strip()


def _postscript_apart(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines before a postscript near the end, and the postscript."""
    for number in range(len(lines) - 1, max(0, len(lines) - 8), -1):
        if _POSTSCRIPT.match(lines[number]):
            return lines[:number], lines[number:]
    return lines, []


def _ending(lines: list[str], known: str, lexicon: Lexicon) -> tuple[int, int, bool]:
    """First line of the ending, first line of the name in it (-1: none), and whether a closing formula stands there."""
    filled = [number for number, line in enumerate(lines) if line]
    for number in reversed(filled[-_MOST_LINES:]):
        rest = closing_rest(lines[number], lexicon)
        if rest is None:
            continue
        below = [line for line in lines[number + 1 :] if line]
        if rest and not _can_be_last(rest, lexicon):
            continue
        if not below or is_last_lines(below[:1]):
            start = _first_closing(lines, number, lexicon)
            if rest:
                lines[number] = rest
            return start, number if rest else number + 1, True
    return *_name_block(lines, filled, known, lexicon), False


def closing_rest(line: str, lexicon: Lexicon) -> str | None:
    """What follows a closing formula on its line (``""``: nothing), or None where the line does not begin with one."""
    found = lexicon.closing.match(fold(line))
    if found is None or len(line) > 110:
        return None
    behind = fold(line)[found.end() :]
    rest = line[len(line) - len(behind) :].strip() if len(fold(line)) == len(line) else _unfolded_rest(line, len(tokens(behind)))
    if re.match(r"[\s,.!،。！、:–—-]*$", rest):
        return ""
    parted = re.match(r"\s*[,.!،。，！、:\n–—-]", behind) is not None
    if not parted and len(rest.split()) <= 4 and line[-1] in ",،" and not looks_like_name(rest, lexicon):
        return ""
    return rest.strip(" ,.!،。，！、:–—-") if parted or looks_like_name(pieces_of(rest)[0] if pieces_of(rest) else rest, lexicon) else None


def _unfolded_rest(line: str, count: int) -> str:
    words = line.split()
    return " ".join(words[-count:]) if count else ""


def _can_be_last(rest: str, lexicon: Lexicon) -> bool:
    """Whether what follows the formula on the same line is a name, perhaps with role and place."""
    return len(rest.split()) <= _MOST_WORDS and is_person_first(rest, lexicon)


def _first_closing(lines: list[str], number: int, lexicon: Lexicon) -> int:
    """Formulas may stand one above the other: the first of them."""
    start = number
    while start > 0:
        above = next((other for other in range(start - 1, -1, -1) if lines[other]), None)
        if above is None or above == 0 or closing_rest(lines[above], lexicon) != "":
            return start
        start = above
    return start


def is_last_lines(lines: list[str]) -> bool:
    """Whether these lines can be name, role, place or contact lines: short, and no sentences."""
    return len(lines) <= _MOST_LINES and all(_is_short(line) or is_junk(line[:_LONGEST]) for line in lines)


def _is_short(line: str) -> bool:
    words = len(line.split())
    return (
        words <= _MOST_WORDS
        and len(line) <= 110
        and not (words > 4 and len(sentences(line)) > 1)
        and not (re.search(r"[.!?。！？।]$", line) and words > 6)
    )


def _name_block(lines: list[str], filled: list[int], known: str, lexicon: Lexicon) -> tuple[int, int]:
    """The last lines where no formula stands above them: from the topmost line that is a name."""
    best = len(lines)
    for number in reversed(filled[-6:]):
        below = [line for line in lines[number:] if line]
        if not is_last_lines(below):
            break
        if _is_name_line(lines[number], known, lexicon, sure=number > 0 and not lines[number - 1], first=number == filled[0]):
            best = number
            if not lines[number - 1 : number] or not lines[number - 1]:
                break
    return best, best if best < len(lines) else -1


def _is_name_line(line: str, known: str, lexicon: Lexicon, *, sure: bool, first: bool) -> bool:
    """Whether a line begins with a name: one that From knows, or at least two large words after an empty line."""
    pieces = pieces_of(re.sub(r"[(（].*", "", line).strip(" -–—~*"))
    if (
        not pieces
        or not looks_like_name(pieces[0], lexicon)
        or re.search(r"[!?！？。]$", line)
        or (lexicon.closing.match(fold(line)) and len(line.split()) > 3)
    ):
        return False
    if known and shares_a_word(pieces[0], known):
        return True
    words = pieces[0].split()
    if is_cased(pieces[0]):
        return len(words) >= 2 and not first and (sure or len(pieces) > 1 or line.startswith(("-", "–", "—")))
    ideographs = script_of(pieces[0]) in ("CJK", "HANGUL") and len(line) <= 5
    return (
        sure and not first and (not known or ideographs or script_of(known) != script_of(pieces[0]) or len(words) >= 2) and len(words) <= 4
    )


def _ending_on_the_line(lines: list[str], known: str, lexicon: Lexicon) -> tuple[list[str], list[str], bool]:
    """As in "Count me in. Regards, Ann Lee": it stands at the end of the last line of prose."""
    paragraph = len(lines) - 1
    while paragraph > 0 and lines[paragraph - 1]:
        paragraph -= 1
    text = " ".join(lines[max(paragraph, 0) :])
    parts = sentences(text)
    for count in (1, 2):
        if len(parts) <= count and not (len(parts) == count and paragraph > 0):
            break
        tail = " ".join(parts[-count:])
        rest = closing_rest(tail, lexicon)
        if rest is not None and (not rest or len(rest.split()) <= _MOST_WORDS):
            return [*lines[:paragraph], text[: text.rindex(parts[-count])].rstrip()], [rest] if rest else [], True
        if count == 1 and _is_short(tail) and _is_name_line(tail.rstrip("."), known, lexicon, sure=False, first=False):
            return [*lines[:paragraph], text[: text.rindex(tail)].rstrip(" -–—")], [tail.rstrip(".")], False
    return lines, [], False


def _prose_after(last: list[str]) -> tuple[list[str], list[str]]:
    """Prose that goes on below the name is prose."""
    for number, line in enumerate(last):
        if number and line and not is_junk(line) and not _is_short(line):
            return last[:number], last[number:]
    return last, []
