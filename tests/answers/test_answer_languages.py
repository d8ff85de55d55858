"""Every language says everything, and every template keeps the rules."""

import re
import string
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from answer_people import NOW, TEMPLATES, answer, body, campaign, entry, parsed, renderer

from mailflow.acknowledge import LANGUAGES
from mailflow.model.answer import AnswerKind
from mailflow.model.errors import BadConfig
from mailflow.render import load_catalogues
from mailflow.render.renderer import escapes

RENDER = renderer()
ENGLISH = tomllib.loads((TEMPLATES / "answers/languages/en.toml").read_text("utf-8"))
EVERY = sorted(LANGUAGES)
HTML_TEMPLATES = sorted(TEMPLATES.rglob("*.html.j2"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_languages_that_are_chosen_from_are_those_that_are_written() -> None:
    assert RENDER.languages == LANGUAGES


@pytest.mark.parametrize("language", EVERY)
def test_a_catalogue_is_complete_and_uses_the_same_figures(language: str) -> None:
    texts = tomllib.loads((TEMPLATES / f"answers/languages/{language}.toml").read_text("utf-8"))
    assert {key: fields(text) for key, text in texts.items()} == {key: fields(text) for key, text in ENGLISH.items()}
    assert all(text.strip() and "\n" not in text for text in texts.values())


@pytest.mark.parametrize("language", [one for one in EVERY if one != "en"])
def test_a_catalogue_is_not_left_in_english(language: str) -> None:
    texts = tomllib.loads((TEMPLATES / f"answers/languages/{language}.toml").read_text("utf-8"))
    same = {key for key, text in texts.items() if text == ENGLISH[key]} - {"opening_quote", "closing_quote", "list_separator"}
    assert same == set()


def test_every_sentence_is_said_somewhere() -> None:
    said = "".join(path.read_text("utf-8") for path in (TEMPLATES / "answers").rglob("*.j2"))
    late = {"statement": "statement_line", "notice_version": "notice_line", "list_separator": "line in lines"}
    assert [key for key in ENGLISH if not re.search(rf"\b(t\.{key}|{late.get(key, 'never')})\b", said)] == []


class Outline(HTMLParser):
    """Collects what matters for reading aloud and for not being followed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


@pytest.mark.parametrize("kind", list(AnswerKind))
@pytest.mark.parametrize("language", EVERY)
def test_every_answer_can_be_written_and_read_in_every_language(language: str, kind: AnswerKind) -> None:
    mail = RENDER.answer(answer(kind, language=language), campaign(), NOW)
    outline = Outline(body(mail, "html"))
    text = body(mail, "plain")
    assert parsed(mail)["Subject"] and "{" not in text + parsed(mail)["Subject"] and "None" not in text
    assert ("html", "lang", language) in outline.attributes
    assert ("html", "dir", "rtl" if language in ("ar", "fa") else "ltr") in outline.attributes
    assert outline.tags.count("title") == 1
    assert {"script", "img", "link", "a", "form", "iframe", "style"}.isdisjoint(outline.tags)
    assert not any(name in ("src", "href", "background", "srcset") or "url(" in (value or "") for _, name, value in outline.attributes)


@pytest.mark.parametrize("language", EVERY)
def test_the_country_is_named_in_the_language_of_the_answer(language: str) -> None:
    names = {"en": "New Zealand", "fr": "Nouvelle-Zélande", "de": "Neuseeland", "ar": "نيوزيلندا", "zh": "新西兰", "zh-Hant": "紐西蘭"}
    text = body(RENDER.answer(answer(language=language, entry=entry(country="NZ")), campaign(), NOW), "plain")
    assert names.get(language, "Aveiro") in text and "NZ" not in text


def test_an_unknown_country_code_stays_a_code() -> None:
    assert "Aveiro, QQ" in body(RENDER.answer(answer(entry=entry(country="QQ")), campaign(), NOW), "plain")


def test_an_english_name_in_an_arabic_answer_is_isolated() -> None:
    text = body(RENDER.answer(answer(language="ar"), campaign(), NOW), "plain")
    assert "\u2068Ana Duarte\u2069" in text and "«\u2068Keep the Heron Marsh Wet\u2069»" in text


def test_an_arabic_name_in_an_english_answer_is_isolated_and_a_bidi_override_is_gone() -> None:
    text = body(RENDER.answer(answer(entry=entry(name="\u202eسلمى\u202c")), campaign(), NOW), "plain")
    assert "    \u2068سلمى\u2069\n" in text


def test_an_answer_in_a_language_we_lack_is_english() -> None:
    assert "Thank you." in body(RENDER.answer(answer(language="tlh"), campaign(), NOW), "plain")


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("answers/counted/body.html.j2", True), ("answers/counted/body.txt.j2", False), ("x.html", False), (None, True)],
)
def test_html_templates_are_escaped(name: str | None, escaped: bool) -> None:
    assert escapes(name) is escaped


@pytest.mark.parametrize("path", HTML_TEMPLATES, ids=[str(path.relative_to(TEMPLATES)) for path in HTML_TEMPLATES])
def test_an_html_template_never_turns_escaping_off_and_fetches_nothing(path: Path) -> None:
    source = path.read_text("utf-8")
    is_page = path.parent.name == "list"  # a page may bring its style along; mail programs take it out of a mail
    style = "" if is_page else "|<style"
    assert not re.search(rf"\|\s*safe|autoescape|Markup|https?:|\bsrc=|\bhref=|url\(|<script{style}|\bt\(|\bt\.", source)
    assert "<html" not in source or is_page or re.search(r'<html lang="\{\{ language \}\}" dir="\{\{ direction \}\}">', source)
    assert not re.search(r"=\s*\{\{|=\s*'", source), "an attribute without double quotes"


def test_every_template_says_in_its_name_whether_it_is_html() -> None:
    assert HTML_TEMPLATES
    assert [path for path in TEMPLATES.rglob("*.j2") if not path.name.endswith((".txt.j2", ".html.j2"))] == []


@pytest.mark.parametrize(
    ("other", "complaint"), [('a = "x"\n', "lacks b"), ("a = 1\nb = 2\n", "sentence"), ("a = ", "TOML")], ids=["short", "numbers", "broken"]
)
def test_a_broken_catalogue_is_bad_config_that_names_the_file(tmp_path: Path, other: str, complaint: str) -> None:
    (tmp_path / "en.toml").write_text('a = "x"\nb = "y"\n')
    (tmp_path / "fr.toml").write_text(other)
    with pytest.raises(BadConfig, match=f"fr.toml.*{complaint}"):
        load_catalogues(tmp_path)
