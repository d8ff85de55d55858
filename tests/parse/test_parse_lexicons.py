"""Every language's file is complete, and the phrases say what they say."""

import tomllib

import pytest

from mailflow.parse.fold import fold
from mailflow.parse.knowledge import lexicon_texts
from mailflow.parse.lexicon import ENTRIES, PHRASES, Lexicon
from mailflow.parse.phrasebook import PhraseBook
from mailflow.parse.phrases import compile_phrases

TEXTS = lexicon_texts()


@pytest.mark.parametrize("tag", sorted(TEXTS))
def test_a_lexicon_has_each_entry_and_none_is_empty(tag: str) -> None:
    data = tomllib.loads(TEXTS[tag])
    assert set(ENTRIES) <= set(data) <= {*ENTRIES, "negates_after", "unspaced", "blocks"}
    assert [entry for entry in ENTRIES if not str(data[entry]).strip()] == []


@pytest.mark.parametrize("tag", sorted(TEXTS))
def test_a_lexicon_compiles_alone(tag: str) -> None:
    lexicon = Lexicon.from_texts({tag: TEXTS[tag]})
    assert set(lexicon.tongues) == {tag}


def test_there_are_two_dozen_languages_and_more() -> None:
    assert len(TEXTS) >= 30


@pytest.mark.parametrize("missing", ["endorse", "label_name", "countries"])
def test_a_missing_entry_is_an_error(missing: str) -> None:
    text = "\n".join(line for line in TEXTS["sk"].split("\n") if not line.startswith(f"{missing} ="))
    with pytest.raises(KeyError):
        Lexicon.from_texts({"sk": text})


@pytest.mark.parametrize("pattern", [".. name", "(a|..) name", "ab* name"])
def test_a_phrase_begins_with_a_word(pattern: str) -> None:
    with pytest.raises(ValueError, match="no phrase may begin"):
        compile_phrases(pattern, "endorse", "en")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("count me in", "Please, count me in!", True), ("count me in", "count them in", False), ("add .. name", "add to it my name", True), ("add .. name", "add a b c d e name", False), ("support*", "supporting", True),
        ("supporter*", "supporters", True), ("i (gladly|) sign", "I sign", True), ("i (gladly|) sign", "I gladly sign", True), ("i (gladly|) sign", "I badly sign", False), ("(une|deux)* mots", "deuxième mots", True), ("firmo", "FIRMÓ", True),
    ],
)  # fmt: skip
def test_a_phrase_finds_what_it_says(pattern: str, text: str, found: bool) -> None:
    book = PhraseBook(compile_phrases(pattern, "endorse", "en"), frozenset())
    assert book.scan([text]).has("endorse") is found


@pytest.mark.parametrize("text", ["İSTANBUL", "Œuvre", "Straße", "ΌΣΟΣ", "می‌کنم", "résumé", "ÅRHUS", "한국어", "が"])
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_every_concern_is_known_in_every_language() -> None:
    for tag, text in TEXTS.items():
        data = tomllib.loads(text)
        assert all(compile_phrases(data[concern], concern, tag) for concern in PHRASES), tag
