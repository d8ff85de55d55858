"""HTML to the text a person saw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.parse.hostile import is_hostile
from mailflow.parse.html import SIGNATURE_MARK, to_text
from mailflow.parse.reply import Known, scan


def text(html: str) -> str:
    return to_text(html)[0].replace(SIGNATURE_MARK, "")


def reply(html: str) -> str:
    return scan(to_text(html)[0], Known()).reply


LAYOUT = [
    ("inline tags do not break words", "<p>en<b>dor</b>se <i>it</i></p>", "endorse it"),
    ("paragraphs", "<p>one</p><p>two</p>", "one\n\ntwo"),
    ("blocks", "<div>one</div><div>two</div>", "one\ntwo"),
    ("breaks", "one<br>two<br><br>three", "one\ntwo\n\nthree"),
    ("empty div", "<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
    ("white space", "<p>one\n   two\tthree</p>", "one two three"),
    ("entities", "<p>&lt;b&gt; &amp; &uuml;&nbsp;&#x4e2d;</p>", "<b> & ü 中"),
    ("list", "<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    ("table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
    ("pre", "<pre>one\n  two\n\nthree</pre>", "one\ntwo\n\nthree"),
    ("style, script, head, title, comment", "<head><title>t</title><style>p{}</style></head><script>x()</script><!-- c --><p>one</p>", "one"),
    ("unclosed", "<p>one<p>two<div>three", "one\n\ntwo\n\nthree"),
    ("conditional comment", "<!--[if mso]><p>two</p><![endif]--><p>one</p>", "one"),
    ("control as entity", "<p>a&#0;b&#8;c&#x1b;d&#xE001;e</p>", "a\ufffdbcde"),
    ("surrogate as entity", "<p>a&#xD800;b</p>", "a\ufffdb"),
    ("Outlook's empty paragraphs", "<p class=MsoNormal>one</p><p class=MsoNormal>two</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>three</p>", "one\ntwo\n\nthree"),
    ("Outlook's other paragraphs", "<p class=MsoNormal>one</p><p class=MsoNormal>two</p>", "one\n\ntwo"),
    ("nothing", "", ""),
    ("no markup", "one < two", "one < two"),
]  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), [row[1:] for row in LAYOUT], ids=[row[0] for row in LAYOUT])
def test_layout_is_read_as_it_is_seen(html: str, expected: str) -> None:
    assert text(html) == expected


HIDDEN = [
    ("display none", '<p>I endorse.</p><p style="display:none">not really</p>', True),
    ("display none, spaced, in capitals", '<p>I endorse.</p><p style="DISPLAY : NONE !important">not really</p>', True),
    ("visibility", '<p>I endorse.</p><span style="visibility:hidden">not really</span>', True),
    ("no size", '<p>I endorse.</p><span style="font-size:0px">not really</span>', True),
    ("no size, last", '<p>I endorse.</p><span style="color:red;font-size:0">not really</span>', True),
    ("hidden", "<p>I endorse.</p><p hidden>not really</p>", True),
    ("white on white", '<p>I endorse.</p><p style="color:#ffffff">not really</p>', True),
    ("white font", '<p>I endorse.</p><font color="white">not really</font>', True),
    ("far outside", '<p>I endorse.</p><p style="position:absolute;left:-9999px">not really</p>', True),
    ("no height", '<p>I endorse.</p><div style="max-height:0;overflow:hidden">not really</div>', True),
    ("transparent", '<p>I endorse.</p><div style="opacity:0">not really</div>', True),
    ("hidden, but no letters", '<p>I endorse.</p><p style="display:none"><img src=x> &nbsp; </p>', False),
    ("a preview of what can be read", '<div style="display:none">I endorse.</div><p>I endorse.</p>', False),
    ("hidden in a quote", '<p>I endorse.</p><blockquote type=cite><div style="display:none">Preview of a newsletter</div>old</blockquote>', False),
]  # fmt: skip


@pytest.mark.case(75)
@pytest.mark.parametrize(("html", "told"), [row[1:] for row in HIDDEN], ids=[row[0] for row in HIDDEN])
def test_hidden_letters_are_not_read_and_told(html: str, told: bool) -> None:
    assert (reply(html), to_text(html)[1]) == ("I endorse.", told)


VISIBLE = [
    ("white on a coloured ground", '<div style="background:#004"><p style="color:#fff">I endorse.</p></div>'),
    ("white in a coloured cell", '<table><tr><td bgcolor="navy"><font color="white">I endorse.</font></td></tr></table>'),
    ("white on its own ground", '<p style="color:white;background-color:black">I endorse.</p>'),
    ("hidden from Outlook only", '<p style="mso-hide:all">I endorse.</p>'),
    ("a small size", '<p style="font-size:0.8em">I endorse.</p>'),
    ("half transparent", '<p style="opacity:0.5">I endorse.</p>'),
    ("a white border", '<p style="border-color:#fff">I endorse.</p>'),
]


@pytest.mark.case(75)
@pytest.mark.parametrize("html", [row[1] for row in VISIBLE], ids=[row[0] for row in VISIBLE])
def test_what_can_be_seen_is_read(html: str) -> None:
    assert to_text(html) == ("I endorse.", False)


OLD = "<p>Please endorse our letter. I endorse it too.</p>"
WHEN = "On Mon, 5 Oct 2026 at 10:23, List &lt;<a href='mailto:list@delta.example'>list@delta.example</a>&gt; wrote:"
QUOTES = [
    ("Gmail", f'<div dir="ltr">Yes!</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{WHEN}<br></div><blockquote class="gmail_quote" style="margin:0">{OLD}</blockquote></div>'),
    ("Gmail, forwarded", f'<div>Yes!</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: x</div>{OLD}</div>'),
    ("Thunderbird", f'<p>Yes!</p><div class="moz-cite-prefix">Am 05.10.26 um 10:23 schrieb List:<br></div><blockquote type="cite" cite="mid:x">{OLD}</blockquote>'),
    ("Apple Mail", f'<div>Yes!</div><div><br><blockquote type="cite"><div>{WHEN}</div><br>{OLD}</blockquote></div>'),
    ("Outlook on the web", f'<div>Yes!</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> List<br><b>Sent:</b> Monday</div><div>{OLD}</div>'),
    ("Outlook", f'<p class=MsoNormal>Yes!</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm"><p class=MsoNormal><b>Von:</b> List</p></div>{OLD}'),
    ("Outlook for Mac", f'<div>Yes!</div><div id="mail-editor-reference-message-container"><div><b>From: </b>List</div>{OLD}</div>'),
    ("Yahoo", f'<div>Yes!</div><div id="yahoo_quoted_123" class="yahoo_quoted"><div>{WHEN}</div>{OLD}</div>'),
    ("Proton", f'<div>Yes!</div><div class="protonmail_quote">{WHEN}<br><blockquote class="protonmail_quote" type="cite">{OLD}</blockquote></div>'),
    ("GMX, web.de", f'<div>Yes!</div><div name="quote" style="margin:10px 5px; border-left:2px solid #C3D9E5"><div name="quoted-content">{OLD}</div></div>'),
    ("Zoho", f'<div>Yes!</div><div class="zmail_extra"><div>---- On Mon, 05 Oct 2026 10:23:11 +0100 List &lt;list@delta.example&gt; wrote ----</div><blockquote id="blockquote_zmail">{OLD}</blockquote></div>'),
    ("Mail.ru", f'<div>Yes!</div><blockquote style="border-left:1px solid #0857A6;margin:10px">Понедельник, 5 октября 2026, 10:23 +03:00 от List &lt;list@delta.example&gt;:{OLD}</blockquote>'),
    ("Yandex", f'<div>Yes!</div><div>05.10.2026, 10:23, "List" &lt;list@delta.example&gt;:</div><blockquote>{OLD}</blockquote>'),
    ("QQ", f'<div>Yes!</div><div style="font-family:Arial Narrow">------------------&nbsp;原始邮件&nbsp;------------------</div><div><div><b>发件人:</b> "List" &lt;list@delta.example&gt;</div><div><b>发送时间:</b> 2026年10月5日 10:23</div></div>{OLD}'),
    ("Naver", f'<p>Yes!</p><p>-----Original Message-----</p><p><b>From:</b> "List" &lt;list@delta.example&gt;</p><p><b>Sent:</b> 2026-10-05 (월) 10:23:11 (GMT+09:00)</p>{OLD}'),
    ("163", f'<div>Yes!</div><div id="isReplyContent"><p>At 2026-10-05 10:23:11, "List" &lt;list@delta.example&gt; wrote:</p>{OLD}</div>'),
    ("Tutanota", f'<div>Yes!</div><blockquote class="tutanota_quote">{OLD}</blockquote>'),
    ("Roundcube", f'<p>Yes!</p><p id="reply-intro">Am 2026-10-05 10:23, schrieb List:</p><blockquote type="cite">{OLD}</blockquote>'),
    ("Samsung", f'<div dir="auto">Yes!</div><div>-------- Original message --------</div><div>From: List &lt;list@delta.example&gt; </div><div>Date: 05/10/2026  10:23  (GMT+01:00) </div><div>Subject: Letter </div>{OLD}'),
]  # fmt: skip


@pytest.mark.case(76)
@pytest.mark.parametrize("html", [row[1] for row in QUOTES], ids=[row[0] for row in QUOTES])
def test_the_quotes_of_a_mail_program_are_known_by_its_markup(html: str) -> None:
    assert reply(html) == "Yes!"


@pytest.mark.case(76)
def test_answers_between_the_quotes_of_gmail_are_all_kept() -> None:
    quote = '<blockquote class="gmail_quote">old</blockquote>'
    html = (
        f'<div>Hi</div><div class="gmail_quote"><div class="gmail_attr">{WHEN}</div>{quote}<div>first</div>{quote}<div>second</div></div>'
    )
    assert reply(html) == "Hi\n\nfirst\n\nsecond"


def test_words_that_somebody_indented_are_theirs() -> None:
    assert reply("<p>I say:</p><blockquote>Keep it wild.</blockquote>") == "I say:\n\nKeep it wild."


SIGNATURES = [
    ("Gmail", '<div>Yes!</div><div class="gmail_signature" data-smartmail="gmail_signature"><div>Ana Melo</div><div>Delta</div></div>'),
    ("Thunderbird", '<p>Yes!</p><pre class="moz-signature" cols="72">-- \nAna Melo\nDelta</pre>'),
    ("Apple", '<div>Yes!</div><div id="AppleMailSignature"><div>Ana Melo</div><div>Delta</div></div>'),
    ("Outlook", '<div>Yes!</div><div id="Signature"><p>Ana Melo</p><p>Delta</p></div>'),
    (
        "Proton",
        '<div>Yes!</div><div class="protonmail_signature_block"><div class="protonmail_signature_block-user">Ana Melo<br>Delta</div></div>',
    ),
]


@pytest.mark.parametrize("html", [row[1] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES])
def test_a_signature_is_known_by_its_markup(html: str) -> None:
    found = scan(to_text(html)[0], Known())
    assert found.reply == "Yes!" and "Ana Melo" in found.signature


def test_a_long_letter_that_was_typed_into_the_signature_is_the_letter() -> None:
    letter = "<p>I endorse the letter because I have seen what dredging does to a river. </p>" * 4
    assert reply(f'<div class="gmail_signature">{letter}</div>').startswith("I endorse the letter")


HOSTILE = [
    ("declarations", "<!" * 100_000),
    ("open comments", "<!--" * 100_000),
    ("deep blocks", "<div>" * 100_000 + "I endorse."),
    ("deep blocks behind end tags that fit nothing", "<div></b>" * 50_000 + "I endorse."),
    ("deep tables", "<table><tr><td>" * 20_000 + "I endorse."),
    ("deep inline", "<b>" * 100_000 + "I endorse."),
    ("attributes", "<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">I endorse."),
    ("attributes behind a quoted bracket", '<p a=">" ' + " ".join(f"a{n}" for n in range(50_000)) + ">I endorse."),
    ("style", "<style>" + "a{b:c}" * 150_000 + "</style>I endorse."),
    ("quotes", "<blockquote type=cite>" * 50_000 + "x"),
    ("lists", "<ul><li>" * 50_000 + "x"),
]


@pytest.mark.case(78)
@pytest.mark.parametrize("html", [row[1] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
@pytest.mark.timeout(20)
def test_html_that_is_hostile_is_read_or_left_without_pain(html: str) -> None:
    found, _ = to_text(html)
    assert "I endorse." in found or "I endorse." not in html


@pytest.mark.case(78)
@pytest.mark.parametrize(("html", "hostile"), [("<div>" * 2000, False), ("<div>" * 5000, True), ("<p>x</p>" * 20_000, False), ("<p>x" * 20_000, False), ("<div>x</div>" * 20_000, False), ("word " * 20_000, True)], ids=["small", "deep", "long", "unclosed paragraphs", "many blocks", "no tag for 100 KB"])  # fmt: skip
def test_only_nesting_and_attributes_make_html_hostile(html: str, hostile: bool) -> None:
    assert is_hostile(html) is hostile


PIECES = [
    "<",
    ">",
    "/",
    "=",
    '"',
    "'",
    " ",
    "a",
    "!",
    "-",
    "&",
    ";",
    "#x0",
    "<div ",
    "style",
    "blockquote",
    "class=",
    "gmail_quote",
    "\ue001",
    "\0",
    "<p>",
    "</p>",
    "&#xE001;",
    "<br>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=80).map("".join))
def test_any_markup_gives_clean_text(html: str) -> None:
    found, _ = to_text(html)
    found.encode("utf-8")
    assert not any(ord(letter) < 32 and letter != "\n" for letter in found) and SIGNATURE_MARK not in found
