"""MIME taken apart with the standard parser (compat32, behind the caps) and guarded accessors."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from typing import TypeVar

from mailflow.parse.headers import Field
from mailflow.parse.multipart import tidy_tree
from mailflow.parse.text import Guesser, clean, decode
from mailflow.parse.transfer import decoded

_T = TypeVar("_T")
_PARAMETER = re.compile(r";\s*([A-Za-z0-9_*-]{1,40})\s*=\s*(\"[^\"]{0,500}\"|[^;\s\"]{0,500})")
_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80})")
_REPORTS = frozenset({
    "message/delivery-status", "message/disposition-notification", "message/feedback-report", "message/global-delivery-status",
    "message/global-disposition-notification",
})  # fmt: skip
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_READ = frozenset({"text/plain", "text/html", "text/enriched"})
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})
_MIME_FIELDS = ("content-type", "content-transfer-encoding", "content-disposition")
_ARMOUR = "-----BEGIN PGP MESSAGE-----"
TEXT_BYTES = 1_000_000
"""More text than this is no letter; the rest is left unread."""
UNSIGNED = -1
"""In the place of an alternative's number: a part of which only the type is told."""
RETURNED_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Text:
    """One readable part. ``alternative`` numbers the multipart/alternative it belongs to, 0 for none."""

    html: bool
    text: str
    flowed: bool = False
    delsp: bool = False
    alternative: int = 0


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A part that holds no others, transfer encoding not yet undone."""

    kind: str
    parameters: dict[str, str]
    disposition: str
    encoding: str
    raw: bytes


@dataclass(slots=True)
class Taken:
    """What a MIME tree holds."""

    guesser: Guesser
    texts: list[Text] = field(default_factory=list)
    content_types: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    attachments: int = 0
    encrypted: bool = False
    defects: list[str] = field(default_factory=list)


def guarded(call: Callable[[], _T], default: _T, defects: list[str], name: str) -> _T:
    """The one guard round the standard parser's accessors: on hostile mail they raise nearly anything (F10)."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - KeyError, LookupError, IndexError, AttributeError, TypeError, ValueError, RecursionError were all seen
        defects.append(name)
        return default


def take(fields: list[Field], body: bytes, guesser: Guesser, depth: int, most_parts: int) -> Taken:
    """Walks the MIME tree without recursion, at most ``depth`` deep and ``most_parts`` wide. Never raises.

    The standard parser is given the MIME fields of the header block only: where the block ends and what its fields
    are, has been decided once, by us. A mail that it cannot parse at all is read as one plain text.
    """
    taken = Taken(guesser)
    top = {name: value.decode("latin-1") for name, value in reversed(fields) if name in _MIME_FIELDS}
    kind, parameters = _type_of(top.get("content-type", ""), taken)
    if not kind.startswith(("multipart/", "message/")):
        taken.encrypted = _is_encrypted(kind, parameters)
        _leaf(_Leaf(kind, parameters, top.get("content-disposition", ""), top.get("content-transfer-encoding", ""), body), 0, taken)
        return taken
    # Latin-1 is bytes as letters: nothing is lost, and the parser never meets a surrogate.
    text = body.decode("latin-1")
    message = tidy_tree(top, text, depth)
    if message is None:
        message = guarded(lambda: _parsed(top, text), None, taken.defects, "mime_unparsable")
    if message is None:
        _leaf(_Leaf("text/plain", {}, "", "", body), 0, taken)
    else:
        _walk(message, taken, depth, most_parts)
    taken.defects = list(dict.fromkeys(taken.defects))
    return taken


def _parsed(fields: dict[str, str], text: str) -> Message:
    """The tree as the standard parser sees it."""
    return message_from_string("".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n" + text)


def _walk(message: Message, taken: Taken, depth: int, most_parts: int) -> None:
    stack: list[tuple[Message, int, int]] = [(message, 0, 0)]
    alternatives = seen = 0
    while stack:
        part, level, alternative = stack.pop()
        seen += 1
        if level > depth or seen > most_parts:
            taken.defects.append("mime_too_deep" if level > depth else "too_many_mime_parts")
            break
        kind, parameters = _type_of(_header(part, "Content-Type", taken), taken)
        if alternative == UNSIGNED:
            taken.content_types.append(kind)
            continue
        taken.encrypted |= _is_encrypted(kind, parameters)
        children = _children(part, kind, taken)
        if children is None:
            _opened(part, kind, parameters, alternative, taken)
            continue
        if kind == "multipart/alternative":
            alternatives += 1
            alternative = alternatives
        # Of multipart/signed only what was signed (RFC 1847 §2.1): nobody signed what stands beside it.
        beside = UNSIGNED if kind == "multipart/signed" else alternative
        stack.extend((child, level + 1, beside if number else alternative) for number, child in reversed(list(enumerate(children))))


def _header(part: Message, name: str, taken: Taken) -> str:
    """A MIME field of a part as text, shortened; ``""`` where it is absent or unreadable."""
    value = guarded(lambda: part.get(name), None, taken.defects, "part_header_unreadable")
    return "" if value is None else str(value)[:4096]


def _type_of(value: str, taken: Taken) -> tuple[str, dict[str, str]]:
    """Media type and parameters (RFC 2045 §5), text/plain where it says nothing that can be read."""
    if not value:
        return "text/plain", {}
    value = value[:4096]
    match = _TYPE.match(value)
    if match is None:
        taken.defects.append("content_type_unreadable")
    parameters = {name.lower().removesuffix("*"): text.strip('"') for name, text in _PARAMETER.findall(value)}
    return (match[1].lower() if match else "text/plain"), parameters


def _is_encrypted(kind: str, parameters: dict[str, str]) -> bool:
    if kind in _ENCRYPTED:
        return True
    return kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") and "signed" not in parameters.get("smime-type", "").lower()


def _children(part: Message, kind: str, taken: Taken) -> list[Message] | None:
    """The parts of a container that is to be walked, ``None`` for a leaf; mails inside mails are leaves."""
    payload = guarded(part.get_payload, None, taken.defects, "payload_unreadable")
    if not isinstance(payload, list) or kind in _RETURNED or kind in _REPORTS:
        if kind.startswith("multipart/") and not isinstance(payload, list):
            taken.defects.append("broken_multipart")
        return None
    return [child for child in payload if isinstance(child, Message)]


def _opened(part: Message, kind: str, parameters: dict[str, str], alternative: int, taken: Taken) -> None:
    """A leaf of the tree: its fields and its payload, or the flat text of a mail or report inside the mail."""
    if kind in _REPORTS or kind in _RETURNED:
        taken.content_types.append(kind)
        text = guarded(lambda: _inner_text(part, taken), "", taken.defects, "inner_mail_unreadable")
        (taken.reports if kind in _REPORTS else taken.returned).append(clean(text))
        return
    disposition, encoding = _header(part, "Content-Disposition", taken), _header(part, "Content-Transfer-Encoding", taken)
    _leaf(_Leaf(kind, parameters, disposition, encoding, _raw(part, taken)), alternative, taken)


def _leaf(leaf: _Leaf, alternative: int, taken: Taken) -> None:
    """Reads a text, counts everything else: attachments are never opened."""
    taken.content_types.append(leaf.kind)
    is_text = leaf.kind in _READ or leaf.kind.startswith("multipart/")
    if not is_text or leaf.disposition.lstrip().lower().startswith("attachment"):
        taken.attachments += 1
        return
    data, defect = decoded(leaf.raw, leaf.encoding)
    text, lie = decode(data[:TEXT_BYTES], leaf.parameters.get("charset"), taken.guesser)
    taken.defects += [name for name in (defect, lie) if name]
    text = clean(text)
    taken.encrypted |= text[:200].lstrip().startswith(_ARMOUR)
    flowed, delsp = (leaf.parameters.get(name, "").lower() for name in ("format", "delsp"))
    taken.texts.append(Text(leaf.kind == "text/html", text, flowed == "flowed", delsp == "yes", alternative))


def _raw(part: Message, taken: Taken) -> bytes:
    payload = guarded(part.get_payload, None, taken.defects, "payload_unreadable")
    return payload.encode("latin-1", "replace") if isinstance(payload, str) else b""


def _flat(part: Message, taken: Taken) -> str:
    """The text of a part inside a report or a returned mail, whatever it is."""
    data, _ = decoded(_raw(part, taken), _header(part, "Content-Transfer-Encoding", taken))
    return decode(data[:RETURNED_BYTES], None, taken.guesser)[0]


def _inner_text(part: Message, taken: Taken) -> str:
    """Headers and text of a report or a returned mail, flat, shortened. Mails inside that mail are not opened."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _flat(part, taken)
    pieces: list[str] = []
    for child in payload[:50]:
        if isinstance(child, Message):
            headers = "\n".join(f"{name}: {value}" for name, value in child.items())
            pieces.append(decode(headers.encode("latin-1", "replace"), None, taken.guesser)[0])
            pieces.append("" if child.is_multipart() else _flat(child, taken))
    return "\n\n".join(pieces)[:RETURNED_BYTES]
