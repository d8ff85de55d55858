"""What a digest tells, what it keeps to itself, and that no stranger can forge a line of it."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from answer_people import NOW, TEMPLATES, body, campaign, entry, events, organiser, parsed, renderer
from hypothesis import given
from hypothesis import strategies as st

from mailflow.decide.table import INCOMING
from mailflow.digest import Held, id_of, is_empty, is_wanted, one_line, short_id, summarise
from mailflow.model.answer import Digest, OutgoingMail
from mailflow.model.decision import Action, Disposition
from mailflow.model.endorsement import Entry, EntryState, Event, EventKind
from mailflow.model.mail import Caution
from mailflow.render import load_catalogues

DAY = date(2026, 9, 2)
BOOKS = {Disposition.COUNTED: 3, Disposition.HELD: 2, Disposition.AUTOMATIC: 1}
HELD: list[Held] = [(615, "author_is_unproven", "fr", NOW - timedelta(days=1)), (33, "has_a_condition", None, NOW - timedelta(days=2))]
RENDER = renderer()


def digest(
    found: list[Event] | None = None,
    people: dict[int, Entry] | None = None,
    held: list[Held] | None = None,
    books: dict[Disposition, int] | None = None,
    *,
    names: bool = True,
    **more: Any,
) -> Digest:
    happened = events(2) if found is None else found
    known = {event.entry_id or 0: entry(id=event.entry_id) for event in happened} if people is None else people
    waits = HELD if held is None else held
    kept = BOOKS if books is None else books
    window = {"after": 0, "upto": 10**6, "endorsements": 3} | more
    return summarise(campaign(), organiser(names=names), DAY, events=happened, entries=known, held=waits, books=kept, **window)


def mail_of(made: Digest, *, names: bool = True) -> OutgoingMail:
    return RENDER.digest(made, campaign(), organiser(names=names), NOW)


EXAMPLE = """\
Keep the Heron Marsh Wet
Digest for 2 September 2026 (Europe/Berlin)

Endorsements that stand now: 3

New endorsements since the last digest: 2
  [JS] Ana Duarte, Dr, Institute of Reeds, Aveiro, PT
      “I learned to row there. Keep it wet.”
  [JT] Ana Duarte, Dr, Institute of Reeds, Aveiro, PT
      “I learned to row there. Keep it wet.”

Waiting for a human, oldest first: 2
  [11] endorses on a condition – since 31 August 2026
  [K7] nothing proves who wrote it – since 1 September 2026 (fr)

All mails of this campaign, from the first to the last one:
  received: 6
  = counted as an endorsement: 3
  + changed an endorsement: 0
  + duplicates: 0
  + waiting for a human: 2
  + waiting for the sender: 0
  + withdrew an endorsement: 0
  + automatic mail: 1
  + handled otherwise: 0
  + refused: 0
  + set aside: 0
  + being worked on: 0

--\x20
mailflow sent this digest. Mails are named by their ids, such as K7; an id never changes.
"""


def test_a_digest_reads_like_this() -> None:
    mail = mail_of(digest())
    assert parsed(mail)["Subject"] == "Keep the Heron Marsh Wet, 2 September 2026: 2 new, 2 waiting"
    assert body(mail, "plain") == EXAMPLE


def test_a_digest_is_generated_by_a_machine_and_bounces_to_the_campaign() -> None:
    mail = mail_of(digest())
    assert (mail.sender, mail.recipient) == ("endorse@heron-marsh.example", "orla@heron-marsh.example")
    assert (parsed(mail)["Auto-Submitted"], parsed(mail)["To"]) == ("auto-generated", "orla@heron-marsh.example")
    assert mail == mail_of(digest())


def test_windows_do_not_overlap() -> None:
    happened = events(10)
    shown = [item.short_id for upto in (4, 10) for item in digest(happened, after=upto - 4 if upto == 4 else 4, upto=upto).new]
    assert shown == [short_id(event.mail_id or 0) for event in happened]


def test_events_of_others_and_events_without_a_number_are_left_out() -> None:
    strangers = [
        Event(1, 1, EventKind.ENDORSED, "other", 1, 1, "mail", "always", NOW),
        Event(2, None, EventKind.ENDORSED, "heron-marsh", 1, 1, "mail", "always", NOW),
    ]
    assert dict(digest(strangers).counts)[EventKind.ENDORSED] == 0


def test_without_names_there_are_only_ids() -> None:
    mail = mail_of(digest(names=False), names=False)
    assert b"Ana" not in mail.raw and "[JS]\n" in body(mail, "plain") and "no names" in body(mail, "plain")


@pytest.mark.parametrize("kept", [entry(named=False)], ids=["not to be named"])
def test_who_does_not_want_to_be_named_is_not_named_to_organisers_either(kept: Entry) -> None:
    text = body(mail_of(digest(people={1: kept, 2: kept})), "plain")
    assert "Ana" not in text and "row there" not in text and "[JS] does not want to be named" in text


def test_who_has_withdrawn_since_is_not_named() -> None:
    gone = entry(state=EntryState.WITHDRAWN)
    made = digest([*events(2), *events(2, EventKind.WITHDRAWN, first=3)], {1: gone, 2: entry(), 3: gone, 4: gone})
    assert [item.short_id for item in made.new] == ["JT"] and dict(made.counts)[EventKind.WITHDRAWN] == 2


def test_words_that_are_not_to_be_shown_are_not_shown() -> None:
    assert all(item.words == "" and item.name for item in digest(people={1: entry(words_shown=False), 2: entry(words_shown=False)}).new)


def test_one_person_is_one_line() -> None:
    twice = [*events(1), Event(9, 9, EventKind.ENDORSED, "heron-marsh", 1, 700, "mail", "always", NOW)]
    assert len(digest(twice).new) == 1


@pytest.mark.case(136)
def test_at_most_fifty_items_and_the_number_of_the_others() -> None:
    held: list[Held] = [(n, "author_is_unproven", None, NOW) for n in range(120)]
    made = digest(events(70), held=held)
    text = body(mail_of(made), "plain")
    assert (len(made.new), made.more_new, len(made.waiting), made.more_waiting) == (50, 20, 50, 70)
    assert "... and 20 more" in text and "... and 70 more" in text and "Waiting for a human, oldest first: 120" in text


def test_who_waits_is_counted_even_where_only_the_oldest_are_given() -> None:
    held: list[Held] = [(n, "author_is_unproven", None, NOW) for n in range(60)]
    assert digest(held=held, books={Disposition.HELD: 900}).more_waiting == 850


HOSTILE = [
    "Bob\n  [K7] nothing proves who wrote it",
    "Bob\r\n[APPROVED] #17",
    "Bob\u2028[APPROVED]",
    "Bob\u2029[APPROVED]",
    "Bob\x85[APPROVED]",
    "Bob\x0b[APPROVED]\x0c",
    "Bob" + "\u00a0" * 150 + "[APPROVED]",
    "Bob" + "\u2800" * 150 + "[APPROVED]",
    "Bob" + "\u3164" * 150 + "[APPROVED]",
    "\u202e[DEVORPPA] boB",
    "\u2069\u2069\u2066[APPROVED]",
    "</li><li>[K7] approved",
    "\r\n--=_0123456789abcdef01234567--\r\n",
    "Z\u0300" + "\u0301" * 190,
    "=?utf-8?q?=0A?=",
]


@pytest.mark.case(136)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_stays_in_its_own_line(name: str) -> None:
    plain = mail_of(digest())
    people = {1: entry(name=name, words=name, affiliation=name), 2: entry()}
    mail = mail_of(digest(people=people))
    lines, usual = body(mail, "plain").split("\n"), body(plain, "plain").split("\n")
    assert len(lines) == len(usual)
    assert [line for n, line in enumerate(lines) if n not in (6, 7)] == [line for n, line in enumerate(usual) if n not in (6, 7)]
    assert lines[6].startswith("  [JS] ") and lines[7].startswith("      “") and lines[7].endswith("”")
    assert "".join(lines[6:8]).count("[") == 1, "only we write ids in square brackets"
    assert not re.search(r"\S   +\S|[\u2800\u3164\u202a-\u202e\u2066\u2067\u0085\u000b\u000c\u2028\u2029\u00a0]", "\n".join(lines[6:8]))
    assert [part.get_content_type() for part in parsed(mail).walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert body(mail, "html").count("<li>") == body(plain, "html").count("<li>")


@pytest.mark.case(136)
def test_nothing_of_a_held_mail_but_its_id_reason_language_and_day_is_told() -> None:
    text = body(mail_of(digest(held=[(615, "Ana <ana@x.example>\n[K8]", "f\nr", NOW)])), "plain")
    assert "  [K7] needs a look (-) – since 2 September 2026\n" in text and "ana@" not in text and "K8" not in text


@given(text=st.text(), longest=st.integers(1, 300))
def test_one_line_is_one_short_line(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest and len(line.splitlines()) <= 1 and line == line.strip() and "  " not in line
    assert one_line(line, longest) == line


@pytest.mark.parametrize(
    "name", ["O’Brien-Łukasz", "สมชาย ใจดี", "می‌خواهم", "Nguyễn Thị Ánh", "שׁוּלַמִּית", "王小明", "J̌o", "İnci", "👩‍👧"], ids=range(9)
)
def test_real_names_stay_as_they_are(name: str) -> None:
    assert one_line(name) == name


@pytest.mark.case(137)
@pytest.mark.parametrize("text", ["ab " * 100, "雪" * 300, "😀" * 300, "&" * 300, "=" * 300, '"<>' * 100, "é" * 300])
def test_fifty_thousand_events_fit_into_a_hundred_kilobytes(text: str) -> None:
    happened = events(50_000)
    one = entry(name=text, words=text, affiliation=text, place=text)
    held: list[Held] = [(10**9 + n, "members_not_all_asked", "zh-Hant", NOW) for n in range(50_000)]
    made = digest(happened, dict.fromkeys(range(1, 50_001), one), held)
    assert len(mail_of(made).raw) <= 100_000
    assert len(made.new) + made.more_new == 50_000 and made.new


@pytest.mark.case(138)
def test_an_empty_day_is_one_short_mail_or_none() -> None:
    made = digest([], held=[])
    mail = mail_of(made)
    assert is_empty(made) and is_wanted(made) and not is_wanted(made, on_empty_days=False)
    assert parsed(mail)["Subject"] == "Keep the Heron Marsh Wet, 2 September 2026: nothing new"
    assert "Nothing new since the last digest." in body(mail, "plain") and "New endorsements" not in body(mail, "plain")


@pytest.mark.parametrize(
    "made", [digest(held=[]), digest([]), digest([], held=[], books={Disposition.SET_ASIDE: 1})], ids=["new", "waiting", "alarm"]
)
def test_a_day_with_anything_to_tell_is_always_sent(made: Digest) -> None:
    assert is_wanted(made, on_empty_days=False)


def test_the_books_name_every_line_and_add_up() -> None:
    made = digest(books={line: n for n, line in enumerate(Disposition)})
    assert [line for line, _ in made.books] == [str(line) for line in Disposition]
    assert f"received: {sum(range(len(Disposition)))}\n" in body(mail_of(made), "plain")


@pytest.mark.parametrize(
    ("made", "alarm"),
    [
        (digest(received=7), "books_do_not_balance:1"),
        (digest(received=6), None),
        (digest(books={Disposition.SET_ASIDE: 2}), "set_aside:2"),
        (digest(events(3, EventKind.BOUNCED)), "bounced:3"),
        (digest(now=NOW + timedelta(days=1, hours=1)), "waiting_long:1"),
        (digest(now=NOW), None),
    ],
    ids=["books off", "books even", "set aside", "bounces", "one waits long", "none waits long"],
)
def test_alarms(made: Digest, alarm: str | None) -> None:
    assert made.alarms == ((alarm,) if alarm else ())
    assert ("!! " in body(mail_of(made), "plain")) == (alarm is not None)


@pytest.mark.parametrize(("number", "short"), [(0, "0"), (31, "Z"), (32, "10"), (615, "K7")])
def test_ids_are_short(number: int, short: str) -> None:
    assert short_id(number) == short and id_of(short) == number


@given(st.integers(0, 2**63 - 1))
def test_an_id_comes_back_however_it_is_typed(number: int) -> None:
    assert id_of(f" {short_id(number).lower().replace('0', 'o').replace('1', 'l')} ") == number


@pytest.mark.parametrize("typed", ["", " ", "K-7", "U", "K7 K8", "Ü", "Z" * 14])
def test_what_is_no_id_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        id_of(typed)


def test_a_negative_id_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        short_id(-1)


CATALOGUES = load_catalogues(TEMPLATES / "digest" / "languages")
HOLDING = [row.name for row in INCOMING if row.action in (Action.HOLD, Action.DEFER)]


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_every_reason_to_wait_and_every_line_of_the_books_has_plain_words(language: str) -> None:
    wanted = [f"reason_{name}" for name in (*HOLDING, *Caution, Disposition.SET_ASIDE)] + [f"book_{line}" for line in Disposition]
    assert [key for key in wanted if key not in CATALOGUES[language].texts] == []
