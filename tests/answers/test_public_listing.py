"""The public list: who is on it, what of them, in which order, and that spreadsheets stay calm."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from answer_people import NOW, campaign, entry
from hypothesis import given
from hypothesis import strategies as st

from mailflow.listing import COLUMNS, Listing, guard, public_entries, to_csv, to_json, to_rows, unwrapped
from mailflow.model.endorsement import Entry, EntryState

FORMATS: list[Callable[[Listing], object]] = [to_json, to_csv, to_rows]


def listed(entries: Iterable[Entry], **changes: Any) -> Listing:
    return public_entries(entries, campaign(**changes))


def names(entries: Iterable[Entry], **changes: Any) -> list[str]:
    return [one.name for one in listed(entries, **changes).entries]


@pytest.mark.parametrize("rule", ["named", "ask"])
@pytest.mark.parametrize("wish", [True, False])
def test_the_wish_of_the_person_decides(rule: str, wish: bool) -> None:
    assert names([entry(named=wish)], listing=rule) == (["Ana Duarte"] if wish else [])


def test_where_only_the_count_is_public_nobody_is_named() -> None:
    found = listed([entry()], listing="count")
    assert (found.total, found.named, found.unnamed, found.entries) == (1, 0, 1, ())


@pytest.mark.parametrize("hidden", [entry(state=EntryState.WITHDRAWN), entry(published=False)], ids=["withdrawn", "not reviewed"])
def test_who_is_not_live_or_not_reviewed_is_not_there_at_all(hidden: Entry) -> None:
    assert listed([hidden]) == listed([])


@pytest.mark.parametrize(("words_shown", "show_words", "shown"), [(True, True, True), (False, True, False), (True, False, False)])
def test_words_need_the_person_and_the_campaign(words_shown: bool, show_words: bool, shown: bool) -> None:
    found = listed([entry(words_shown=words_shown)], show_words=show_words).entries[0]
    assert found.words == ("I learned to row there.\n\nKeep it wet." if shown else "")


def test_an_entry_without_a_name_is_counted_only() -> None:
    found = listed([entry(name=" \u200b")])
    assert (found.total, found.named) == (1, 0)


PEOPLE = ["Zoë Ash", "zoe Birch", "Ångström Elm", "Adam Fir", "Øystein Oak", "Омела Дуб", "Ελένη Πεύκη", "سلمى أرز", "山田太郎", "金"]
PEOPLE += ["Łucja Lipa"]


def test_the_order_is_that_of_the_alphabets_one_after_the_other() -> None:
    people = [entry(id=n, name=name) for n, name in enumerate(PEOPLE)]
    expected = ["Adam Fir", "Ångström Elm", "Łucja Lipa", "Øystein Oak", "Zoë Ash", "zoe Birch"]
    assert names(people)[:6] == expected
    assert names(people)[6:9] == ["Ελένη Πεύκη", "Омела Дуб", "سلمى أرز"] and set(names(people)[9:]) == {"山田太郎", "金"}


@pytest.mark.case(133)
@given(order=st.permutations(range(8)), seed=st.integers())
def test_the_order_tells_nothing_of_the_time_of_arrival(order: list[int], seed: int) -> None:
    drawn = random.Random(seed)
    people = [entry(name=drawn.choice(["Ana", "ana", "Áná", "Bo"]), place=drawn.choice("AB"), words=drawn.choice("xy")) for _ in range(8)]
    first = [replace(one, id=n) for n, one in enumerate(people)]
    second = [replace(people[n], id=at, changed_at=NOW + timedelta(days=at)) for at, n in enumerate(order)]
    assert [form(listed(first)) for form in FORMATS] == [form(listed(second)) for form in FORMATS]


@pytest.mark.case(133)
@pytest.mark.parametrize("form", FORMATS)
def test_an_unnamed_person_leaves_no_trace_but_the_count(form: Callable[[Listing], object]) -> None:
    told = dict.fromkeys(("name", "title", "affiliation", "place", "organisation", "words"), "Canary Quill")
    secret = entry(id=991, country="TV", named=False, **told)
    text = str(form(listed([entry(), secret])))
    assert "anary" not in text and "TV" not in text and "991" not in text
    rows = to_rows(listed([entry(), secret]))
    assert len(rows) == 2 and to_csv(listed([entry(), secret])) == to_csv(listed([entry()]))


@pytest.mark.case(134)
@pytest.mark.parametrize("form", FORMATS)
def test_no_address_hash_number_or_time_is_public(form: Callable[[Listing], object]) -> None:
    canary = entry(id=987654, identity="canary1@x.example", address="canary2@x.example", statement_hash="abcdef99", version=4321)
    text = str(form(listed([canary])))
    assert not any(word in text for word in ("canary", "@", "abcdef99", "987654", "4321", "2026", "08:30"))


def test_countries_are_counted_largest_first() -> None:
    found = listed([entry(country=code) for code in ("PT", "DE", "de", None, "PT", "PT")])
    assert (found.by_country, found.elsewhere) == ((("PT", 3), ("DE", 2)), 1)


@pytest.mark.parametrize(("hidden", "shown"), [(4, ()), (5, (("TV", 5),))])
def test_a_few_unnamed_people_of_a_country_are_not_told_apart(hidden: int, shown: tuple[tuple[str, int], ...]) -> None:
    found = listed([entry(id=n, named=False, country="TV") for n in range(hidden)])
    assert (found.total, found.by_country, found.elsewhere) == (hidden, shown, hidden if not shown else 0)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["PT", "TV", None]))))
def test_the_counts_add_up(people: list[tuple[bool, str | None]]) -> None:
    found = listed(entry(id=n, named=named, country=country) for n, (named, country) in enumerate(people))
    assert found.total == found.named + found.unnamed == len(people) == sum(count for _, count in found.by_country) + found.elsewhere
    assert len(found.entries) == found.named


def test_json_has_this_shape() -> None:
    assert json.loads(to_json(listed([entry()]))) == {
        "campaign": "heron-marsh",
        "name": "Keep the Heron Marsh Wet",
        "total": 1,
        "named": 1,
        "unnamed": 0,
        "by_country": {"PT": 1},
        "elsewhere": 0,
        "signers": [
            {
                "name": "Ana Duarte",
                "title": "Dr",
                "affiliation": "Institute of Reeds",
                "place": "Aveiro",
                "country": "PT",
                "organisation": "",
                "words": "I learned to row there.\n\nKeep it wet.",
            }
        ],
    }


def test_a_table_has_one_line_a_cell() -> None:
    rows = to_rows(listed([entry(name="A\u202eb\nc")]))
    assert rows[0] == COLUMNS and rows[1][0] == "Ab c" and rows[1][-1] == "I learned to row there. Keep it wet."


FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    " =1",
    "\u00a0=1",
    "\u3000＝1",
    '"=1',
    "';=1",
    ";=1",
    ",=1",
    '=HYPERLINK("http://x.example")',
    "﹢1",
]


@pytest.mark.case(135)
@pytest.mark.parametrize("value", FORMULAS, ids=[ascii(value) for value in FORMULAS])
def test_no_cell_of_the_csv_is_a_formula(value: str) -> None:
    assert guard(value) == "'" + value.replace("\0", "")
    found = listed([entry(name=value, title=value, affiliation=value, place=value, organisation=value, words=value)])
    text = to_csv(found)
    row = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert len(row) == len(COLUMNS) and "\0" not in text
    assert all(cell.startswith("'") for cell in row if cell.strip("\t\r\n ").lstrip("';,\"")[:1] in tuple("=+-@＝＋－＠﹢"))
    assert text.count('"') % 2 == 0


@pytest.mark.parametrize("value", ["Ana", "O'Brien", "a=b", "3-4", "", "x@y", "'Ana'", "عمر", "1+1"])
def test_ordinary_cells_stay_as_they_are(value: str) -> None:
    assert guard(value) == value


@pytest.mark.case(135)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_a_csv_comes_back_as_the_list_with_the_guards_on(values: list[str]) -> None:
    found = listed([entry(id=n, name=f"x{n}", words=value) for n, value in enumerate(values)])
    rows = list(csv.reader(io.StringIO(to_csv(found), newline="")))
    assert rows[0] == list(COLUMNS)
    assert [row[-1] for row in rows[1:]] == [guard(one.words) for one in found.entries]


UNWRAPPED = {
    "a paragraph that a program broke": ("I have brought ships up the East Arm for nineteen years and I\ncan tell you.", "I have brought ships up the East Arm for nineteen years and I can tell you."),
    "a verse": ("The reed bends,\nthe river stays.", "The reed bends,\nthe river stays."),
    "paragraphs": ("One.\n\nTwo.", "One.\n\nTwo."),
    "Japanese": ("公開書簡に賛同いたします。私は干潟の近くで民宿を営んでおります。潮の音で\n目が覚める", "公開書簡に賛同いたします。私は干潟の近くで民宿を営んでおります。潮の音で目が覚める"),
    "nothing": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", UNWRAPPED.values(), ids=UNWRAPPED)
def test_lines_that_a_program_broke_are_joined_and_those_of_a_verse_are_not(case: tuple[str, str]) -> None:
    written, shown = case
    assert unwrapped(written) == shown
