"""Why a human should look although a mail endorses: one small rule a reason."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mailflow.model.mail import Caution, Signer
from mailflow.parse.names import in_local_part, is_odd, name_words, script_of, shares_a_word
from mailflow.parse.reading import Reading, is_forward, negated

_BY_PHRASE: Final[tuple[tuple[str, Caution], ...]] = (
    ("condition", Caution.CONDITION), ("exception", Caution.CONDITION), ("behalf", Caution.FOR_SOMEBODY_ELSE), ("members", Caution.MEMBERS_NOT_ASKED),
    ("minor", Caution.MINOR), ("pen_name", Caution.PEN_NAME), ("abuse", Caution.ABUSE), ("half", Caution.HALF_HEARTED),
    ("claim", Caution.CLAIM_OF_IDENTITY), ("program", Caution.ADDRESSES_PROGRAM), ("other_letter", Caution.OTHER_LETTER), ("hypothetical", Caution.CONDITION),
)  # fmt: skip
_PROGRAM = re.compile(
    r"^[^\w\n]{0,8}(?:system|assistant|user|prompt|instruction)s?\s*[:>\]]|<\|?(?:system|im_start|assistant|endoftext)|\[/?(?:inst|system)\]|\{\{.*\}\}|<script|\b(?:select|insert|delete|drop|update)\s+(?:\*|into|from|table)\b",
    re.IGNORECASE | re.MULTILINE,
)
_PROGRAM_SIGNS = ("<", "[", "{{", "system", "assistant", "user", "prompt", "instruction", "select", "insert", "delete", "drop", "update")
_SAID_AT_THE_END = frozenset({"minor", "claim", "members", "behalf"})
"""What counts also in the last lines and in the signature."""
_EMPTY = 12
_MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a rule looks at."""

    reading: Reading
    signers: tuple[Signer, ...]


def cautions_of(reading: Reading, signers: tuple[Signer, ...], organisation: str | None) -> tuple[Caution, ...]:
    """Every reason, in a fixed order, once."""
    endings = reading.lexicon.book.scan([*reading.layout.last, *reading.letter.signature.split("\n")][:_MOST_LINES])
    said = {*reading.scan.hits, *reading.subject.hits, *(_SAID_AT_THE_END & endings.hits.keys())}
    found = [caution for concern, caution in _BY_PHRASE if concern in said]
    found += [caution for rule, caution in _RULES if rule(_Seen(reading, signers))]
    if organisation and not any(signer.title or signer.affiliation for signer in signers):
        found.append(Caution.ORGANISATION_CLAIM)
    return tuple(dict.fromkeys(found))


def _elsewhere(seen: _Seen) -> bool:
    """The text is in an attachment: it says so, or there is nothing else."""
    return seen.reading.letter.attachments > 0 and (
        seen.reading.scan.has("elsewhere") or (len(seen.reading.prose) < _EMPTY and not seen.reading.subject.has("endorse", "subject"))
    )


def _speaks_of_attachment(seen: _Seen) -> bool:
    return seen.reading.scan.has("elsewhere")


def _forwarded_only(seen: _Seen) -> bool:
    """Nothing of one's own stands above what was forwarded."""
    forwards = is_forward(seen.reading.letter) or any("forward" in cut.why for cut in seen.reading.letter.cuts)
    return forwards and not seen.reading.prose.strip()


def _several(seen: _Seen) -> bool:
    return len(seen.signers) > 1


def _odd(seen: _Seen) -> bool:
    return any(is_odd(signer.name) for signer in seen.signers) or bool(
        seen.reading.form and seen.reading.form.value("name") and is_odd(seen.reading.form.value("name"))
    )


def _contradicts(seen: _Seen) -> bool:
    """From names one person and the text, in the same script, another; the address's local part may side with the text."""
    author, address = seen.reading.author_name, seen.reading.letter.author or ""
    if not seen.signers or not author or (len(name_words(author)) < 2 and script_of(author) not in ("CJK", "HANGUL")):
        return False
    name = seen.signers[0].name
    if "".join(name_words(name)) == "".join(name_words(author)):
        return False
    if script_of(name) != script_of(author) or shares_a_word(name, author) or in_local_part(name, address):
        return False
    return not _initials_agree(name, author)


def _initials_agree(name: str, author: str) -> bool:
    return all(len(word) == 1 for word in name_words(name)) and {word[0] for word in name_words(name)} <= {
        word[0] for word in name_words(author)
    }


def _to_program(seen: _Seen) -> bool:
    texts = (seen.reading.letter.reply, seen.reading.letter.subject)
    return any(_PROGRAM.search(text) for text in texts if any(sign in text.lower() for sign in _PROGRAM_SIGNS))


def _contradicts_itself(seen: _Seen) -> bool:
    """A sentence elsewhere in the mail denies what this one endorses."""
    return any(negated(hit, seen.reading.scan, seen.reading.lexicon) for hit in seen.reading.scan.of("endorse")) or seen.reading.scan.has(
        "decline", "withdraw"
    )


_Rule = Callable[[_Seen], bool]
_RULES: Final[tuple[tuple[_Rule, Caution], ...]] = (
    (_contradicts, Caution.NAME_CONTRADICTS_FROM),
    (_several, Caution.SEVERAL_SIGNERS),
    (_elsewhere, Caution.TEXT_ELSEWHERE),
    (_speaks_of_attachment, Caution.TEXT_ELSEWHERE),
    (lambda seen: seen.reading.letter.encrypted, Caution.ENCRYPTED),
    (lambda seen: seen.reading.letter.html_differs, Caution.ALTERNATIVES_DIFFER),
    (lambda seen: seen.reading.letter.hidden_text, Caution.HIDDEN_TEXT),
    (_to_program, Caution.ADDRESSES_PROGRAM),
    (_forwarded_only, Caution.FORWARDED_ONLY),
    (_contradicts_itself, Caution.HALF_HEARTED),
    (_odd, Caution.ODD_NAME),
)
