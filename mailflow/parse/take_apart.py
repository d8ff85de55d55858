"""Raw bytes -> Letter: the structural half of reading. Never raises, for any bytes."""

import re
from functools import lru_cache

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse import addresses, caps, content, headers
from mailflow.parse.flowed import unflow
from mailflow.parse.html import to_text
from mailflow.parse.letter import Letter
from mailflow.parse.message import Taken, Text, take
from mailflow.parse.reply import Known, Reply, scan

_WORD = re.compile(r"\w+")
_LINK = re.compile(r"[<\[(]?(?:https?://|mailto:|cid:|www\.)[^\s<>\])]{1,2000}[>\])]?")
STUB_LETTERS = 40
ENOUGH_WORDS = 8


def take_apart(raw: bytes, context: ReadingContext, limits: LimitSettings) -> Letter:
    """Takes a mail apart. Linear in its size; what is beyond a cap or broken is named in ``defects``."""
    raw = _bare(raw)
    head = caps.head_of(raw)
    broken = caps.exceeded(raw, limits)
    fields, defects = headers.split(head[: limits.header_bytes])
    hash_ = content.content_hash(fields, raw[len(head) :].lstrip(b"\r\n"))
    if broken:
        return Letter(content.sha256(raw), hash_, unreadable=True, defects=(*broken, *defects))
    taken = take(raw, limits.mime_depth, limits.mime_parts)
    body, differs, hidden = _body(taken)
    found = scan(body, _known(context))
    return _letter(raw, hash_, fields, defects, taken, body, found, differs=differs, hidden=hidden)


def _bare(raw: bytes) -> bytes:
    """Without what some programs put above the header: a byte order mark, empty lines."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")


def _letter(
    raw: bytes, hash_: str, fields: list[tuple[str, bytes]], defects: list[str], taken: Taken, body: str, found: Reply, *, differs: bool, hidden: bool
) -> Letter:
    values = _Values(fields)
    author, name = addresses.author_of(values.raw("from"))
    decoded = tuple((key, headers.text_of(value)) for key, value in fields)
    received = values.first("received")
    return Letter(
        sha256=content.sha256(raw),
        content_hash=hash_,
        headers=decoded,
        author=author,
        author_name=name,
        addressees=addresses.all_in([*values.raw("to"), *values.raw("cc")]),
        subject=headers.text_of(values.first("subject")),
        message_id=headers.message_id(headers.text_of(values.first("message-id"))),
        in_reply_to=(headers.message_ids(headers.text_of(values.first("in-reply-to"))) or ("",))[0],
        references=headers.message_ids(headers.text_of(values.first("references"))),
        date=headers.moment(headers.text_of(values.first("date"))),
        relayed_at=headers.moment(headers.text_of(received).rpartition(";")[2]) if received else None,
        hops=len(values.raw("received")),
        content_types=tuple(taken.content_types),
        attachments=taken.attachments,
        encrypted=taken.encrypted,
        body=body,
        html_differs=differs,
        hidden_text=hidden,
        reply=found.reply,
        signature=found.signature,
        cuts=found.cuts,
        reports=tuple(taken.reports),
        returned=tuple(taken.returned),
        unreadable=not fields or ("mime_unparsable" in taken.defects and not body),
        defects=tuple(dict.fromkeys([*defects, *taken.defects])),
    )


class _Values:
    """Header fields by name."""

    def __init__(self, fields: list[tuple[str, bytes]]) -> None:
        self._fields = fields

    def raw(self, name: str) -> list[bytes]:
        """All values of a field."""
        return [value for key, value in self._fields if key == name]

    def first(self, name: str) -> bytes:
        """The first value, empty where there is none."""
        return next((value for key, value in self._fields if key == name), b"")


def _body(taken: Taken) -> tuple[str, bool, bool]:
    """(the text a human wrote, whether plain text and HTML differ, whether letters are hidden)."""
    groups: dict[int, list[Text]] = {}
    pieces: list[str] = []
    differs = hidden = False
    loose = [text for text in taken.texts if not text.alternative]
    for text in taken.texts:
        if text.alternative:
            groups.setdefault(text.alternative, []).append(text)
    for alternatives in groups.values():
        chosen, other_than, hides = _choose(alternatives)
        pieces.append(chosen)
        differs, hidden = differs or other_than, hidden or hides
    for text in loose:
        rendered, hides = _rendered(text)
        hidden = hidden or hides
        pieces.append(rendered)
    return "\n\n".join(piece for piece in pieces if piece.strip()), differs, hidden


def _choose(alternatives: list[Text]) -> tuple[str, bool, bool]:
    """Plain text, unless it is a stub beside real HTML (RFC 2046 §5.1.4 prefers the last; people write both alike)."""
    plain = "\n\n".join(_rendered(text)[0] for text in alternatives if not text.html)
    source = next((text for text in alternatives if text.html), None)
    if source is None:
        return plain, False, False
    if plain.strip() and len(source.text) < STUB_LETTERS:
        return plain, False, False
    rendered, hides = to_text(source.text)
    one, two = _words(plain), _words(rendered)
    if len(one) < ENOUGH_WORDS and len(two) > 3 * len(one) + ENOUGH_WORDS:
        return rendered, False, hides
    return (plain, _differ(one, two), hides) if one else (rendered, False, hides)


def _words(text: str) -> list[str]:
    """The words for comparing; link targets stand in plain text only."""
    return _WORD.findall(_LINK.sub(" ", text.lower()))


def _differ(one: list[str], two: list[str]) -> bool:
    """Whether two word lists say materially different things: a word like "not" is enough in a short text."""
    bags = set(one), set(two)
    if not two:
        return False
    missing, added = bags[0] - bags[1], bags[1] - bags[0]
    few = min(len(one), len(two)) < 60
    return (len(missing) + len(added)) > (2 if few else 0.2 * len(bags[0] | bags[1]))


def _rendered(text: Text) -> tuple[str, bool]:
    if text.html:
        return to_text(text.text)
    return (unflow(text.text, delsp=text.delsp) if text.flowed else text.text.replace("\xa0", " ")), False


@lru_cache(maxsize=64)
def _known(context: ReadingContext) -> Known:
    return Known.of((*(text for _, text in context.statements), *context.own_texts))
