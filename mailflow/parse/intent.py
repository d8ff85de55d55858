"""What the sender wants, from own words and own subject only; when in doubt, ``unclear``."""

import re
from collections.abc import Iterable

from mailflow.model.mail import Intent
from mailflow.parse.automatic import is_bulk
from mailflow.parse.phrasebook import Hit, Scan
from mailflow.parse.reading import Reading, asks, negated, stands

_TOKEN = re.compile(r"\[[A-Z0-9]{1,8}(?:-[A-Z0-9]{2,12}){1,4}\]")
_CONDITIONS = ("condition", "hypothetical")
_SHORT = 30


def intent_of(reading: Reading) -> Intent:
    """The one intent of a mail that a person may have written."""
    if is_advertising(reading):
        return Intent.SPAM
    for rule in (_leaves, _from_form, _changes, _confirms, _refuses, _joins, _asks, _joins_by_subject, _thanks):
        if (intent := rule(reading)) is not None:
            return intent
    return Intent.UNCLEAR


def is_advertising(reading: Reading) -> bool:
    """Whether it advertises: a few of trade's phrases with a bulk mailer's headers, or many without."""
    hits = {(hit.sentence, hit.start) for hit in reading.scan.of("advertising")}
    count = len(hits) + len(reading.subject.of("advertising"))
    return count >= (2 if is_bulk(reading.letter) else 4) and not reading.letter.in_reply_to


def endorsing(reading: Reading) -> tuple[Hit, ...]:
    """The phrases of the prose that endorse here and now: not denied, not asked, not merely imagined."""
    return reading.yes


def _plain(hits: Iterable[Hit], scan: Scan, reading: Reading) -> list[Hit]:
    """Hits that are neither denied nor part of a condition."""
    return [
        hit
        for hit in hits
        if not negated(hit, scan, reading.lexicon) and not any(scan.in_sentence(concern, hit.sentence) for concern in _CONDITIONS)
    ]


def _words(reading: Reading) -> int:
    return sum(1 for line in reading.scan.tokens for token in line if token[0].isalnum())


def _leaves(reading: Reading) -> Intent | None:
    """Asks to be taken off, or says that it was not they who wrote."""
    asked = [
        hit for hit in reading.scan.of("withdraw") if not any(reading.scan.in_sentence(concern, hit.sentence) for concern in _CONDITIONS)
    ]
    asked = [hit for hit in asked if not _denied_before(hit, reading)]
    bare = reading.scan.has("withdraw_word") and _words(reading) <= 6
    named = reading.subject.has("withdraw", "withdraw_word") and not endorsing(reading)
    if not asked and not bare and not named:
        return None
    return Intent.UNCLEAR if endorsing(reading) and not reading.replies else Intent.WITHDRAW


def _denied_before(hit: Hit, reading: Reading) -> bool:
    """So says "I will not withdraw": only what stands before counts, for "never signed" is a withdrawal itself."""
    line, tongue = reading.scan.tokens[hit.sentence], reading.lexicon.tongues[hit.language]
    before = () if tongue.unspaced else line[max(0, hit.start - 3) : hit.start]
    return any(token in tongue.negate for token in before) and tongue.negate.isdisjoint(line[hit.start : hit.end])


def _from_form(reading: Reading) -> Intent | None:
    """A filled form endorses, unless its words say otherwise."""
    if reading.form is None or (reading.replies and reading.has("correct")):
        return None
    if not any(reading.form.value(label) for label in ("name", "quote", "country", "affiliation", "place", "title")):
        return None
    if reading.has("decline", "hypothetical") and not endorsing(reading):
        return Intent.UNCLEAR
    return Intent.ENDORSE


def _changes(reading: Reading) -> Intent | None:
    """Asks for an entry to be corrected."""
    wanted = _plain(reading.scan.of("correct"), reading.scan, reading)
    asked = {hit.sentence for hit in wanted}
    if wanted and reading.replies and all(hit.sentence in asked for hit in endorsing(reading)):
        return Intent.CORRECT
    if not wanted and not (reading.subject.has("correct") and not endorsing(reading)):
        return None
    return None if endorsing(reading) or reading.scan.has("hypothetical") else Intent.CORRECT


def _confirms(reading: Reading) -> Intent | None:
    """Answers a question of ours with yes."""
    asked = _TOKEN.search(reading.letter.subject) is not None
    if not asked and not reading.replies:
        return None
    plain = _plain(reading.scan.of("confirm"), reading.scan, reading)
    if asked and (plain or _says_yes(reading) or endorsing(reading)) and not reading.scan.has("decline"):
        return Intent.CONFIRM
    return Intent.CONFIRM if plain and not endorsing(reading) and not reading.scan.has("decline") else None


def _says_yes(reading: Reading) -> bool:
    words = [token for line in reading.scan.tokens for token in line if token[0].isalnum()]
    return 0 < len(words) <= 6 and words[0] in reading.lexicon.yes


def _refuses(reading: Reading) -> Intent | None:
    """Declines, or would endorse something else than what stands."""
    scan = reading.scan
    no = scan.of("decline", "hypothetical") or [hit for hit in scan.of("endorse") if negated(hit, scan, reading.lexicon)]
    if not no:
        return None
    if not endorsing(reading):
        return Intent.DECLINE
    return None if scan.has("exception", "condition") else Intent.UNCLEAR if scan.has("decline", "hypothetical") else None


def _joins(reading: Reading) -> Intent | None:
    return Intent.ENDORSE if endorsing(reading) else None


def _asks(reading: Reading) -> Intent | None:
    """Asks something and does not endorse."""
    question = any(asks(sentence) and not sentence.endswith(";") for sentence in reading.scan.sentences)
    greek = reading.language == "el" and any(sentence.endswith(";") for sentence in reading.scan.sentences)
    if reading.scan.has("question") and (question or greek or not subject_joins(reading)):
        return Intent.QUESTION
    return Intent.QUESTION if (question or greek) and not subject_joins(reading) else None


def subject_joins(reading: Reading) -> bool:
    """Whether the sender's own subject endorses."""
    scan = reading.subject
    hits = [hit for hit in scan.of("endorse", "subject") if stands(hit, scan, reading.lexicon)]
    return bool(hits) and not scan.has("decline", "question", "other_letter")


def _joins_by_subject(reading: Reading) -> Intent | None:
    return Intent.ENDORSE if subject_joins(reading) else None


def _thanks(reading: Reading) -> Intent | None:
    """A short answer that thanks, or says yes."""
    if reading.replies and reading.layout.closed and not reading.prose and not reading.letter.attachments:
        return Intent.CONFIRM
    if not reading.replies or _words(reading) > _SHORT:
        return Intent.CONFIRM if reading.has("confirm") else None
    return Intent.CONFIRM if reading.scan.has("thanks", "confirm") or (_says_yes(reading) and reading.letter.in_reply_to) else None
