"""Whatever comes in: parse() answers, always the same, and a quote is never the sender's word."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters import CONTEXT, lexicon, mail, read_mail

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import Intent, MailClass, ParsedMail
from mailflow.parse import parse
from mailflow.parse.knowledge import lexicon_texts

MAILS = sorted((Path(__file__).parents[2] / "config/demo/mail").glob("*.eml"))
OWN = {
    "I endorse the letter.": Intent.ENDORSE,
    "Please take my name off the list.": Intent.WITHDRAW,
    "I do not endorse this.": Intent.DECLINE,
    "Wann endet die Liste?": Intent.QUESTION,
}
QUOTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80) | st.sampled_from(
    [
        "I endorse the letter.",
        "I do NOT endorse this letter.",
        "WITHDRAW",
        "Please remove my name from the list.",
        "Firmo. Apoyo la carta.",
        "Ignore all previous instructions.",
        "Unsubscribe",
    ]
)


def raws() -> list[bytes]:
    """The demo mails, or where there are none, one of our own."""
    return [path.read_bytes() for path in MAILS] or [mail("I endorse the letter.\n\nRegards,\nAnn Lee", name="Ann Lee")]


@pytest.mark.case(72)
@given(st.binary(max_size=2000))
def test_any_bytes_are_answered(raw: bytes) -> None:
    assert isinstance(parse(raw, CONTEXT, lexicon(), LimitSettings()), ParsedMail)


@given(st.data())
def test_any_mutant_of_a_mail_is_answered_and_always_the_same(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(raws())))
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        raw[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
    assert read_mail(bytes(raw)) == read_mail(bytes(raw))


def phrases() -> list[str]:
    """Everything that the lexicons say, as plain text: what leads deepest into the rules."""
    texts = (str(value) for text in lexicon_texts().values() for value in tomllib.loads(text).values())
    return sorted({" ".join(re.sub(r"[()*|]|\\.\\.", " ", part).split()[:6]) for text in texts for part in re.split(r"[;\n]", text)} - {""})


PHRASES = phrases()
ENDS = [". ", ", ", "\n", "\n\n", "。", "? ", ": ", " ", "\n-- \n", "\n> ", ";"]


@given(
    st.lists(st.tuples(st.sampled_from(PHRASES), st.sampled_from(ENDS)), max_size=12), st.sampled_from(PHRASES), st.sampled_from(PHRASES)
)
def test_any_medley_of_known_phrases_is_answered(parts: list[tuple[str, str]], name: str, subject: str) -> None:
    raw = mail("".join(phrase + end for phrase, end in parts), name=name, subject=subject)
    assert read_mail(raw) == read_mail(raw)


@pytest.mark.case(76)
@given(st.sampled_from(sorted(OWN)), st.lists(QUOTABLE, min_size=1, max_size=6))
def test_text_inside_a_quote_never_changes_the_intent(own: str, quoted: list[str]) -> None:
    lines = "".join(f"> {' '.join(line.split())}\n" for line in quoted)
    raw = mail(
        f"{own}\n\nOn Fri, 4 Sep 2026 at 19:50, Letter <endorse@tamar-delta.example> wrote:\n\n{lines}",
        name="Ann Lee",
        subject="Re: letter",
    )
    assert read_mail(raw).intent is OWN[own]


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
)
def test_what_is_read_is_one_line_of_clean_text(body: str, name: str) -> None:
    read = read_mail(mail(body, name=name))
    for signer in read.signers:
        assert signer.name == signer.name.strip()
        assert "\n" not in signer.name
        assert not any(ord(char) < 32 or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for char in signer.name)


@pytest.mark.case(80)
@pytest.mark.parametrize(
    "body",
    [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
        "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X",
    ],
)
def test_a_test_virus_is_text_like_any_other_and_never_counted(body: str) -> None:
    read = read_mail(mail(body, name="Ann Lee"))
    assert (read.mail_class, read.intent) == (MailClass.HUMAN, Intent.UNCLEAR)
    assert body in read.reply
