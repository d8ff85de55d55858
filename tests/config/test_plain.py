"""A statement as people quote it."""

from datetime import date
from pathlib import Path

import pytest

from mailflow.config.campaign import Author, Statement
from mailflow.config.load import load_campaign
from mailflow.config.plain import plain, statement_text, written_dates

TAMAR = Path(__file__).parents[2] / "config/campaigns/tamar-delta.toml"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# Keep it *wild* #", "Keep it wild"),
        ("**We** ask _you_ and __them__.", "We ask you and them."),
        ('See [the plan](https://plan.example/a "Plan").', "See the plan."),
        ("See [the plan][1].", "See the plan."),
        ("![A map](map.png)", "A map"),
        ("Write to <endorse@heath.example>.", "Write to endorse@heath.example."),
        ("At <https://plan.example/a>.", "At https://plan.example/a."),
        ("a<br>b<span>c</span>", "a\nbc"),
        ("`code` and ``more ` code``", "code and more ` code"),
        ("one\ntwo\n\nthree", "one two\n\nthree"),
        ("one  \ntwo\\\nthree", "one\ntwo\nthree"),
        ("> quoted\n> on", "quoted on"),
        ("- reed\n- mud\n  and more", "reed\nmud and more"),
        ("We ask:\n1. this;\n2. that.", "We ask:\n1. this;\n2. that."),
        ("a\n\n***\n\nb", "a\n\nb"),
        ("Title\n=====\ntext", "Title\n\ntext"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("\\*not\\* \\_this\\_", "*not* _this_"),
        ("Fish &amp; reed", "Fish & reed"),
        ("```\n*kept*\n```", "*kept*"),
        ("", ""),
    ],
)
def test_markdown_loses_its_marks(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@pytest.mark.parametrize(
    ("language", "dates"),
    [
        ("en", ["1 September 2026", "September 1, 2026"]),
        ("fr", ["1 septembre 2026"]),
        ("de-AT", ["1. September 2026"]),
        ("zh-Hant", ["2026年9月1日"]),
        ("tlh", ["2026-09-01"]),
    ],
)
def test_the_date_is_written_as_in_the_language(language: str, dates: list[str]) -> None:
    assert written_dates(date(2026, 9, 1), language) == dates


@pytest.mark.parametrize(
    ("body", "order"),
    [("Before.\n\n{demands}\n\nAfter.", ["Before.", "1. this;", "After."]), ("Before.\n\nAfter.", ["Before.", "After.", "1. this;"])],
    ids=["marked", "unmarked"],
)
def test_the_demands_stand_where_the_body_says(body: str, order: list[str]) -> None:
    statement = Statement(
        language="en",
        title="T",
        date=date(2026, 9, 1),
        body=body,
        demands=["**this;**", "that."],
        authors=[Author(name="Ann"), Author(name="Ben")],
    )
    lines = statement_text(statement).splitlines()
    assert [line for line in lines if line in order] == order
    assert lines[0] == "T"
    assert "2. that." in lines
    assert "Ann, Ben" in lines


@pytest.mark.parametrize("statement", load_campaign(TAMAR).statements, ids=lambda statement: statement.language)
def test_the_bundled_statements_keep_no_mark(statement: Statement) -> None:
    text = statement_text(statement)
    assert not any(mark in text for mark in ("*", "#", "{", "  "))
    assert [line[:2] for line in text.splitlines() if line[:1].isdigit() and line[1] == "."][:4] == ["1.", "2.", "3.", "4."]
    assert ("، " if statement.language == "ar" else ", ") in text
