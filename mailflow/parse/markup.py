"""What the markup of the mail programs of the world means: quotes, signatures, hidden text."""

import re
from collections.abc import Mapping

Attributes = Mapping[str, str | None]

_QUOTE_CLASS = re.compile(
    r"(?<![\w-])(?:gmail_quote(?:_container)?|protonmail_quote|zmail_extra|yahoo_quoted|aolReplacedBody|moz-cite-prefix|gmail_attr|gmail_extra_quote"
    r"|ms-outlook-mobile-reference-message|reply_header|tutanota_quote|front-blockquote|quote-container|moz-forward-container|ntes_quote"
    r"|qt|cafe24_quote|ymail_quote|WPS_quote)(?![\w-])"
)
_QUOTE_ID = re.compile(
    r"(?:mail-editor-reference-message-container|isReplyContent|ntes-flashmail-quote|yahoo_quoted_\w{1,20}|OLK_SRC_BODY_SECTION|reply-intro"
    r"|spnEditorContent_quote|oriMsgHtmlSeperator|blockquote_zmail|LPBorder_quote|replycontent|qt)"
)
_QUOTE_NAME = frozenset({"quote", "quoted-content", "messageReplySection", "quotedMessage"})
_REST_ID = frozenset({"divRplyFwdMsg", "x_divRplyFwdMsg", "appendonsend"})
_REST_CLASS = frozenset({"OutlookMessageHeader"})
_OUTLOOK_RULE = re.compile(r"border:\s*none;\s*border-top:\s*solid\s+(?:#(?:e1e1e1|b5c4df)|windowtext)", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"(?<![\w-])(?:gmail_signature|moz-signature|protonmail_signature_block|AppleMailSignature|ms-outlook-mobile-signature|composer_signature|Signature"
    r"|mail-signature|zmail_signature|mail-app-auto-default-signature|mobile_signature|iOS_signature|ntes_signature|signature_container|bloop_sign\w{0,12})(?![\w-])"
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![-\w])font-size\s*:\s*0(?:\.0+)?(?:px|pt|r?em|%)?\s*(?:!|;|$)|(?<![-\w])opacity\s*:\s*0(?:\.0+)?\s*(?:!|;|$)"
    r"|max-height\s*:\s*0(?:px|pt|em)?\s*(?:!|;|$)|(?:left|top|text-indent)\s*:\s*-\d{4,}"
)
_WHITE = re.compile(r"(?<![-\w])color\s*:\s*(?:#fff(?:fff)?|white|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\)|transparent)(?![\w(])")
_HINTS = ("display", "visibility", "hidden", "opacity", "max-height", "white", "#fff", "255", "transparent")
_TINY = re.compile(r"font-size\s{0,9}:\s{0,9}0")
_FAR = re.compile(r":\s{0,9}-\d{4}")
_ENTITY_IN_STYLE = re.compile(r"style\s{0,9}=[^>]{0,2000}&")
LONGEST_STYLE = 2000


def may_hide(html: str) -> bool:
    """Whether a page's source holds anything with which ``is_hidden`` or ``is_white`` could be true; an entity in a style counts."""
    source = html.lower()
    if any(hint in source for hint in _HINTS) or _TINY.search(source) or _FAR.search(source):
        return True
    return "&" in source and _ENTITY_IN_STYLE.search(source) is not None


def is_hidden(attributes: Attributes, style: str) -> bool:
    """Whether an element is there for machines only."""
    return "hidden" in attributes or (bool(style) and _HIDDEN.search(style) is not None)


def is_white(attributes: Attributes, style: str) -> bool:
    """Whether letters are as white as paper; the caller knows whether the paper is."""
    return (bool(style) and _WHITE.search(style) is not None) or (attributes.get("color") or "").lower() in ("white", "#fff", "#ffffff")


def has_background(attributes: Attributes, style: str) -> bool:
    """Whether an element sets its own ground."""
    return "bgcolor" in attributes or "background" in attributes or "background" in style


def is_quote(attributes: Attributes) -> bool:
    """Whether an element holds a quoted mail, or the line that says whose it is."""
    class_, id_ = attributes.get("class"), attributes.get("id")
    if (class_ and _QUOTE_CLASS.search(class_)) or (id_ and _QUOTE_ID.fullmatch(id_)):
        return True
    return (attributes.get("name") or "") in _QUOTE_NAME


def is_quoting_block(attributes: Attributes, style: str) -> bool:
    """Whether a blockquote element quotes; many people indent their own words with one."""
    return attributes.get("type") == "cite" or "quote" in (attributes.get("class") or "") or "border-left" in style or is_quote(attributes)


def starts_the_rest(attributes: Attributes, style: str) -> bool:
    """Whether all from here to the end is quoted: Outlook puts the quoted mail beside its head, not into it."""
    id_, class_ = attributes.get("id"), attributes.get("class")
    return id_ in _REST_ID or class_ in _REST_CLASS or (bool(style) and _OUTLOOK_RULE.search(style) is not None)


def is_signature(attributes: Attributes) -> bool:
    """Whether an element is the signature block that a program put in."""
    class_, id_ = attributes.get("class"), attributes.get("id")
    return (bool(class_) and _SIGNATURE.search(class_ or "") is not None) or (bool(id_) and _SIGNATURE.search(id_ or "") is not None)
