"""Charsets that lie, or are none."""

from encodings.aliases import aliases

import pytest

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ReadingContext
from mailflow.parse.letter import Letter
from mailflow.parse.take_apart import take_apart

HEAD = b"From: ana@delta.example\r\nTo: list@delta.example\r\nSubject: yes\r\n"


def read(rest: bytes) -> Letter:
    return take_apart(HEAD + rest, ReadingContext(), LimitSettings())


def single(type_: str, body: bytes, encoding: str = "8bit") -> Letter:
    return read(f"Content-Type: {type_}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body)


CHARSETS = [
    ("utf-8", "utf-8", "Grüße, 我支持"), ("us-ascii that is UTF-8", "us-ascii", "Grüße"), ("Latin-1 that is UTF-8", "iso-8859-1", "Grüße"),
    ("none", "", "Grüße"), ("unknown", "x-nope", "Grüße"), ("NUL in the name", "a\0b", "Grüße"), ("a lie in quotes", '"ISO-8859-1"', "Grüße"),
]  # fmt: skip


@pytest.mark.case(69)
@pytest.mark.parametrize(("charset", "text"), [row[1:] for row in CHARSETS], ids=[row[0] for row in CHARSETS])
def test_valid_utf8_is_read_as_such_whatever_was_declared(charset: str, text: str) -> None:
    assert single(f"text/plain; charset={charset}", text.encode()).reply == text


LEGACY = [
    ("iso-8859-1", "cp1252", "Ich unterstütze „Sie“ für 5 €"), ("windows-1251", "cp1251", "Поддерживаю ваше письмо"), ("koi8-r", "koi8-r", "Поддерживаю"),
    ("iso-8859-9", "cp1254", "Gülşen İmza"), ("windows-1256", "cp1256", "أؤيد رسالتكم"), ("gb2312", "gb18030", "我支持朱镕基"), ("big5", "cp950", "我支持這封公開信"),
    ("shift_jis", "cp932", "公開書簡①に賛同"), ("iso-2022-jp", "iso2022_jp", "公開書簡に賛同"), ("euc-kr", "cp949", "지지합니다 똠"), ("iso-8859-8-i", "iso-8859-8", "אני תומך"),
    ("tis-620", "cp874", "ผมสนับสนุน"), ("utf-16", "utf-16", "Grüße"), ("hz-gb-2312", "hz", "我支持"), ("iso-8859-2", "iso-8859-2", "Popieram źdźbło"),
    ("ks_c_5601-1987", "cp949", "지지합니다"), ("iso-8859-7", "iso-8859-7", "Υποστηρίζω"), ("windows-1258", "cp1258", "Tôi"),
]  # fmt: skip


@pytest.mark.case(69)
@pytest.mark.parametrize(("charset", "codec", "text"), LEGACY, ids=[row[0] for row in LEGACY])
def test_what_senders_call_a_charset_is_read_as_what_they_mean(charset: str, codec: str, text: str) -> None:
    assert single(f"text/plain; charset={charset}", text.encode(codec)).reply == text


GUESSED = [
    ("koi8-r", "Поддерживаю ваше открытое письмо. Сорок лет отработал бакенщиком на Волге."), ("cp1251", "Поддерживаю ваше открытое письмо."),
    ("cp932", "公開書簡に賛同いたします。私は干潟の近くで民宿を営んでおります。"), ("gb18030", "我支持这封公开信。小时候外婆家门口就是芦苇荡，现在是停车场。"),
    ("cp949", "공개 서한을 지지합니다. 저는 갯벌 체험 마을에서 일하고 있습니다."), ("cp1252", "Ich unterstütze den Brief."), ("cp1256", "السلام عليكم ورحمة الله أؤيد رسالتكم تأييدا كاملا"),
    ("cp1253", "Σας ευχαριστώ που με θυμηθήκατε αλλά δεν θα υπογράψω"),
]  # fmt: skip


@pytest.mark.case(69)
@pytest.mark.parametrize(("codec", "text"), GUESSED, ids=[row[0] for row in GUESSED])
def test_an_undeclared_charset_is_guessed(codec: str, text: str) -> None:
    letter = read(b"\r\n" + text.encode(codec))
    assert (letter.reply, letter.defects) == (text, ("charset_guessed",))


EVERY = sorted(
    {
        *aliases,
        *aliases.values(),
        "nope",
        "hex",
        "zlib",
        "idna",
        "undefined",
        "a\0b",
        "unicode_escape",
        "raw_unicode_escape",
        "punycode",
        "charmap",
        "x" * 500,
        "utf-8\n",
        "%s",
        "../../etc",
    }
)


@pytest.mark.case(69)
@pytest.mark.parametrize(
    "body", [b"I endorse", b"Gr\xfc\xdfe \xff\xfe\x00", bytes(range(256)), b"\x1b$B!\x1b(B"], ids=["ascii", "latin", "all bytes", "escapes"]
)
def test_every_charset_that_python_knows_gives_text(body: bytes) -> None:
    for name in EVERY:
        letter = single(f"text/plain; charset={name}", body)
        letter.reply.encode("utf-8")
        assert not letter.unreadable


@pytest.mark.case(69)
@pytest.mark.parametrize(
    ("charset", "body"),
    [("utf-7", b"+ADw-script+AD4-"), ("unicode_escape", b"\\x3cscript\\x3e"), ("hex", b"3c736372"), ("punycode", b"a-b")],
)
def test_what_is_no_charset_of_mail_is_not_decoded(charset: str, body: bytes) -> None:
    assert single(f"text/plain; charset={charset}", body).reply == body.decode()


def test_a_few_bad_bytes_do_not_spoil_utf8() -> None:
    letter = single("text/plain; charset=utf-8", "Grüße aus Köln, schöne Flüsse".encode() + b" \xff")
    assert letter.reply.startswith("Grüße aus Köln") and letter.defects == ("charset_damaged",)
