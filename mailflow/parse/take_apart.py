"""Raw bytes -> Letter: the structural half of reading. Never raises, for any bytes."""

import re
from functools import lru_cache

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse import addresses, caps, content, headers
from mailflow.parse.body import body_of
from mailflow.parse.letter import Letter
from mailflow.parse.lines import plain_text
from mailflow.parse.message import take
from mailflow.parse.reply import Known
from mailflow.parse.text import Guesser, codec_of

_CHARSET = re.compile(rb"(?i)charset\s{0,4}=\s{0,4}\"?([a-z0-9_.:-]{1,40})")


def take_apart(raw: bytes, context: ReadingContext, limits: LimitSettings) -> Letter:
    """Takes a mail apart. Never raises; linear in its size; what is beyond a cap or broken is named in ``defects``.

    Beyond a cap only what is cheap is told: the hashes, and the fields if the header block is within its caps.
    """
    mail = caps.unified(raw)
    head, body = caps.divide(mail)
    broken = caps.exceeded(head, body, limits)
    block = _Block(head[: limits.header_bytes], Guesser())
    if caps.has_bare_cr(raw):
        block.defects.append("bare_cr_in_header")
    sums = content.sha256(raw), content.content_hash(block.fields, body)
    if broken:
        return Letter(*sums, hops=caps.hops(head[: limits.header_bytes]), unreadable=True, defects=(*broken, *block.defects))
    return _letter(sums, block, body, context, limits)


class _Block:
    """A header block taken apart: fields by name."""

    def __init__(self, head: bytes, guesser: Guesser) -> None:
        self.fields, self.defects = headers.split(head)
        self.guesser = guesser
        charset = _CHARSET.search(b"".join(self.raw("content-type")[:1]))
        guesser.hint = codec_of(charset[1].decode("ascii")) if charset else None
        self.decoded = tuple((name, headers.text_of(value, guesser)) for name, value in self.fields)
        self._first = dict(reversed(self.decoded))

    def raw(self, name: str) -> list[bytes]:
        """All values of a field as bytes."""
        return [value for key, value in self.fields if key == name]

    def text(self, name: str) -> str:
        """The first value of a field decoded, empty where there is none."""
        return self._first.get(name, "")


def _letter(sums: tuple[str, str], block: _Block, body: bytes, context: ReadingContext, limits: LimitSettings) -> Letter:
    author, name = addresses.author_of(block.raw("from"), block.guesser)
    taken = take(block.fields, body, block.guesser, limits.mime_depth, limits.mime_parts)
    found = body_of(taken.texts, _known(context), block.text("subject"))
    defects = tuple(dict.fromkeys([*block.defects, *taken.defects]))
    return Letter(
        sha256=sums[0],
        content_hash=sums[1],
        headers=block.decoded,
        author=None if headers.NOT_ONE_READING.intersection(defects) else author,
        author_name=name,
        addressees=addresses.all_in([*block.raw("to"), *block.raw("cc")], block.guesser),
        subject=block.text("subject"),
        message_id=headers.message_id(block.text("message-id")),
        in_reply_to=(headers.message_ids(block.text("in-reply-to")) or ("",))[0],
        references=headers.message_ids(block.text("references")),
        date=headers.moment(block.text("date")),
        relayed_at=headers.moment(block.text("received").rpartition(";")[2].strip()),
        hops=len(block.raw("received")),
        content_types=tuple(taken.content_types),
        attachments=taken.attachments,
        encrypted=taken.encrypted,
        body=plain_text(found.text),
        html_differs=found.differs,
        hidden_text=found.hidden,
        reply=found.reply.reply,
        signature=found.reply.signature,
        cuts=found.reply.cuts,
        reports=tuple(taken.reports),
        returned=tuple(taken.returned),
        unreadable=not block.fields or ("mime_unparsable" in taken.defects and not found.text),
        defects=defects,
    )


@lru_cache(maxsize=64)
def _known(context: ReadingContext) -> Known:
    return Known.of((*(text for _, text in context.statements), *context.own_texts))
