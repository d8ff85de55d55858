"""MIME as it comes: broken multiparts, signed and encrypted mail, reports."""

import base64

import pytest

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.letter import Letter
from mailflow.parse.take_apart import take_apart
from mailflow.parse.transfer import decoded

HEAD = b"From: ana@delta.example\r\nTo: list@delta.example\r\nSubject: yes\r\n"


def read(rest: bytes) -> Letter:
    return take_apart(HEAD + rest, ReadingContext(), LimitSettings())


def single(type_: str, body: bytes, encoding: str = "8bit") -> Letter:
    return read(f"Content-Type: {type_}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body)


def multi(kind: str, *parts: bytes, more: str = "") -> Letter:
    body = b"".join(b"\r\n--b\r\n" + part for part in parts)
    return read(f'Content-Type: multipart/{kind}; boundary="b"{more}\r\n\r\n'.encode() + body + b"\r\n--b--\r\n")


def part(type_: str, text: str, more: str = "") -> bytes:
    return f"Content-Type: {type_}; charset=utf-8\r\n{more}\r\n{text}".encode()


ENCODED = "Grüße".encode()
TRANSFER = [
    pytest.param("base64", base64.encodebytes(ENCODED * 40), "Grüße" * 40, (), id="base64"),
    pytest.param("BASE64", base64.b64encode(ENCODED).rstrip(b"="), "Grüße", (), id="no padding"),
    pytest.param("base64", base64.b64encode(ENCODED) + b"!?", "Grüße", ("base64_damaged",), id="strange letters"),
    pytest.param("base64", base64.b64encode(b"I endorse it")[:-3], "I endorse", (), id="cut off"),
    pytest.param("base64", b"I endorse your letter, all of it.", "I endorse your letter, all of it.", ("base64_was_not",), id="no base64 at all"),
    pytest.param("base64", base64.b64encode(b"I endorse this") + b"\r\n\r\n_____________\r\nA list of friends, at lists.example", "I endorse this", ("base64_damaged",), id="a plain footer behind"),
    pytest.param("quoted-printable", b"Gr=C3=BC=C3=9Fe=\r\n, =", "Grüße,", (), id="quoted-printable"),
    pytest.param("quoted-printable", b"100=% =ZZ", "100=% =ZZ", (), id="bad quoted-printable"),
    pytest.param("x-unknown", b"I endorse", "I endorse", ("unknown_transfer_encoding",), id="unknown"),
    pytest.param("x-uuencode", b"begin 644 x\r\n#9F]O\r\n`\r\nend\r\n", "foo", (), id="uuencode"),
    pytest.param("x-uuencode", b"foo", "foo", ("uuencode_damaged",), id="uuencode without begin"),
    pytest.param("7bit", "Grüße".encode(), "Grüße", (), id="7bit that is not"),
]  # fmt: skip


@pytest.mark.case(70)
@pytest.mark.parametrize(("encoding", "body", "text", "defects"), TRANSFER)
def test_a_transfer_encoding_is_undone_damaged_or_not(encoding: str, body: bytes, text: str, defects: tuple[str, ...]) -> None:
    letter = single("text/plain; charset=utf-8", body, encoding)
    assert (letter.reply, letter.defects) == (text, defects)


@pytest.mark.case(70)
def test_base64_in_one_line_of_a_megabyte_is_decoded() -> None:
    assert decoded(base64.b64encode(b"x" * 750_000), "base64") == (b"x" * 750_000, None)


@pytest.mark.case(70)
def test_what_is_encoded_twice_is_decoded_once() -> None:
    assert single("text/plain", base64.b64encode(base64.b64encode(b"secret")), "base64").reply == "c2VjcmV0"


BOUNDARIES = [
    pytest.param(b'multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nI endorse.', "I endorse.", id="no end"),
    pytest.param(b"multipart/mixed\r\n\r\n--b\r\n\r\nI endorse.\r\n--b--", "--b\n\nI endorse.\n--b--", id="no boundary"),
    pytest.param(b'multipart/mixed; boundary="b"\r\n\r\nI endorse.', "I endorse.", id="never used"),
    pytest.param(b'multipart/mixed; boundary=""\r\n\r\nI endorse.', "I endorse.", id="empty"),
    pytest.param(b'multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nI endorse.\r\n--bb\r\nstill text\r\n--b--', "I endorse.\n--bb\nstill text", id="prefix of another"),
    pytest.param(b"multipart/mixed; boundary=" + b"b" * 2048 + b"\r\n\r\n--" + b"b" * 2048 + b"\r\n\r\nI endorse.\r\n--" + b"b" * 2048 + b"--", "I endorse.", id="2 KiB"),
    pytest.param(b'multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nI endorse.\r\n--b--\r\n--b--', "I endorse.", id="nested, the same"),
    pytest.param(b'multipart/mixed; boundary="b"\r\n\r\nnot this: I decline\r\n--b\r\n\r\nI endorse.\r\n--b--\r\nnor this', "I endorse.", id="preamble and epilogue"),
]  # fmt: skip


@pytest.mark.case(68)
@pytest.mark.parametrize(("rest", "text"), BOUNDARIES)
def test_boundaries_play_no_tricks(rest: bytes, text: str) -> None:
    assert read(b"Content-Type: " + rest).reply == text


KINDS = [
    pytest.param("application/pdf", 1, False, id="PDF only"),
    pytest.param("image/png", 1, False, id="image only"),
    pytest.param("application/ms-tnef", 1, False, id="TNEF"),
    pytest.param("text/calendar; method=REPLY", 1, False, id="calendar"),
    pytest.param("application/pkcs7-mime; smime-type=enveloped-data", 1, True, id="S/MIME encrypted"),
    pytest.param("application/pkcs7-mime; smime-type=signed-data", 1, False, id="S/MIME opaque signature"),
    pytest.param("text/plain", 0, False, id="empty text"),
    pytest.param("text/html", 0, False, id="empty HTML"),
]


@pytest.mark.case(72)
@pytest.mark.parametrize(("kind", "attachments", "encrypted"), KINDS)
def test_a_mail_without_readable_text_says_what_it_is(kind: str, attachments: int, encrypted: bool) -> None:
    letter = single(kind, b"")
    assert (letter.reply, letter.attachments, letter.encrypted, letter.content_types) == (
        "",
        attachments,
        encrypted,
        (kind.partition(";")[0],),
    )


@pytest.mark.case(72)
def test_pgp_mime_is_encrypted_and_nothing_of_it_is_read() -> None:
    letter = multi(
        "encrypted", b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", b"Content-Type: application/octet-stream\r\n\r\nxxxx"
    )
    assert (letter.encrypted, letter.reply, letter.attachments) == (True, "", 2)


@pytest.mark.case(72)
def test_armoured_pgp_in_a_text_is_encrypted() -> None:
    assert single("text/plain", b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----").encrypted


@pytest.mark.case(72)
def test_of_a_signed_mail_the_signed_part_is_read_and_nothing_beside_it() -> None:
    letter = multi("signed", part("text/plain", "I endorse."), part("text/plain", "I decline."), part("application/pgp-signature", "x"))
    assert (letter.reply, letter.attachments, letter.content_types[-1]) == ("I endorse.", 0, "application/pgp-signature")


@pytest.mark.case(72)
def test_an_inline_signature_leaves_the_text() -> None:
    raw = b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nI endorse.\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\niQEz\r\n-----END PGP SIGNATURE-----\r\n"
    assert single("text/plain", raw).reply == "I endorse."


@pytest.mark.case(73)
@pytest.mark.parametrize("name", ["../../etc/passwd", "a\0b", "\u202egpj.exe", "a" * 10_000, "a\r\nX: y", "%00"])
def test_an_attachment_is_counted_and_its_name_never_used(name: str) -> None:
    letter = multi(
        "mixed",
        part("text/plain", "I endorse."),
        f'Content-Type: application/zip\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\nPK'.encode(),
    )
    told = f"{letter.body}{letter.content_types}{letter.defects}{letter.headers}"
    assert (letter.unreadable or letter.attachments == 1) and name[:20] not in told


@pytest.mark.case(79)
def test_a_zip_is_not_unpacked() -> None:
    letter = multi("mixed", part("text/plain", "I endorse."), b"Content-Type: application/zip\r\n\r\nPK\x03\x04" + b"\0" * 100_000)
    assert (letter.reply, letter.attachments) == ("I endorse.", 1)


def test_a_text_that_is_attached_is_not_the_letter() -> None:
    letter = multi(
        "mixed", part("text/plain", "See the attachment."), part("text/plain", "I endorse.", "Content-Disposition: attachment\r\n")
    )
    assert (letter.reply, letter.attachments) == ("See the attachment.", 1)


def test_texts_side_by_side_are_joined() -> None:
    assert multi("mixed", part("text/plain", "one"), part("text/plain", "two")).reply == "one\n\ntwo"


def test_a_mail_inside_a_mail_goes_to_returned_and_is_not_the_letter() -> None:
    letter = multi("mixed", part("text/plain", "See below."), b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nI endorse.")
    assert (letter.reply, letter.attachments, letter.returned) == ("See below.", 0, ("Subject: x\n\nI endorse.",))


def test_a_delivery_report_is_kept_as_text() -> None:
    status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; a@x.example\r\nAction: failed\r\n"
    headers = b"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@x>\r\n"
    letter = multi("report", part("text/plain", "It failed."), status, headers, more="; report-type=delivery-status")
    assert "Final-Recipient: rfc822; a@x.example" in letter.reports[0] and letter.returned == ("Message-ID: <a@x>\n",)


@pytest.mark.case(64)
def test_a_cyclic_looking_nest_of_broken_mails_ends() -> None:
    letter = multi("mixed", *[b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n--b"] * 5)
    assert letter.unreadable or letter.returned


FLOWED = [
    pytest.param("I endorse \r\nyour letter.\r\n\r\nAna", "format=flowed", "I endorse your letter.\n\nAna", id="joined"),
    pytest.param("I endorse \r\nyour letter.", "format=flowed; delsp=yes", "I endorseyour letter.", id="DelSp"),
    pytest.param(" From here\r\n > mine", "format=flowed", "From here", id="space-stuffed"),
    pytest.param("> one \r\n> two\r\nmine", "format=flowed", "mine", id="quote"),
    pytest.param("I endorse. \r\n-- \r\nAna", "format=flowed", "I endorse.", id="signature"),
    pytest.param("I endorse \r\nyour letter.", "format=fixed", "I endorse\nyour letter.", id="not flowed"),
]


@pytest.mark.parametrize(("text", "parameters", "reply"), FLOWED)
def test_flowed_text_is_joined(text: str, parameters: str, reply: str) -> None:
    assert single(f"text/plain; charset=utf-8; {parameters}", text.encode()).reply == reply


def test_no_content_type_is_plain_text() -> None:
    assert read(b"\r\nI endorse.").reply == "I endorse."


@pytest.mark.parametrize("value", ["", "text", ";", "a" * 8000, "(x) multipart/mixed", "text/plain; charset", '"'])
def test_a_content_type_that_is_none_is_plain_text(value: str) -> None:
    assert single(value, b"I endorse.").reply == "I endorse."


def test_controls_and_nuls_are_left_out_of_the_text() -> None:
    assert single("text/plain", b"I\0 end\x08or\x1bse\x7f.\tNow\x0cthen").reply == "I endorse.\tNow\nthen"


def test_a_zero_width_non_joiner_is_part_of_a_word() -> None:
    assert single("text/plain; charset=utf-8", "می\u200cکنم".encode()).reply == "می\u200cکنم"
