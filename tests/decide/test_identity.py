"""One person, one identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.decide import identity

SAME = {
    "case": ("Ann@foo.example", "ann@foo.example"),
    "plus tag": ("ann+letter@foo.example", "ann@foo.example"),
    "google dots": ("a.n.n@gmail.com", "ann@gmail.com"),
    "google's other name": ("ann@googlemail.com", "ann@gmail.com"),
    "google all at once": ("A.nn+x@googlemail.com", "ann@gmail.com"),
    "sharp s": ("STRASSE@foo.example", "straße@foo.example"),
}


@pytest.mark.case(60)
@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_variants_of_one_address_are_one_person(pair: tuple[str, str]) -> None:
    assert identity(pair[0]) == identity(pair[1])


DIFFERENT = {
    "dots matter elsewhere": ("a.nn@foo.example", "ann@foo.example"),
    "domains are never merged": ("ann@foo.example", "ann@bar.example"),
    "only a tag": ("+x@foo.example", "@foo.example"),
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_different_people_stay_different(pair: tuple[str, str]) -> None:
    assert identity(pair[0]) != identity(pair[1])


LOCALS = st.text(st.characters(codec="utf-8", exclude_characters="@\0"), min_size=1, max_size=30)
DOMAINS = st.sampled_from(["foo.example", "gmail.com", "googlemail.com", "xn--bcher-kva.example"])


@given(LOCALS, DOMAINS)
def test_identity_is_idempotent(local: str, domain: str) -> None:
    once = identity(f"{local}@{domain}")
    assert identity(once) == once


@given(LOCALS, LOCALS)
def test_identity_never_merges_different_domains(one: str, two: str) -> None:
    assert identity(f"{one}@foo.example") != identity(f"{two}@bar.example")
