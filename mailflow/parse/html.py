"""HTML to the text a person saw: blocks, breaks, quotes and signatures by their known markup. No recursion."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mailflow.parse import markup
from mailflow.parse.hostile import is_hostile, stripped
from mailflow.parse.text import clean

SIGNATURE_MARK = "\ue001"
"""Stands before each line of a signature that the markup names; text of a mail cannot hold it (see text.clean)."""

_BLOCKS = frozenset({
    "p", "div", "br", "tr", "table", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr", "center", "section",
    "article", "header", "footer", "address", "dd", "dt", "dl", "td", "th", "body", "html", "tbody", "thead", "includetail", "fieldset", "main",
})  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"})
_CELLS = frozenset({"td", "th"})
_SKIPPED = frozenset({
    "style", "script", "head", "title", "noscript", "template", "svg", "object", "iframe", "select", "textarea", "math", "audio", "video",
})  # fmt: skip
_SPACE = re.compile(r"[ \t\n\r\f]+")
_WORD = re.compile(r"\w{2,}")
_DATED = re.compile(r"\d{4}|\d{1,2}[:.]\d\d|@")
MOST_NODES = 60_000
MOST_HIDDEN = 4000


@dataclass(slots=True)
class _Page:
    """Lines as they grow; ``depth`` is how many quotes we are in, ``rest`` whether all below is quoted."""

    tight: bool
    lines: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    depth: int = 0
    signature: int = 0
    ground: int = 0
    verbatim: int = 0
    rest: bool = False

    def end_line(self) -> None:
        """Ends the current line, if it holds anything."""
        text = _SPACE.sub(" ", "".join(self.current)).strip(" ")
        self.current.clear()
        if text and (text := clean(text).strip()):
            prefix = self._prefix()
            self.lines.extend(prefix + piece for piece in text.split("\n"))

    def blank(self) -> None:
        """One empty line, at most."""
        if self.lines and self.lines[-1].strip("> \ue001") != "":
            self.lines.append(self._prefix().rstrip())

    def _prefix(self) -> str:
        depth = self.depth + self.rest
        if depth:
            return ">" * min(depth, 5) + " "
        return SIGNATURE_MARK if self.signature else ""


class _Open(NamedTuple):
    """What an element began, to be undone at its end. ``at`` is the number of lines there were, for Outlook's empty paragraphs."""

    block: bool
    paragraph: bool
    quotes: int
    signs: int
    grounds: int
    verbatim: int
    at: int


def to_text(html: str) -> tuple[str, bool]:
    """(text, whether letters are hidden in it). Quoted blocks come as ``> `` lines. Never raises for any HTML, linear in its size.

    Letters that are hidden are left out; they are told only if they say something that cannot be read anyway, and
    stand outside a quote: newsletters hide a preview of their own first line.
    """
    if is_hostile(html):
        return clean(stripped(html)), False
    root = LexborHTMLParser(html).root
    if root is None:
        return "", False
    # Outlook's paragraphs have no margin: where it writes empty ones between, the others are lines.
    page = _Page(tight="MsoNormal" in html and "<o:p>&nbsp;</o:p>" in html)
    _walk(root, page)
    page.end_line()
    text = "\n".join(page.lines).strip("\n")
    return text, bool(page.hidden) and not set(_WORD.findall("\n".join(page.hidden).lower())) <= set(_WORD.findall(text.lower()))


def all_letters(html: str) -> str | None:
    """Every text of a page in order, a line each, quotes and signatures like the rest; ``None`` where some of it may be hidden."""
    if markup.may_hide(html) or is_hostile(html):
        return None
    body = LexborHTMLParser(html).body
    return None if body is None else body.text(separator="\n")


def _walk(root: LexborNode, page: _Page) -> None:
    """Visits every node in document order; an element is met twice, going in and coming out."""
    stack: list[tuple[LexborNode, _Open | None]] = [(root, None)]
    seen = 0
    while stack and seen < MOST_NODES:
        node, left = stack.pop()
        if left is not None:
            _leave(left, page)
            continue
        seen += 1
        tag = str(node.tag)
        if tag == "-text":
            _letters(str(node.text_content or ""), page)
            continue
        if tag in _SKIPPED or (tag[:1] in "-_!" and tag != "-document"):
            continue
        left = _enter(node, tag, page)
        if left is None:
            continue
        stack.append((node, left))
        children = []
        child = node.child
        while child is not None:
            children.append(child)
            child = child.next
        stack.extend((child, None) for child in reversed(children))


def _letters(text: str, page: _Page) -> None:
    text = text.replace("\xa0", " ").replace(SIGNATURE_MARK, "")
    if not page.verbatim or "\n" not in text:
        page.current.append(text)
        return
    first, *others = text.split("\n")
    page.current.append(first)
    for line in others:
        _break(page)
        page.current.append(line)


def _enter(node: LexborNode, tag: str, page: _Page) -> _Open | None:
    """Opens an element: what is to be undone at its end, ``None`` when its content is not for people."""
    if tag == "br":
        _break(page)
        return None
    attributes = node.attributes
    style = (attributes.get("style") or "")[: markup.LONGEST_STYLE].lower() if attributes else ""
    grounds = 0
    if attributes:
        grounds = int(markup.has_background(attributes, style))
        if markup.is_hidden(attributes, style) or (not page.ground and not grounds and markup.is_white(attributes, style)):
            _hide(node, page)
            return None
        if not page.rest and markup.starts_the_rest(attributes, style):
            page.end_line()
            page.rest = True
    tight = page.tight and tag == "p" and bool(attributes) and (attributes.get("class") or "").startswith("Mso")
    opened = _Open(
        block=tag in _BLOCKS and tag not in _CELLS,
        paragraph=tag in _PARAGRAPHS and not tight,
        quotes=int(_quotes(node, tag, attributes, style, page)),
        signs=int(bool(attributes) and markup.is_signature(attributes)),
        grounds=grounds,
        verbatim=int(tag == "pre" or ("white-space" in style and "pre" in style.partition("white-space")[2][:14])),
        at=len(page.lines) if tight else -1,
    )
    _open(opened, tag, page)
    return opened


def _open(opened: _Open, tag: str, page: _Page) -> None:
    if opened.block or opened.quotes or opened.signs:
        page.end_line()
    if opened.paragraph:
        page.blank()
    if tag in _CELLS:
        page.current.append(" ")
    if tag == "li":
        page.current.append("- ")
    page.depth += opened.quotes
    page.signature += opened.signs
    page.ground += opened.grounds
    page.verbatim += opened.verbatim


def _hide(node: LexborNode, page: _Page) -> None:
    if not page.depth and not page.rest and len(page.hidden) < 100:
        page.hidden.append(node.text()[:MOST_HIDDEN])


def _break(page: _Page) -> None:
    if page.current and "".join(page.current).strip():
        page.end_line()
    else:
        page.current.clear()
        page.blank()


def _leave(left: _Open, page: _Page) -> None:
    if left.block or left.quotes or left.signs:
        page.end_line()
    page.depth -= left.quotes
    page.signature -= left.signs
    page.ground -= left.grounds
    page.verbatim -= left.verbatim
    if left.paragraph or left.at == len(page.lines):
        page.blank()


def _quotes(node: LexborNode, tag: str, attributes: dict[str, str | None], style: str, page: _Page) -> bool:
    """Whether an element is a quote as a whole. Of one that holds a blockquote only that is: answers may stand between."""
    if tag == "blockquote":
        if attributes and markup.is_quoting_block(attributes, style):
            return True
        page.end_line()
        last = next((line for line in reversed(page.lines[-2:]) if line.strip()), "")
        return last.rstrip().endswith((":", "：")) and _DATED.search(last) is not None
    return bool(attributes) and markup.is_quote(attributes) and not _holds_blockquote(node)


def _holds_blockquote(node: LexborNode) -> bool:
    child, looked = node.child, 0
    while child is not None and looked < 100:
        if child.tag == "blockquote":
            return True
        child, looked = child.next, looked + 1
    return False
