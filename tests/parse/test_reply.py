"""What the sender wrote in this mail, and what not: structure rather than languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.parse.reply import SCANNED, Known, scan

STATEMENT = """KEEP THE RIVER WILD

We live beside the river and ask the council to change course before it meets in December, for the good of all.

The council should:
1. withdraw the dredging licence at once;
2. build no new dam above the harbour gate;
3. publish every measurement taken so far.

A river is not waste land waiting for a use. It is in use. Keep it wild.

Maren Aldercott, Joaquim Verrel
1 September 2026

To endorse, write to endorse@delta.example."""
FORM = "Name:\nAffiliation:\nCountry:\nMay we publish your name? yes/no\nYour words:"
KNOWN = Known.of((STATEMENT, FORM))


def reply(text: str, subject: str = "") -> str:
    return scan(text, KNOWN, subject).reply


def kinds(text: str) -> list[str]:
    return [cut.why for cut in scan(text, KNOWN).cuts]


NOTICE = "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received this message in error, please notify the sender and delete it."
OLD = "> Please endorse our letter.\n> I endorse it too."
KEPT = [
    ("a sentence with On", "On Monday I wrote:\nthat I endorse it. On 5 October I say it again."),
    ("a sentence with From", "From: the bottom of my heart I endorse.\nFrom 1998 to 2004 I was there."),
    ("a date and a colon", "On 5 October 2026 I read your letter and this is my answer:\nI endorse it."),
    ("a filled form", "Name: Ana Melo\nAffiliation: Delta College\nE-mail: ana@x.example\nDate: 5 October 2026\nYour words: Keep it wild."),
    ("a form with the time of day", "Name: Ana Melo\nE-mail: ana@x.example\nDate: 5.10.2026 10:23\nCountry: France\n\nI endorse."),
    ("a form without values", f"{FORM} I endorse."),
    ("an address", "Write to me at ana@x.example:\nI endorse it in 2026."),
    ("a rule in the text", "I endorse.\n\n----------\n\nAna Melo"),
    ("stars", "*** I endorse ***\nAna"),
    ("a dash as bullet", "- I endorse\n- Ana"),
    ("typed sign-off", "I endorse.\n\nKind regards\nAna Melo\nHarbour master\nDelta Town"),
    ("a smiley", ">:-(\nI endorse."),
    ("a colon above nothing", "My words:\n\nKeep it wild."),
    ("time in prose", "I endorse: at 10:23 on 5.10.2026 I stood there: wet.\nPS: wild.\nPPS: really."),
    ("an intro to a quote", "You say that\n\nand I agree."),
    ("long dash in the middle", "I endorse —\nall of it."),
    ("confidential, but prose", "I endorse the letter. My work is confidential."),
]


@pytest.mark.parametrize("text", [row[1] for row in KEPT], ids=[row[0] for row in KEPT])
def test_a_persons_own_words_stay(text: str) -> None:
    assert reply(text) == text


def test_a_short_line_above_an_attribution_is_not_part_of_it() -> None:
    assert reply(f"I endorse.\n\nAna\nOn 5 Oct 2026 10:23, List <list@delta.example> wrote:\n{OLD}") == "I endorse.\n\nAna"


@pytest.mark.case(76)
def test_the_statement_quoted_without_marks_is_cut() -> None:
    assert (reply(f"I endorse.\n\n{STATEMENT}"), kinds(f"I endorse.\n\n{STATEMENT}")) == ("I endorse.", ["statement"])


@pytest.mark.case(76)
def test_the_statement_wrapped_elsewhere_is_cut() -> None:
    wrapped = "\n\n".join(" ".join(part.split()).replace(", ", ",\n") for part in STATEMENT.split("\n\n"))
    assert reply(f"{wrapped}\n\nI endorse.") == "I endorse."


def test_two_lines_of_the_statement_are_the_senders_choice() -> None:
    text = "I like this most:\n\nwithdraw the dredging licence at once;\n\nA river is not waste land waiting for a use."
    assert reply(text) == text


def test_an_empty_form_is_not_taken_for_a_quote() -> None:
    assert reply(FORM) == FORM


REDOS = [
    ("On x", "On x\n" * 13_000), ("newlines", "\n" * 65_000), ("spaces", " " * 65_000), ("one long line", "On " * 22_000), ("carets", "> " * 32_000), ("caret lines", ">\n" * 32_000),
    ("From: a", "From: a" * 9000), ("From: a lines", "From: a\n" * 8000), ("colons", ":" * 65_000), ("colon lines", "a:\n" * 20_000), ("dashes", "-" * 65_000), ("dash lines", "--\n" * 20_000),
    ("rules", "________\n" * 7000), ("dashes and spaces", "-- a" + " " * 60_000 + "x"), ("at signs", "@" * 65_000), ("almost addresses", "a.a." * 16_000), ("digits", "1:2" * 20_000),
    ("brackets", "<" * 65_000), ("attributions", "On 5 Oct 2026 10:23, a <a@x.example> wrote:\n" * 1500), ("heads", "From: a@x.example\nSent: 5.10.2026 10:23\n" * 1600), ("app footers", "Sent from my iPhone\n" * 3000),
    ("app footer paragraphs", "Sent from my iPhone\n\n" * 3000), ("quotes and words", "> a\nb\n" * 9000), ("stars", "*" * 65_000), ("notices", (NOTICE + "\n\n") * 350), ("signatures", "-- \na\n" * 10_000),
]  # fmt: skip


@pytest.mark.case(77)
@pytest.mark.parametrize("text", [row[1] for row in REDOS], ids=[row[0] for row in REDOS])
@pytest.mark.timeout(10)
def test_text_that_stops_other_reply_parsers_is_scanned(text: str) -> None:
    found = scan(text, KNOWN, "a")
    assert sum(len(cut.text) for cut in found.cuts) + len(found.reply) <= len(text) + len(found.cuts)


def test_what_is_beyond_the_first_64_kib_is_kept_as_text() -> None:
    text = "I endorse.\n" * 10_000
    assert len(text) > SCANNED and reply(text) == text.strip()


WORDS = ["> a", "On 5 Oct 2026 10:23, a <a@x.example> wrote:", "From: a@x.example", "Sent: 5.10.2026 10:23", "To: b", "Subject: c", "-- ", "--", "-----Original Message-----", "", "I endorse.", "Ana:", "Sent from my iPhone", "____________", "KEEP THE RIVER WILD", NOTICE, "-----BEGIN PGP SIGNED MESSAGE-----"]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(alphabet="ab:> \u200f٣：", max_size=12)), max_size=30))
def test_every_line_is_kept_or_cut_and_none_is_made_up(lines: list[str]) -> None:
    found = scan("\n".join(lines), KNOWN)
    kept = [line for line in found.reply.split("\n") if line.strip()]
    cut = [line for piece in found.cuts for line in piece.text.split("\n")]
    assert sorted(line.strip() for line in [*kept, *cut] if line.strip()) == sorted(line.strip() for line in lines if line.strip())


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_no_quoted_line_is_ever_in_the_reply(lines: list[str]) -> None:
    assert not any(line.startswith("> ") for line in scan("\n".join(lines), KNOWN).reply.split("\n"))
