"""Who endorses, and for which organisation."""

import pytest
from letters import read_body


@pytest.mark.parametrize(
    ("author", "body", "name"),
    [
        ("Maite Orbegozo", "Firmo. Maite Orbegozo Lasarte, bibliotecaria, Getaria.", "Maite Orbegozo Lasarte"),
        ("ann.lee", "I endorse the letter.\n\nAnn Lee", "Ann Lee"),
        ("Ann Lee (Rivermail)", "I endorse the letter.", "Ann Lee"),
        ("ann lee", "I endorse the letter.", "Ann Lee"),
        ("Dr. Ann Lee", "I endorse the letter.", "Ann Lee"),
        ("A. Lee", "I endorse the letter.\n\n-- \nAnn Margaret Lee\nBotanist", "Ann Margaret Lee"),
        ("Ann Lee", "I endorse the letter.\n\nRegards,\nA.L.", "Ann Lee"),
        ("Bob", "My name is Robert Bobson and I endorse the letter.", "Robert Bobson"),
    ],
)
def test_the_senders_own_and_fullest_form_wins(author: str, body: str, name: str) -> None:
    assert [signer.name for signer in read_body(body, author, address="a.lee@x.example").signers] == [name]


def test_nobody_is_named_where_no_name_stands() -> None:
    assert read_body("I endorse the letter.", "", address="heron71@x.example").signers == ()


def test_telephone_street_and_slogan_of_a_signature_are_left_out() -> None:
    body = 'I endorse the letter.\n\n-- \nPeter Hallam, surveyor (retired)\n3 Slipway Row, Porthmellin, Cornwall, UK\nTel. +44 1632 960 417\nwww.hallam.example\n"Measure it again."'
    signer = read_body(body, "P. Hallam").signers[0]
    assert (signer.name, signer.title, signer.affiliation, signer.place, signer.country) == (
        "Peter Hallam",
        "surveyor (retired)",
        None,
        "Porthmellin, Cornwall",
        "GB",
    )


@pytest.mark.parametrize(
    "body",
    [
        "I endorse the letter as a private individual.\n\nAnn Lee\nClerk, Marsh Council",
        "I endorse it. Please don't mention my employer.\n\nRegards,\nAnn Lee\nClerk, Marsh Council",
    ],
)
def test_an_affiliation_is_left_out_where_the_sender_asks(body: str) -> None:
    signer = read_body(body, "Ann Lee").signers[0]
    assert (signer.title, signer.affiliation) == ("Clerk", None)


@pytest.mark.parametrize(
    ("body", "organisation"),
    [
        (
            "At its meeting the committee of the Guild of Reed Cutters resolved unanimously to endorse the letter.\n\nYours faithfully\nAnn Lee\nChair, Guild of Reed Cutters",
            "Guild of Reed Cutters",
        ),
        ("Our board voted to sign the letter.\n\nRegards,\nAnn Lee\nSecretary\nMarsh Trust", "Marsh Trust"),
        (
            "Im Namen des Vereins Wattfreunde unterstütze ich den Brief.\n\nMit freundlichen Grüßen\nAnn Lee\nVorsitzende\nVerein Wattfreunde",
            "Verein Wattfreunde",
        ),
        ("I endorse the letter.\n\nRegards,\nAnn Lee\nSecretary, Marsh Trust", None),
    ],
)
def test_an_organisation_endorses_only_where_the_mail_says_so(body: str, organisation: str | None) -> None:
    assert read_body(body, "Ann Lee").organisation == organisation
