"""The short way through a tidy multipart gives what the standard parser gives, and refuses whatever is not tidy."""

from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.parse.body import body_of
from mailflow.parse.caps import divide, unified
from mailflow.parse.html import all_letters
from mailflow.parse.message import Text
from mailflow.parse.multipart import tidy_tree
from mailflow.parse.reply import Known

TOP = {"content-type": 'multipart/alternative; boundary="b"'}
TIDY = "--b\nContent-Type: text/plain\n\nI endorse.\n--b\nContent-Type: text/html\n\n<p>I endorse.\n--b--\n"


def shape(part: Message) -> object:
    """A tree as plain values: MIME type and text, or the shapes of the children."""
    payload = part.get_payload()
    inner = [shape(child) for child in payload if isinstance(child, Message)] if isinstance(payload, list) else payload
    return (part.get("Content-Type"), part.get("Content-Transfer-Encoding"), inner)


def standard(fields: dict[str, str], body: str) -> Message:
    return message_from_string("".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n" + body)


def test_a_tidy_multipart_goes_the_short_way() -> None:
    tree = tidy_tree(TOP, TIDY, 20)
    assert tree is not None
    assert shape(tree) == shape(standard(TOP, TIDY))


@pytest.mark.parametrize(
    "body",
    [
        TIDY.replace("--b--\n", ""),
        TIDY + "--b\n\nmore\n",
        TIDY.replace("\n--b\nContent", "\n--bc\nContent", 1),
        TIDY.replace("Content-Type: text/plain\n\n", "no field\n\n"),
        TIDY.replace("Content-Type: text/plain\n\nI", "I"),
        TIDY.replace("text/plain", "message/rfc822"),
        TIDY.replace("--b\nContent-Type: text/html", "--b\n--b\nContent-Type: text/html"),
        "no delimiter at all\n",
    ],
    ids=[
        "no last delimiter",
        "delimiter after the last",
        "longer delimiter",
        "no field",
        "no empty line",
        "mail within",
        "empty part",
        "none",
    ],
)
def test_whatever_is_odd_is_left_to_the_standard_parser(body: str) -> None:
    assert tidy_tree(TOP, body, 20) is None


@pytest.mark.parametrize("kind", ['multipart/mixed; boundary="a\\"b"', "multipart/mixed", "multipart/mixed; boundary*0=a; boundary*1=b"])
def test_an_odd_boundary_is_left_to_the_standard_parser(kind: str) -> None:
    assert tidy_tree({"content-type": kind}, TIDY, 20) is None


def test_too_deep_is_left_to_the_standard_parser() -> None:
    body = "I endorse.\n"
    for level in range(4):
        body = f"--n{level}\nContent-Type: {'text/plain' if not level else f'multipart/mixed; boundary=n{level - 1}'}\n\n{body}\n--n{level}--\n"
    assert tidy_tree({"content-type": "multipart/mixed; boundary=n3"}, body, 20) is not None
    assert tidy_tree({"content-type": "multipart/mixed; boundary=n3"}, body, 2) is None


PIECES = st.lists(
    st.sampled_from(["--b\n", "--b--\n", "--b \n", "--bb\n", "--c\n", "--c--\n", "\n", "text\n", "Content-Type: text/plain\n", " folded\n", "-\n",
                     "Content-Type: multipart/mixed; boundary=c\n", "Content-Type: message/rfc822\n", "X: y\n", "From x\n", ":\n", "a b: c\n"]),
    max_size=24,
)  # fmt: skip


@given(PIECES.map("".join))
def test_the_short_way_is_never_another_way(body: str) -> None:
    tree = tidy_tree(TOP, body, 20)
    assert tree is None or shape(tree) == shape(standard(TOP, body))


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "config/demo/mail").glob("*.eml")), ids=lambda path: path.stem)
def test_the_demo_mails_have_the_same_tree_either_way(path: Path) -> None:
    head, body = divide(unified(path.read_bytes()))
    message = message_from_string(head.decode("latin-1") + "\n\n")
    kind = message.get("Content-Type", "")
    fields = {"content-type": str(kind)} if kind else {}
    tree = tidy_tree(fields, body.decode("latin-1"), 20)
    assert tree is None or shape(tree) == shape(standard(fields, body.decode("latin-1")))


@pytest.mark.parametrize(
    "html",
    [
        '<p>I do <span style="display:none">not</span> endorse</p>',
        '<p>I do <span style="displa&#121;:none">not</span> endorse</p>',
        "<p>I do <span style=font-size:0>not</span> endorse</p>",
        "<p>I do <span style='font-size : 0px'>not</span> endorse</p>",
        "<p>I do <span hidden>not</span> endorse</p>",
        "<p>I do <font color=WHITE>not</font> endorse</p>",
        "<p>I do <span style='color:rgb(255, 255, 255)'>not</span> endorse</p>",
        "<p>I do <span style='text-indent: -9999px'>not</span> endorse</p>",
        "<p>I do <span style='opacity:0'>not</span> endorse</p>",
    ],
)  # fmt: skip
def test_a_page_that_could_hide_a_word_is_never_taken_at_its_letters(html: str) -> None:
    assert all_letters(html) is None
    group = [Text(html=False, text="I do not endorse", alternative=1), Text(html=True, text=html, alternative=1)]
    found = body_of(group, Known(), "")
    assert found.differs or found.hidden


def test_a_page_that_says_the_same_is_taken_at_its_letters() -> None:
    group = [Text(html=False, text="I endorse.\n\nAnn", alternative=1), Text(html=True, text="<p>I endorse.</p><p>Ann", alternative=1)]
    found = body_of(group, Known(), "")
    assert (found.text, found.differs, found.hidden) == ("I endorse.\n\nAnn", False, False)
