"""MIME taken apart with the standard parser (compat32, behind the caps) and guarded accessors."""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import TypeVar

from mailflow.parse.text import clean, decode

_T = TypeVar("_T")
_PARAMETER = re.compile(r";\s*([A-Za-z0-9_*-]{1,40})\s*=\s*(\"[^\"]{0,500}\"|[^;\s\"]{0,500})")
_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80})")
_REPORTS = frozenset({"message/delivery-status", "message/disposition-notification", "message/feedback-report", "message/global-delivery-status"})
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})
TEXT_BYTES = 1_000_000
"""More text than this is no letter; the rest is left unread."""
RETURNED_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Text:
    """One readable part. ``alternative`` numbers the multipart/alternative it belongs to, 0 for none."""

    html: bool
    text: str
    flowed: bool = False
    delsp: bool = False
    alternative: int = 0


@dataclass(slots=True)
class Taken:
    """What a MIME tree holds."""

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
    except Exception:  # noqa: BLE001  # KeyError, LookupError, IndexError, AttributeError, TypeError, ValueError, RecursionError were all seen
        defects.append(name)
        return default


def take(raw: bytes, depth: int, most_parts: int) -> Taken:
    """Walks the MIME tree without recursion, at most ``depth`` deep and ``most_parts`` wide. Never raises."""
    taken = Taken()
    message = guarded(lambda: message_from_bytes(raw), None, taken.defects, "mime_unparsable")
    if message is None:
        return taken
    stack: list[tuple[Message, int, int]] = [(message, 0, 0)]
    alternatives = seen = 0
    while stack:
        part, level, alternative = stack.pop()
        seen += 1
        if level > depth or seen > most_parts:
            taken.defects.append("mime_too_deep" if level > depth else "too_many_mime_parts")
            break
        kind, parameters = _type_of(part, taken)
        taken.encrypted |= _is_encrypted(kind, parameters)
        children = _children(part, kind, taken)
        if children is None:
            _leaf(part, kind, parameters, alternative, taken)
            continue
        if kind == "multipart/alternative":
            alternatives += 1
            alternative = alternatives
        stack.extend((child, level + 1, alternative) for child in reversed(children))
    taken.defects = list(dict.fromkeys(taken.defects))
    return taken


def _type_of(part: Message, taken: Taken) -> tuple[str, dict[str, str]]:
    value = str(guarded(lambda: part.get("Content-Type"), None, taken.defects, "content_type_unreadable") or "text/plain")[:4096]
    match = _TYPE.match(value)
    parameters = {name.lower(): text.strip('"') for name, text in _PARAMETER.findall(value)}
    return (match[1].lower() if match else "text/plain"), parameters


def _is_encrypted(kind: str, parameters: dict[str, str]) -> bool:
    if kind in _ENCRYPTED:
        return True
    return kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") and "signed" not in parameters.get("smime-type", "")


def _children(part: Message, kind: str, taken: Taken) -> list[Message] | None:
    """The parts of a container that is to be walked, ``None`` for a leaf; mails inside mails are leaves."""
    payload = guarded(part.get_payload, None, taken.defects, "payload_unreadable")
    if not isinstance(payload, list) or kind in _RETURNED or kind in _REPORTS:
        if kind.startswith("multipart/") and not isinstance(payload, list):
            taken.defects.append("broken_multipart")
        return None
    parts = [child for child in payload if isinstance(child, Message)]
    return parts[:1] if kind == "multipart/signed" else parts


def _leaf(part: Message, kind: str, parameters: dict[str, str], alternative: int, taken: Taken) -> None:
    taken.content_types.append(kind)
    if kind in _REPORTS or kind in _RETURNED:
        text = guarded(lambda: _inner_text(part), "", taken.defects, "inner_mail_unreadable")
        (taken.reports if kind in _REPORTS else taken.returned).append(clean(text))
        return
    disposition = str(guarded(lambda: part.get("Content-Disposition"), None, taken.defects, "disposition_unreadable") or "").lower()
    is_text = kind in ("text/plain", "text/html", "text/enriched") or kind.startswith("multipart/")
    if not is_text or disposition.lstrip().startswith("attachment"):
        taken.attachments += 1
        return
    data = _payload(part, taken)[:TEXT_BYTES]
    text, defect = decode(data, parameters.get("charset"))
    if defect:
        taken.defects.append(defect)
    flowed = parameters.get("format", "").lower() == "flowed"
    taken.texts.append(Text(kind == "text/html", clean(text), flowed, parameters.get("delsp", "").lower() == "yes", alternative))


def _payload(part: Message, taken: Taken) -> bytes:
    """The decoded bytes of a leaf; what cannot be decoded is taken as it stands."""

    def decoded() -> bytes:
        try:
            found = part.get_payload(decode=True)
        except (binascii.Error, ValueError):
            found = str(part.get_payload()).encode("ascii", "surrogateescape")
        return found if isinstance(found, bytes) else b""

    return guarded(decoded, b"", taken.defects, "payload_unreadable")


def _inner_text(part: Message) -> str:
    """Headers and text of a report or a returned mail, flat, shortened."""
    payload = part.get_payload()
    if isinstance(payload, list):
        pieces = []
        for child in payload[:50]:
            pieces.append("\n".join(f"{name}: {value}" for name, value in child.items()))
            inner = child.get_payload(decode=True) if not child.is_multipart() else b""
            pieces.append(decode(inner[:RETURNED_BYTES], None)[0] if isinstance(inner, bytes) else "")
        return "\n\n".join(pieces)[:RETURNED_BYTES]
    data = part.get_payload(decode=True)
    return decode(data[:RETURNED_BYTES], None)[0] if isinstance(data, bytes) else ""
