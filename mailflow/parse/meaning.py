"""From a letter to what it means."""

from dataclasses import replace

from mailflow.model.mail import Caution, Intent, MailClass, ParsedMail, ReadingContext, Signer
from mailflow.parse.automatic import Sender, classify
from mailflow.parse.bounce import bounced_recipients
from mailflow.parse.card import Card
from mailflow.parse.cautions import cautions_of
from mailflow.parse.corrections import corrected
from mailflow.parse.fold import sentences
from mailflow.parse.intent import intent_of, subject_joins
from mailflow.parse.letter import Letter
from mailflow.parse.lexicon import Lexicon
from mailflow.parse.organisation import organisation_of
from mailflow.parse.person import card_of, signers_of
from mailflow.parse.reading import Reading, bare_subject, read
from mailflow.parse.words import asks_to_be_named, is_public, words_of_mail

_NAMED = frozenset({Intent.ENDORSE, Intent.WITHDRAW, Intent.CORRECT, Intent.CONFIRM})
_SPEAKING = frozenset({Intent.ENDORSE, Intent.WITHDRAW, Intent.CORRECT, Intent.DECLINE})
_MACHINES = frozenset({MailClass.AUTO_REPLY, MailClass.BOUNCE, MailClass.CALENDAR, MailClass.UNREADABLE})


def meaning(letter: Letter, context: ReadingContext, lexicon: Lexicon) -> ParsedMail:
    """What a letter means: class, intent, signers, words, cautions. Pure."""
    reading = read(letter, lexicon)
    intent = intent_of(reading)
    sender = _sender(reading, intent)
    plain = _plain(letter, sender, reading)
    if sender.mail_class is MailClass.BOUNCE:
        ours = frozenset(address.lower() for address in context.addresses)
        return replace(plain, bounced=bounced_recipients(letter, ours))
    if sender.mail_class in _MACHINES:
        return plain
    return _of_a_person(plain, reading, intent)


def _sender(reading: Reading, intent: Intent) -> Sender:
    """Who sent it, judged by headers and by every line of the reply."""
    letter, book = reading.letter, reading.lexicon.book
    whole = book.scan(sentences(letter.reply)) if _much_left_out(reading) else reading.scan
    bare = bare_subject(letter.subject)
    subject = reading.subject if reading.subject.sentences == (bare,) else book.scan(sentences(bare))
    # A subject alone may be ours, echoed by a machine.
    speaks = bool(reading.yes) or reading.form is not None or (intent in _SPEAKING and not subject_joins(reading))
    return classify(letter, whole, subject, speaks=speaks)


def _much_left_out(reading: Reading) -> bool:
    """The whole reply is looked at again only where the layout took more for greeting and ending than for prose."""
    return len(reading.letter.reply) > 2 * len(reading.prose)


def _plain(letter: Letter, sender: Sender, reading: Reading) -> ParsedMail:
    """What is filled whatever class and intent."""
    return ParsedMail(
        sha256=letter.sha256, content_hash=letter.content_hash, mail_class=sender.mail_class, intent=Intent.UNCLEAR,
        author=letter.author, author_name=letter.author_name, addressees=letter.addressees,
        delivered_to=tuple(value.strip() for name in ("delivered-to", "x-original-to") for value in letter.values(name) if value.strip()),
        subject=letter.subject, message_id=letter.message_id, in_reply_to=letter.in_reply_to, references=letter.references,
        date=letter.date, relayed_at=letter.relayed_at, language=reading.language, reply=letter.reply,
        machine_signs=sender.signs, defects=letter.defects,
    )  # fmt: skip


def _of_a_person(plain: ParsedMail, reading: Reading, intent: Intent) -> ParsedMail:
    """All that hangs on the intent."""
    card = card_of(reading) if intent in _NAMED else Card()
    signers = corrected(card, reading) if intent is Intent.CORRECT else _bare(intent, signers_of(card, reading))
    organisation = organisation_of(card, reading) if intent is Intent.ENDORSE else None
    endorses = intent in (Intent.ENDORSE, Intent.UNCLEAR)
    cautions: tuple[Caution, ...] = cautions_of(reading, signers, organisation) if endorses else ()
    return replace(
        plain, intent=intent, signers=signers, organisation=organisation, public=is_public(reading) if intent in (Intent.ENDORSE, Intent.CORRECT) else True,
        asks_to_be_named=asks_to_be_named(reading), words=words_of_mail(reading, intent), cautions=cautions,
    )  # fmt: skip


def _bare(intent: Intent, signers: tuple[Signer, ...]) -> tuple[Signer, ...]:
    """Whoever withdraws or confirms is named, no more."""
    return signers if intent is Intent.ENDORSE else tuple(Signer(signer.name) for signer in signers[:1])
