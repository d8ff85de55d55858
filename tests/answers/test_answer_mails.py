"""What an answer says, and what its headers are."""

import re
from datetime import timedelta
from email.utils import getaddresses

import pytest
from answer_people import COUNTED, NOW, PROVEN, SECRET, TEMPLATES, answer, body, campaign, entry, mail, parsed, renderer
from golden_answers import WHOLE

from mailflow.acknowledge import answer_for
from mailflow.model.answer import AnswerKind
from mailflow.model.endorsement import EntryState
from mailflow.render import Renderer

RENDER = renderer()


def text_of(kind: AnswerKind = AnswerKind.COUNTED, **changes: object) -> str:
    return body(RENDER.answer(answer(kind, **changes), campaign(), NOW), "plain")


@pytest.mark.case(105)
@pytest.mark.parametrize(("kind", "subject", "text"), WHOLE, ids=[str(row[0]) for row in WHOLE])
def test_each_kind_reads_like_this(kind: AnswerKind, subject: str, text: str) -> None:
    kept = None if kind is AnswerKind.CLOSED else entry()
    made = RENDER.answer(answer(kind, entry=kept), campaign(), NOW)
    assert parsed(made)["Subject"] == subject
    assert body(made, "plain") == text.replace("VERSION", campaign().statement_hash[:12])


def test_every_kind_is_read_above() -> None:
    assert [row[0] for row in WHOLE] == list(AnswerKind)


def test_the_headers_are_these_and_no_others() -> None:
    made = RENDER.answer(answer(in_reply_to="m1@x.example", references=("a@x.example", "m1@x.example")), campaign(), NOW)
    headers = dict(parsed(made).items())
    boundary = headers.pop("Content-Type")
    assert boundary.startswith('multipart/alternative; boundary="=_')
    assert headers == {
        "Date": "Wed, 02 Sep 2026 08:30:00 +0000",
        "From": "Keep the Heron Marsh Wet <endorse@heron-marsh.example>",
        "To": "ana.duarte@ports.example",
        "Subject": "Thank you: your endorsement of Keep the Heron Marsh Wet",
        "Message-ID": f"<{made.message_id}>",
        "In-Reply-To": "<m1@x.example>",
        "References": "<a@x.example> <m1@x.example>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
    }


def test_an_answer_has_the_null_envelope_sender_and_says_that_a_machine_wrote_it() -> None:
    made = RENDER.answer(answer(), campaign(), NOW)
    assert (made.sender, made.recipient, parsed(made)["Auto-Submitted"]) == ("", "ana.duarte@ports.example", "auto-replied")


@pytest.mark.case(105)
@pytest.mark.case(112)
def test_no_text_of_the_sender_comes_near_a_header() -> None:
    hostile = "CANARY\r\nBcc: mallory@evil.example\r\n\r\n=?utf-8?Q?=0A?="
    kept = entry(name=hostile, title=hostile, affiliation=hostile, place=hostile, words=hostile, organisation=hostile)
    made = RENDER.answer(answer(entry=kept), campaign(), NOW)
    head = made.raw.partition(b"\r\n\r\n")[0]
    assert b"CANARY" not in head and b"mallory" not in head
    assert [address for _, address in getaddresses(parsed(made).get_all("To", []))] == ["ana.duarte@ports.example"]
    assert "Bcc" not in parsed(made) and len(list(parsed(made).walk())) == 3


@pytest.mark.case(110)
def test_a_mail_of_bob_is_answered_to_bob_alone_whoever_sent_it() -> None:
    sent_by_mallory = mail(author="bob@ports.example", addressees=("endorse@heron-marsh.example", "mallory@evil.example"))
    found = answer_for(COUNTED, sent_by_mallory, PROVEN, entry(), campaign(), "key", null_sender=False)
    assert found is not None
    made = RENDER.answer(found, campaign(), NOW)
    assert (made.recipient, parsed(made)["To"]) == ("bob@ports.example", "bob@ports.example")
    assert not {"Cc", "Bcc", "Reply-To", "Sender"} & set(parsed(made).keys())
    assert b"mallory" not in made.raw


BAD = ["a@b.example, c@d.example", "Ana <a@b.example>", "a@b.example\r\nBcc: c@d.example", "a@b.example\0", "zoë@b.example", ""]


@pytest.mark.case(113)
@pytest.mark.parametrize("address", BAD)
def test_an_address_that_is_not_one_plain_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not one plain address"):
        RENDER.answer(answer(to=address), campaign(), NOW)


@pytest.mark.parametrize("bad", ["a b@c", "a\r\nX: y@c", "a>b@c", "ü@c", "none"])
def test_a_message_id_that_is_none_is_refused(bad: str) -> None:
    for made in (answer(in_reply_to=bad), answer(references=("a@b", bad))):
        with pytest.raises(ValueError, match="Message-ID"):
            RENDER.answer(made, campaign(), NOW)


def test_the_same_answer_is_the_same_mail_byte_for_byte() -> None:
    assert renderer().answer(answer(), campaign(), NOW) == renderer().answer(answer(), campaign(), NOW)


def test_another_key_is_another_message_id_and_nobody_can_guess_it() -> None:
    ids = {
        renderer().answer(answer(), campaign(), NOW).message_id,
        renderer().answer(answer(key="heron-marsh:7:13"), campaign(), NOW).message_id,
        renderer().answer(answer(AnswerKind.UPDATED), campaign(), NOW).message_id,
        Renderer(TEMPLATES, SECRET[::-1]).answer(answer(), campaign(), NOW).message_id,
    }
    assert len(ids) == 4 and all(re.fullmatch(r"[0-9a-f]{40}@heron-marsh\.example", one) for one in ids)


def test_a_later_try_keeps_the_message_id() -> None:
    later = RENDER.answer(answer(), campaign(), NOW + timedelta(days=1))
    assert later.message_id == RENDER.answer(answer(), campaign(), NOW).message_id


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 65], ids=["empty", "short", "long"])
def test_a_weak_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="secret"):
        Renderer(TEMPLATES, secret)


def test_who_is_not_named_is_told_so_and_not_named_in_the_answer() -> None:
    text = text_of(entry=entry(named=False))
    assert "Your name is not on the public list. You are only counted." in text
    assert "If you want to be named on the public list, tell us so." in text
    assert not any(word in text for word in ("Ana", "Duarte", "Aveiro", "row there"))


def test_where_nobody_is_named_nobody_is_offered_to_be() -> None:
    text = body(RENDER.answer(answer(), campaign(listing="count"), NOW), "plain")
    assert "You are only counted." in text and "to be named" not in text and "Duarte" not in text


@pytest.mark.parametrize(
    ("kept", "changes"), [(entry(words_shown=False), {}), (entry(), {"show_words": False})], ids=["by the person", "by the campaign"]
)
def test_words_that_are_not_shown_are_not_in_the_answer(kept: object, changes: dict[str, object]) -> None:
    text = body(RENDER.answer(answer(entry=kept), campaign(**changes), NOW), "plain")
    assert "Your own words are not shown." in text and "row there" not in text


def test_before_a_review_the_answer_promises_no_more_than_that() -> None:
    text = text_of(entry=entry(published=False))
    assert "reads every endorsement before it is published" in text and "This is how you appear" not in text


def test_a_closed_campaign_tells_who_is_counted_that_they_still_are() -> None:
    assert "you are still counted" in text_of(AnswerKind.CLOSED, entry=entry())
    assert "You are not counted" in text_of(AnswerKind.CLOSED, entry=entry(state=EntryState.WITHDRAWN))


def test_a_withdrawal_names_nobody() -> None:
    text = text_of(AnswerKind.WITHDRAWN, entry=entry(state=EntryState.WITHDRAWN))
    assert not any(word in text for word in ("Ana", "Duarte", "Aveiro", "row there"))


def test_the_answer_names_the_version_that_was_endorsed() -> None:
    earlier = entry(statement_hash="abc" * 21 + "d", notice_version="2")
    for one, statement, notice in (
        (entry(), campaign().statement_hash[:12], "3"),
        (earlier, "abcabcabcabc", "2"),
        (None, campaign().statement_hash[:12], "3"),
    ):
        made = RENDER.answer(answer(AnswerKind.CLOSED, entry=one), campaign(), NOW)
        for kind in ("plain", "html"):
            assert f"version {statement}" in body(made, kind) and f"version {notice}" in body(made, kind)


def test_a_german_answer_has_german_words_dates_countries_and_statement() -> None:
    made = RENDER.answer(answer(language="de"), campaign(), NOW)
    text = body(made, "plain")
    assert parsed(made)["Subject"] == "Danke: Ihre Unterstützung für Das Reihermoor bleibt nass"
    assert "„Das Reihermoor bleibt nass“ (1. September 2026) ist gezählt" in text and "Aveiro, Portugal" in text
    assert "Aveiro, Deutschland" in body(RENDER.answer(answer(language="de", entry=entry(country="DE")), campaign(), NOW), "plain")


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "<img src=x onerror=y>", '"><b>', "{{ 7*7 }}", "{title}", "%s", "&lt;i&gt;"]
)
def test_markup_in_an_entry_is_text(hostile: str) -> None:
    kept = entry(name=hostile, title=hostile, affiliation=hostile, place=hostile, words=hostile)
    made = RENDER.answer(answer(entry=kept), campaign(), NOW)
    html = body(made, "html")
    assert hostile in body(made, "plain")
    assert not re.search(r"<(script|img|b|i)\b", html) and ">49<" not in html and "&lt;i&gt;</" not in html


def test_markup_in_the_campaign_is_text() -> None:
    made = RENDER.answer(answer(), campaign(controller="A & <b>B</b>", notice="1 < 2"), NOW)
    html = body(made, "html")
    assert "A &amp; &lt;b&gt;B&lt;/b&gt;" in html and "1 &lt; 2" in html


@pytest.mark.parametrize("name", ["Heron, Marsh & Co. <us>", 'The "Marsh"', "Ćwikła Żuraw", "مستنقع البلشون", "=?utf-8?q?x?=", "a\\b"])
def test_a_campaign_of_any_name_can_send(name: str) -> None:
    made = RENDER.answer(answer(), campaign(name=name), NOW)
    sender = parsed(made)["From"].addresses
    assert [(one.display_name, one.addr_spec) for one in sender] == [(name, "endorse@heron-marsh.example")]


def test_an_endless_title_gives_a_subject_of_bearable_length() -> None:
    endless = campaign(statements=[{"language": "en", "title": "Wet! " * 200, "date": "2026-09-01"}])
    subject = parsed(RENDER.answer(answer(), endless, NOW))["Subject"]
    assert len(subject) < 170 and subject.endswith("…")


def test_two_campaigns_keep_their_own_words() -> None:
    other = campaign(controller="Somebody Else")
    first, second = (body(RENDER.answer(answer(), one, NOW), "plain") for one in (campaign(), other))
    assert "Heron Marsh Trust" in first and "Heron Marsh Trust" not in second and "Somebody Else" in second
