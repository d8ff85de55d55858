"""HTML that would make any HTML5 parser slow, and a plain way to read it all the same."""

import re
from collections import Counter
from html import unescape

_DATA = re.compile(r"data:[a-z]{1,20}/[a-z0-9.+-]{1,40};base64,[A-Za-z0-9+/=]{0,1000000}", re.IGNORECASE)
_EDGE = re.compile(r"[<>]")
_ATTRIBUTE_END = re.compile(r"[\s/=]")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_NEVER_OPEN = frozenset({
    "br", "img", "hr", "meta", "input", "link", "col", "wbr", "area", "base", "embed", "p", "li", "td", "tr", "th", "dd", "dt", "option",
})  # fmt: skip
"""Elements that are empty, or that the next of their kind closes."""
_UNREAD = re.compile(r"<(style|script|head|title)\b.*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL)
SMALL = 16_384
DEEPEST = 1000
MOST_ATTRIBUTES = 2000


def is_hostile(html: str) -> bool:
    """Whether nesting or the attributes of one element are more than people write: a parser is quadratic in both."""
    if len(html) <= SMALL:
        return False
    if any(len(piece) > SMALL and len(_ATTRIBUTE_END.findall(piece)) > MOST_ATTRIBUTES for piece in _EDGE.split(_DATA.sub("", html))):
        return True
    return _depth(html) > DEEPEST


def _depth(html: str) -> int:
    """How deep elements nest at most, counted by name: an end tag that fits nothing closes nothing."""
    opened: Counter[str] = Counter()
    depth = deepest = 0
    for match in _TAG.finditer(html):
        name = match[2].lower()
        if name in _NEVER_OPEN:
            continue
        if not match[1]:
            opened[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
    return deepest


def stripped(html: str) -> str:
    """The text between the tags, as it comes. Linear."""
    pieces = [piece.partition(">")[2] for piece in ("x>" + _UNREAD.sub(" ", html)).split("<")]
    return unescape("\n".join(line for piece in pieces if (line := piece.strip())))
