"""Which campaign an address means: exact ones first, then the nearest, and never a guess between two."""

import pytest

from mailflow.decide.addressee import Route, is_near, route

OURS = {
    "endorse@delta.example": "delta",
    "sign@delta.example": "delta",
    "endorse@heath.example": "heath",
    "endorsement-north@moor.example": "north",
    "endorsement-south@moor.example": "south",
    "list-a@dike.example": "a",
    "list-b@dike.example": "b",
}


@pytest.mark.parametrize(
    ("address", "campaign"),
    [
        ("endorse@delta.example", "delta"),
        ("Endorse+Spring@delta.example", "delta"),
        ("endorse@heath.example", "heath"),
        ("list-a@dike.example", "a"),
    ],
)
def test_an_address_of_ours_is_found_whatever_its_case_and_tag(address: str, campaign: str) -> None:
    assert route([address], OURS) == Route(campaign)


@pytest.mark.parametrize(
    ("address", "campaign"),
    [
        ("endorce@delta.example", "delta"),
        ("endrose@delta.example", "delta"),
        ("endors@delta.example", "delta"),
        ("endorsee@delta.example", "delta"),
        ("endorsment-nort@moor.example", "north"),
        ("endorcement-south+x@moor.example", "south"),
    ],
    ids=["letter changed", "letters swapped", "letter left out", "letter added", "two slips in a long name", "slip and tag"],
)
def test_a_slip_of_the_hand_is_forgiven(address: str, campaign: str) -> None:
    assert route([address], OURS) == Route(campaign, near=True)


@pytest.mark.parametrize(
    "address",
    [
        "info@delta.example",
        "endorse@delta2.example",
        "sigm@delta.example",
        "enddorsse@delta.example",
        "",
        "no address",
        "@delta.example",
        "\u0435ndorse@delta.example",
    ],
    ids=[
        "another word",
        "another domain",
        "too short to be sure",
        "two slips in a short name",
        "empty",
        "none",
        "no local part",
        "a look-alike letter",
    ],
)
def test_anything_else_is_nobody_here(address: str) -> None:
    assert route([address], OURS) == Route()


def test_an_address_between_two_campaigns_is_no_ones_but_not_lost() -> None:
    found = route(["list-c@dike.example"], OURS)
    assert (found.campaign, found.torn, found.found) == (None, True, True)


def test_an_exact_address_goes_before_a_near_one_that_stands_first() -> None:
    assert route(["endorce@delta.example", "endorse@heath.example"], OURS) == Route("heath")


def test_a_mistyped_address_counts_as_addressed() -> None:
    assert is_near("endorce@delta.example", ["endorse@delta.example"])
    assert not is_near("press@delta.example", ["endorse@delta.example"])
