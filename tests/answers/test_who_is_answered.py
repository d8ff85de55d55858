"""Which mail gets an answer, of which kind, to whom, in which thread and language."""

import pytest
from answer_people import COUNTED, PROVEN, campaign, entry, mail

from mailflow.acknowledge import LANGUAGES, answer_for, language_for
from mailflow.model.answer import Answer, AnswerKind
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState
from mailflow.model.mail import Assurance, MailClass, ParsedMail, Verdict

GONE = entry(state=EntryState.WITHDRAWN)


def answered(
    parsed: ParsedMail | None = None,
    decision: Decision = COUNTED,
    verdict: Verdict = PROVEN,
    kept: Entry | None = None,
    *,
    null_sender: bool = False,
    own: tuple[str, ...] = (),
) -> Answer | None:
    return answer_for(decision, parsed or mail(), verdict, kept or entry(), campaign(), "key", null_sender=null_sender, own_addresses=own)


OUTCOMES = [
    (Action.ACCEPT, Disposition.COUNTED, AnswerKind.COUNTED),
    (Action.ACCEPT, Disposition.CHANGED, AnswerKind.UPDATED),
    (Action.ACCEPT, Disposition.DUPLICATE, AnswerKind.ALREADY),
    (Action.CORRECT, Disposition.CHANGED, AnswerKind.CORRECTED),
    (Action.CORRECT, Disposition.DUPLICATE, AnswerKind.ALREADY),
    (Action.WITHDRAW, Disposition.WITHDRAWN, AnswerKind.WITHDRAWN),
    (Action.WITHDRAW, Disposition.DUPLICATE, AnswerKind.WITHDRAWN),
    (Action.DECLINE, Disposition.REFUSED, AnswerKind.CLOSED),
    (Action.IGNORE, Disposition.DUPLICATE, None),
    (Action.IGNORE, Disposition.AUTOMATIC, None),
    (Action.IGNORE, Disposition.REFUSED, None),
    (Action.HOLD, Disposition.HELD, None),
    (Action.DEFER, Disposition.IN_FLIGHT, None),
    (Action.CONFIRM, Disposition.AWAITING_CONFIRMATION, None),
    (Action.ASK_NAME, Disposition.AWAITING_CONFIRMATION, None),
]


@pytest.mark.parametrize(("action", "disposition", "kind"), OUTCOMES, ids=[f"{a}-{d}" for a, d, _ in OUTCOMES])
def test_the_outcome_makes_the_kind_of_answer(action: Action, disposition: Disposition, kind: AnswerKind | None) -> None:
    answer = answered(decision=Decision(action, ("rule",), disposition))
    assert (answer.kind if answer else None) == kind


def test_every_action_has_an_outcome_above() -> None:
    assert {action for action, _, _ in OUTCOMES} == set(Action)


@pytest.mark.parametrize("assurance", list(Assurance))
def test_only_a_proven_author_is_answered(assurance: Assurance) -> None:
    verdict = Verdict(assurance)
    assert (answered(verdict=verdict) is not None) == verdict.proven


@pytest.mark.case(107)
def test_the_null_envelope_sender_is_never_answered() -> None:
    assert answered(null_sender=True) is None


@pytest.mark.case(107)
@pytest.mark.parametrize("kind", [kind for kind in MailClass if kind is not MailClass.HUMAN])
def test_a_machine_is_never_answered(kind: MailClass) -> None:
    assert answered(mail(mail_class=kind)) is None


MACHINES = [
    "MAILER-DAEMON",
    "postmaster",
    "PostMaster",
    "noreply",
    "no-reply",
    "No_Reply",
    "do-not-reply",
    "donotreply",
    "news-noreply",
    "noreply+abc",
    "no-reply-1234",
    "owner-marsh",
    "marsh-owner",
    "marsh-request",
    "marsh-bounces",
    "marsh-bounces+ana=ports.example",
    "bounce",
    "bounces+1-2",
    "listserv",
    "majordomo",
    "autoreply",
    "auto-responder",
    "prvs=0123456789=ana",
    "SRS0=abcd=EF=ports.example=ana",
]
PEOPLE = ["ana", "o'brien", "noreen.plymouth", "bouncer.smith", "ana+marsh", "request", "owner", "john.noreplying", "info", "a"]


@pytest.mark.case(107)
@pytest.mark.parametrize("local", MACHINES)
def test_an_address_of_a_machine_is_never_answered(local: str) -> None:
    assert answered(mail(author=f"{local}@ports.example")) is None


@pytest.mark.parametrize("local", PEOPLE)
def test_people_with_ordinary_addresses_are_answered(local: str) -> None:
    answer = answered(mail(author=f"{local}@ports.example"))
    assert answer is not None and answer.to == f"{local}@ports.example"


@pytest.mark.case(111)
@pytest.mark.parametrize(
    "author",
    [
        "endorse@heron-marsh.example",
        "ENDORSE@heron-marsh.example",
        "endorse+t0ken@heron-marsh.example",
        "other@campaign.example",
        "other+ana=ports.example@campaign.example",
    ],
)
def test_we_never_answer_ourselves(author: str) -> None:
    assert answered(mail(author=author), own=("Other@Campaign.example",)) is None


@pytest.mark.case(113)
@pytest.mark.parametrize(
    "author",
    [
        None,
        "",
        "ana",
        "a@b.example, c@d.example",
        "a@b.example,c@d.example",
        "a@b.example c@d.example",
        "<a@b.example>",
        "a@b@c.example",
        '"a@b.example, c"@d.example',
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\n",
        "a@b",
        "a..b@c.example",
        "a@-b.example",
        "zoë@ports.example",
        "ana@[192.0.2.1]",
        "x:a@b.example,c@d.example;",
        "a" * 250 + "@b.example",
    ],
)
def test_anything_but_one_plain_address_is_not_answered(author: str | None) -> None:
    assert answered(mail(author=author)) is None


def test_the_answer_goes_to_the_proven_author_as_written() -> None:
    answer = answered(mail(author="Ana.Duarte+marsh@ports.example", author_name="x <y@z.example>"))
    assert answer is not None and answer.to == "Ana.Duarte+marsh@ports.example"


@pytest.mark.parametrize("kept", [None, GONE], ids=["no entry", "withdrawn entry"])
def test_nobody_is_told_to_be_counted_who_is_not(kept: Entry | None) -> None:
    assert answer_for(COUNTED, mail(), PROVEN, kept, campaign(), "key", null_sender=False) is None


THREADS = [
    ("a first mail", "", (), ("m1@x.example",)),
    ("a reply", "a@x.example", ("a@x.example",), ("a@x.example", "m1@x.example")),
    ("a reply without References", "a@x.example", (), ("a@x.example", "m1@x.example")),
    ("a long thread", "", tuple(f"r{n}@x.example" for n in range(40)), (*(f"r{n}@x.example" for n in range(31, 40)), "m1@x.example")),
    ("ids that are none", "", ("a b@c", "a>b@c", "ü@c", "no-at", "a\r\nBcc: b@c", "a@c"), ("a@c", "m1@x.example")),
]


@pytest.mark.case(112)
@pytest.mark.parametrize(("parent", "before", "expected"), [row[1:] for row in THREADS], ids=[row[0] for row in THREADS])
def test_the_answer_joins_the_thread(parent: str, before: tuple[str, ...], expected: tuple[str, ...]) -> None:
    answer = answered(mail(message_id="m1@x.example", in_reply_to=parent, references=before))
    assert answer is not None
    assert (answer.in_reply_to, answer.references) == ("m1@x.example", expected)


def test_a_mail_without_an_id_is_answered_outside_of_any_thread() -> None:
    answer = answered(mail(message_id=""))
    assert answer is not None and (answer.in_reply_to, answer.references) == ("", ())


@pytest.mark.parametrize(
    ("written", "campaign_languages", "expected"),
    [
        ("fr", ["en"], "fr"),
        ("de-AT", ["en"], "de"),
        ("pt-BR", ["en"], "pt"),
        ("zh-Hans", ["en"], "zh"),
        ("zh-TW", ["en"], "zh-Hant"),
        ("zh-Hant-HK", ["en"], "zh-Hant"),
        ("FR", ["en"], "fr"),
        ("sw", ["de", "en"], "de"),
        ("sw", ["sw", "fr"], "fr"),
        ("sw", ["sw"], "en"),
        (None, ["ar", "en"], "ar"),
        ("", ["es"], "es"),
    ],
)
def test_the_answer_speaks_the_language_of_the_mail(written: str | None, campaign_languages: list[str], expected: str) -> None:
    assert language_for(written, campaign(languages=campaign_languages), LANGUAGES) == expected
