"""The words that would be printed, and whether the sender wants to be named."""

import re
import unicodedata

from mailflow.model.mail import Intent
from mailflow.parse.reading import Reading, negated
from mailflow.parse.template import refuses

_PRINTING = frozenset({Intent.ENDORSE, Intent.CORRECT})
_WRAPPED = re.compile(r"[ \t]*\n(?!\n)(?<!\n\n)[ \t]*")
_CONTROLS = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_REPLACEMENT = re.compile(
    r"(?:words?|text|comment|statement|quote|sentence)\b[^.]{0,60}?[:：]\s*[\"“„«]?(.{10,})[\"”»]?\s*$", re.IGNORECASE | re.DOTALL
)


def words_of_mail(reading: Reading, intent: Intent) -> str:
    """What the sender wrote as prose; empty for every intent that prints nothing. NFC, paragraphs kept, no controls."""
    if intent not in _PRINTING:
        return ""
    text = _replacement(reading.prose) if intent is Intent.CORRECT else reading.prose
    return _CONTROLS.sub("", unicodedata.normalize("NFC", text)).strip()


def _replacement(prose: str) -> str:
    """The new text that a correction gives for the printed words."""
    found = _REPLACEMENT.search(prose)
    return found[1].strip(' "”»') if found else ""


def is_public(reading: Reading) -> bool:
    """False only where the sender asks not to be named, in the form or in words outside of a condition."""
    if reading.form is not None and refuses(reading.form, reading.lexicon):
        return False
    scan = reading.scan
    asked = [hit for hit in scan.of("anonymous") if not scan.in_sentence("condition", hit.sentence)]
    return not asked and not reading.subject.has("anonymous") and not (reading.form and _anonymous_name(reading))


def _anonymous_name(reading: Reading) -> bool:
    form = reading.form
    return form is not None and reading.lexicon.book.scan([form.value("name") or "-"]).has("anonymous")


def asks_to_be_named(reading: Reading) -> bool:
    """Whether somebody who was not to be named now wants to be."""
    return any(not negated(hit, reading.scan, reading.lexicon) for hit in reading.scan.of("named")) and is_public(reading)
