"""A letter as the rules of meaning look at it: form, prose, last lines, and the phrases found in each."""

import re
from dataclasses import dataclass
from types import MappingProxyType

from mailflow.parse.fold import fold, sentences
from mailflow.parse.language import Hints, header_languages, language_of
from mailflow.parse.letter import Letter
from mailflow.parse.lexicon import Lexicon, related
from mailflow.parse.names import looks_like_name, printed
from mailflow.parse.phrasebook import Hit, Scan
from mailflow.parse.signoff import Layout, lay_out
from mailflow.parse.template import Form, read_form

_PREFIX = re.compile(
    r"\s*(?:re|aw|sv|vs|odp|ynt|antw|antwort|r|rif|res|ref|bls|vá|vl|tr|fwd|fw|wg|vb|i|enc|rv|fs|pd|ilt|továbbítás|doorst|vidarebefordrat|videresendt|yml|trs"
    r"|на|отв|ответ|пересл|fwd|回复|回覆|答复|答覆|转发|轉寄|转寄|返信|転送|회신|전달|답장|رد|إعادة توجيه|ref|پاسخ|הנ|תגובה|השב|απ|σχετ|πρθ|προώθηση|ตอบ|trả lời|balas|jibu)"
    r"\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(r"\s*(?:fwd|fw|wg|tr|rv|enc|i|vb|vl|转发|轉寄|転送|전달|pd|fs|пересл)\s*[:：]", re.IGNORECASE)
_EMBEDDED = re.compile(r"\s+(?:re|aw|sv|vs|odp|antw|rif|fwd?|wg|tr|ynt|отв)\s*:.*$", re.IGNORECASE)
_ASKS = re.compile(r"[?？؟;]\W*$")
_TAIL = 12
_ANY_LANGUAGE = frozenset({"endorse", "withdraw", "withdraw_word", "program"})
_LONG = 3
_LIST_TAG = re.compile(r"^\s*\[[^\]]{1,40}\]\s*")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules look at. ``subject`` is empty where the subject is not the sender's own, ``yes`` are the phrases that endorse."""

    letter: Letter
    lexicon: Lexicon
    form: Form | None
    layout: Layout
    scan: Scan
    subject: Scan
    yes: tuple[Hit, ...]
    replies: bool
    author_name: str
    language: str | None

    @property
    def prose(self) -> str:
        """The sender's own prose, the filled form's words among it."""
        return self.layout.prose

    def has(self, *concerns: str) -> bool:
        """Whether the prose or the sender's own subject touches any of these concerns."""
        return self.scan.has(*concerns) or self.subject.has(*concerns)


def read(letter: Letter, lexicon: Lexicon) -> Reading:
    """Lays a letter out and finds every phrase in it. Pure and deterministic."""
    author_name = author_display_name(letter, lexicon)
    form = read_form(letter.reply, lexicon)
    text = f"{form.before}\n\n{form.values.get('quote', '')}".strip() if form else letter.reply
    layout = lay_out(text, author_name or letter.author_name, lexicon)
    found = lexicon.book.scan(sentences(layout.prose))
    own = "" if _PREFIX.match(letter.subject) else _EMBEDDED.sub("", _LIST_TAG.sub("", letter.subject))
    subject = lexicon.book.scan(sentences(own))
    language = _language(letter, layout, found, own, lexicon)
    scan = _in_language(found, language)
    return Reading(
        letter=letter, lexicon=lexicon.spoken(language), form=form, layout=layout, scan=scan, subject=subject,
        yes=tuple(hit for hit in (*scan.of("endorse"), *_curt(scan, lexicon)) if stands(hit, scan, lexicon)), replies=is_reply(letter), author_name=author_name, language=language,
    )  # fmt: skip


def bare_subject(subject: str) -> str:
    """A subject without "Re:" in any language and without a list's tag."""
    for _ in range(3):
        found = _PREFIX.match(subject)
        bare = _LIST_TAG.sub("", subject[found.end() :] if found else subject)
        if bare == subject:
            break
        subject = bare
    return subject


def is_reply(letter: Letter) -> bool:
    """Whether it answers another mail (RFC 5322 §3.6.4), as its headers or its subject say."""
    return bool(letter.in_reply_to) or (_PREFIX.match(letter.subject) is not None and _FORWARD.match(letter.subject) is None)


def is_forward(letter: Letter) -> bool:
    """Whether its subject calls it forwarded."""
    return _FORWARD.match(letter.subject) is not None


def author_display_name(letter: Letter, lexicon: Lexicon) -> str:
    """The display name of From as it would be printed, ``""`` where it is no person's name."""
    raw = letter.author_name
    if "@" in raw or (letter.author and raw.strip().lower() == letter.author.partition("@")[0]):
        return ""
    name = printed(raw, lexicon)
    return name if looks_like_name(name, lexicon) and not lexicon.orgs.found_in(name) else ""


def _language(letter: Letter, layout: Layout, scan: Scan, own_subject: str, lexicon: Lexicon) -> str | None:
    headers = header_languages([*letter.values("content-language"), *letter.values("accept-language")])
    words = [word for line in scan.tokens for word in line]
    phrases = tuple(dict.fromkeys((hit.language, hit.concern) for hit in scan.of("endorse", "withdraw", "correct", "decline", "confirm")))
    text = layout.prose or letter.reply or own_subject
    known = layout.prose if len(layout.prose) > 12 else f"{layout.prose} {letter.reply} {own_subject}"
    if len(words) < 4:
        words += list(re.findall(r"\w+", f"{letter.reply} {own_subject}".lower()))
    return language_of(known if text else "", words, Hints(headers, tuple(language for language, _ in phrases)), lexicon)


def _in_language(scan: Scan, language: str | None) -> Scan:
    """Short phrases of other languages than the one that was written mean nothing there; leaving is understood in any."""
    if language is None:
        return scan
    near = {*related(language), "en"}
    hits = {
        concern: tuple(hit for hit in hits if hit.language in near or concern in _ANY_LANGUAGE or hit.end - hit.start >= _LONG)
        for concern, hits in scan.hits.items()
    }
    return Scan(scan.sentences, scan.tokens, MappingProxyType({concern: kept for concern, kept in hits.items() if kept}))


def _curt(scan: Scan, lexicon: Lexicon) -> tuple[Hit, ...]:
    """As in "Signed, with pleasure.": what would do as a subject does as a sentence that says little more."""
    return tuple(hit for hit in scan.of("subject") if hit.start == 0 and _length(hit, scan, lexicon) <= hit.end + 3)


def _length(hit: Hit, scan: Scan, lexicon: Lexicon) -> int:
    """How long the sentence of a hit is, in the measure of the hit: tokens, or letters where words are not set apart."""
    return len(fold(scan.sentences[hit.sentence])) if lexicon.tongues[hit.language].unspaced else len(scan.tokens[hit.sentence])


def asks(sentence: str) -> bool:
    """Whether a sentence ends on a question mark (the Greek one looks like a semicolon)."""
    return _ASKS.search(sentence[-_TAIL:]) is not None


def stands(hit: Hit, scan: Scan, lexicon: Lexicon) -> bool:
    """Whether a phrase that endorses does so here and now: not denied, not asked, not merely imagined."""
    sentence = scan.sentences[hit.sentence]
    asked = asks(sentence) and (hit.language == "el" or not sentence.rstrip().endswith(";"))
    imagined = scan.in_sentence("decline", hit.sentence) or scan.in_sentence("hypothetical", hit.sentence)
    return not asked and not imagined and not negated(hit, scan, lexicon) and not _told_of_others(hit, scan, lexicon)


def _told_of_others(hit: Hit, scan: Scan, lexicon: Lexicon) -> bool:
    """Tells "I hope that they endorse": in the gap of the phrase stands somebody else, or another time."""
    line = scan.tokens[hit.sentence]
    return not lexicon.tongues[hit.language].blocks.isdisjoint(line[hit.start : hit.end])


def negated(hit: Hit, scan: Scan, lexicon: Lexicon) -> bool:
    """Whether a word that denies stands in, shortly before or (where the language puts it there) behind a phrase."""
    if lexicon.tongues[hit.language].unspaced:
        return False
    tongue, line = lexicon.tongues[hit.language], scan.tokens[hit.sentence]
    window = list(line[hit.start : hit.end])
    for token in reversed(line[max(0, hit.start - 4) : hit.start]):
        if not token[0].isalnum():
            break
        window.append(token)
    if tongue.negates_after:
        for token in line[hit.end : hit.end + 10]:
            if not token[0].isalnum() or token in tongue.conjunctions:
                break
            window.append(token)
    return not tongue.negate.isdisjoint(window)
