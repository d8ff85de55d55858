"""HTML to the text a person saw: blocks, breaks, quotes and signatures by their known markup. No recursion."""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

SIGNATURE_MARK = "\ue001"
"""Stands before each line of a signature that the markup names; text of a mail cannot hold it (see text.clean)."""

_BLOCKS = frozenset({
    "p", "div", "br", "tr", "table", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr", "center", "section",
    "article", "header", "footer", "address", "dd", "dt", "dl", "td", "th", "body", "html", "tbody", "thead",
})  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"})
_INLINE_CELLS = frozenset({"td", "th"})
_SKIPPED = frozenset({"style", "script", "head", "title", "noscript", "template", "svg", "object", "iframe", "select", "textarea", "o:p"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|$)|mso-hide\s*:\s*all|opacity\s*:\s*0\s*(?:;|$)")
_WHITE = re.compile(r"(?<![-\w])color\s*:\s*(?:#fff(?:fff)?|white|rgb\(255,\s*255,\s*255\))\b")
_QUOTE_CLASS = re.compile(r"\b(?:gmail_quote|yahoo_quoted|protonmail_quote|moz-cite-prefix|gmail_attr|zmail_extra|qt-|OutlookMessageHeader|ms-outlook-mobile-reference-message|reply_header)\b|quote-container")
_QUOTE_ID = re.compile(r"^(?:divRplyFwdMsg|appendonsend|x_divRplyFwdMsg|mail-editor-reference-message-container|replySplit|isReplyContent|yahoo_quoted_\d+|OLK_SRC_BODY_SECTION)$")
_SIGNATURE = re.compile(r"\b(?:gmail_signature|moz-signature|protonmail_signature_block|AppleMailSignature|ms-outlook-mobile-signature|composer_signature|Signature|mail-signature|zmail_signature)\b")
_OUTLOOK_RULE = re.compile(r"border:\s*none;\s*border-top:\s*solid\s+#(?:E1E1E1|B5C4DF)", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\r\f]+")
MOST_NODES = 60_000


@dataclass(slots=True)
class _Page:
    """Lines as they grow; ``depth`` is how many quotes we are in."""

    lines: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    depth: int = 0
    signature: int = 0
    hidden_letters: int = 0

    def end_line(self) -> None:
        """Ends the current line, if it holds anything."""
        text = _SPACE.sub(" ", "".join(self.current)).strip(" ")
        self.current.clear()
        if text:
            self.lines.append(self._prefix() + text)

    def blank(self) -> None:
        """One empty line, at most."""
        if self.lines and self.lines[-1].strip("> ") != "":
            self.lines.append(self._prefix().rstrip())

    def _prefix(self) -> str:
        if self.depth:
            return ">" * min(self.depth, 5) + " "
        return SIGNATURE_MARK if self.signature else ""


def to_text(html: str) -> tuple[str, bool]:
    """(text, whether letters are hidden in it). Quoted blocks come as ``> `` lines. Never raises for any HTML."""
    root = LexborHTMLParser(html).root
    page = _Page()
    if root is None:
        return "", False
    stack: list[tuple[LexborNode, bool]] = [(root, False)]
    seen = 0
    while stack and seen < MOST_NODES:
        node, leaving = stack.pop()
        if leaving:
            _leave(node, page)
            continue
        seen += 1
        if node.tag == "-text":
            page.current.append(_unformatted(node, page))
            continue
        if not _enter(node, page):
            continue
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(_children(node)))
    page.end_line()
    return "\n".join(page.lines).strip("\n"), page.hidden_letters > 0


def _children(node: LexborNode) -> list[LexborNode]:
    children = []
    child = node.child
    while child is not None:
        children.append(child)
        child = child.next
    return children


def _unformatted(node: LexborNode, page: _Page) -> str:
    return str(node.text_content or "").replace("\xa0", " ").replace(SIGNATURE_MARK, "")


def _enter(node: LexborNode, page: _Page) -> bool:
    """Opens an element; False when its content is not for people."""
    tag = str(node.tag)
    if tag in _SKIPPED or tag.startswith(("-", "_", "!")):
        return tag == "-document"
    attributes = node.attributes
    style = (attributes.get("style") or "").lower()
    if "hidden" in attributes or (style and _HIDDEN.search(style)):
        page.hidden_letters += sum(letter.isalnum() for letter in node.text()[:200]) > 3
        return False
    if style and _WHITE.search(style) and "background" not in style:
        page.hidden_letters += 1
        return False
    if tag == "br":
        _break(page)
        return False
    if tag in _BLOCKS:
        if tag in _INLINE_CELLS:
            page.current.append(" ")
        else:
            page.end_line()
        if tag in _PARAGRAPHS:
            page.blank()
    if tag == "li":
        page.current.append("- ")
    _count(node, page, 1)
    return True


def _break(page: _Page) -> None:
    if page.current and "".join(page.current).strip():
        page.end_line()
    else:
        page.current.clear()
        page.blank()


def _leave(node: LexborNode, page: _Page) -> None:
    tag = str(node.tag)
    if tag in _BLOCKS and tag not in _INLINE_CELLS:
        page.end_line()
    if tag in _PARAGRAPHS:
        page.blank()
    _count(node, page, -1)


def _count(node: LexborNode, page: _Page, by: int) -> None:
    """Goes into or out of a quote or a signature."""
    attributes = node.attributes
    class_, id_ = attributes.get("class") or "", attributes.get("id") or ""
    if node.tag == "blockquote" and (attributes.get("type") == "cite" or "quote" in class_ or "border-left" in (attributes.get("style") or "")):
        page.depth += by
    elif _QUOTE_CLASS.search(class_) or _QUOTE_ID.match(id_) or _OUTLOOK_RULE.search(attributes.get("style") or ""):
        page.depth += by
    elif _SIGNATURE.search(class_) or _SIGNATURE.search(id_):
        page.signature += by
