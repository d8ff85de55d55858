"""receive(mail) and apply(decision): the whole path of a mail on one screen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from mailflow import acknowledge, crash
from mailflow.config.campaign import Campaign, Listing, Publish
from mailflow.decide import Facts, FirstCopy, History, Policy, decide, identity
from mailflow.decide.rules import author_is_unproven
from mailflow.model.answer import Answer, AnswerKind, OutgoingMail
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState, EventKind
from mailflow.model.mail import KeptMail, ParsedMail, Signer, Verdict
from mailflow.model.outside import Now
from mailflow.store import entries, events, mails, outbox
from mailflow.store.engine import Store

ANSWERS_A_DAY = 5
"""More than so many answers to one address in 24 hours would help only whoever abuses the address."""

DNS_PATIENCE = timedelta(hours=48)
"""So long DNS may be down for a sender's domain before a human looks."""


class Render(Protocol):
    """Turns an answer into the bytes of a mail."""

    def answer(self, answer: Answer, campaign: Campaign, now: datetime) -> OutgoingMail:
        """The mail, complete with headers; the same for the same arguments."""
        ...


@dataclass(frozen=True)
class Tools:
    """What the path needs of the world, put together in wiring."""

    campaigns: Mapping[str, Campaign]
    by_address: Mapping[str, str]
    read: Callable[[bytes, Campaign | None], ParsedMail]
    authenticate: Callable[[KeptMail, ParsedMail], Verdict]
    render: Render
    now: Now


@dataclass(frozen=True)
class Read:
    """A mail that was read and authenticated, outside of any transaction."""

    mail: KeptMail
    parsed: ParsedMail
    verdict: Verdict
    campaign: Campaign | None

    @property
    def content_key(self) -> str:
        """The key under which the first copy of this content stands."""
        return f"{self.campaign.slug if self.campaign else '-'}:{self.parsed.content_hash}"


def receive(mail: KeptMail, store: Store, tools: Tools) -> Decision:
    """Takes one kept mail to its decision. Safe to run twice.

    Raises StoreUnavailable; nothing is then half done.
    """
    read = look(mail, tools)
    with store.write() as tx:
        decision = settle(read, tx, tools)
        crash.point("effect.before_commit")
    crash.point("effect.after_commit.before_lease_release")
    return decision


def look(mail: KeptMail, tools: Tools) -> Read:
    """Reads and authenticates: no store, no transaction; DNS happens here."""
    campaign = tools.campaigns.get(mail.campaign or "")
    parsed = tools.read(mail.raw, campaign)
    if campaign is None and (named := campaign_named(parsed, tools)) is not None:
        campaign = named
        parsed = tools.read(mail.raw, campaign)
    return Read(mail, parsed, tools.authenticate(mail, parsed), campaign)


def campaign_named(parsed: ParsedMail, tools: Tools) -> Campaign | None:
    """The campaign whose address the mail names, else the only one there is."""
    for address in (*parsed.delivered_to, *parsed.addressees):
        slug = tools.by_address.get(identity(address))
        if slug is not None:
            return tools.campaigns[slug]
    return next(iter(tools.campaigns.values())) if len(tools.campaigns) == 1 else None


def settle(read: Read, tx: Connection, tools: Tools) -> Decision:
    """Decides with the author's past in view and carries the decision out, all in the caller's transaction.

    Raises sqlalchemy.exc.IntegrityError when another worker settled the same person or content at this
    moment; the caller rolls back and settles again.
    """
    history = past(read, tx)
    decision = decide(facts_of(read, history))
    if decision.action is Action.DEFER:
        return put_off(read, decision, tx, tools)
    apply(decision, read, history, tx, tools)
    return decision


def facts_of(read: Read, history: History, *, age_matters: bool = True) -> Facts:
    """Everything the rules may look at. A door that is vouched for also vouches for the time it wrote down."""
    received = read.mail.received_at
    if read.mail.envelope.trusted_results and read.mail.envelope.sender is None and read.parsed.relayed_at:
        received = min(received, read.parsed.relayed_at)
    return Facts(
        mail=read.parsed,
        verdict=read.verdict,
        history=history,
        policy=Policy.of(read.campaign) if read.campaign else None,
        received_at=received,
        null_sender=read.mail.envelope.sender == "",
        age_matters=age_matters,
    )


def past(read: Read, tx: Connection) -> History:
    """What the store knows of this content and of its author."""
    row = mails.first_copy(tx, read.content_key)
    entry = None
    if read.campaign is not None and read.parsed.author is not None:
        entry = entries.find(tx, read.campaign.slug, identity(read.parsed.author))
    if row is None or row["id"] == read.mail.id:
        return History(entry=entry)
    waits = row["disposition"] == Disposition.HELD and (row["reasons"] or [""])[0] == author_is_unproven.__name__
    return History(FirstCopy(row["id"], mails.proven_before(row["assurance"]), waits, row["entry_id"]), entry)


def put_off(read: Read, decision: Decision, tx: Connection, tools: Tools) -> Decision:
    """DNS was down: the mail waits with growing patience, and for a human after 48 hours. Never "forged"."""
    waited = tools.now() - read.mail.received_at
    if waited < DNS_PATIENCE:
        pause = min(timedelta(hours=1), max(timedelta(minutes=1), waited / 2))
        mails.postpone(tx, read.mail.id, tools.now() + pause, decision.reason)
        return decision
    held = Decision(Action.HOLD, decision.reasons, Disposition.HELD)
    apply(held, read, History(), tx, tools)
    return held


def apply(decision: Decision, read: Read, history: History, tx: Connection, tools: Tools) -> None:
    """Carries a decision out: entry, event, answer and the mail's line in the books, in one transaction."""
    now, slug = tools.now(), read.campaign.slug if read.campaign else None
    first = history.copy.id if history.copy else None
    proof_for_first = history.copy is not None and decision.disposition is not Disposition.DUPLICATE
    counted_mail = first if proof_for_first and first is not None else read.mail.id
    before = history.entry
    entry = _EFFECTS[decision.action](read, before, now) if decision.action in _EFFECTS else None
    changed = entry is not None and entry != before
    if entry is not None and changed:
        entry = entries.save(tx, entry, counted_mail)
    if decision.action in _EFFECTS and not changed:
        decision = replace(decision, disposition=Disposition.DUPLICATE)
    if slug is not None:
        _record(decision, slug, entry, changed, counted_mail, tx, now)
        _answer(decision, read, entry or before, changed, counted_mail, tx, tools)
    _finish(decision, read, entry, first, proof_for_first, tx, now)


def _finish(decision: Decision, read: Read, entry: Entry | None, first: int | None, proof_for_first: bool, tx: Connection, now: datetime) -> None:
    """Writes the mail's own end, and the first copy's where this one brought the proof."""
    slug = read.campaign.slug if read.campaign else None
    entry_id = entry.id if entry else None
    own = decision
    if proof_for_first and first is not None:
        mails.redecide(
            tx,
            first,
            disposition=decision.disposition,
            action=decision.action,
            reasons=list(decision.reasons),
            assurance=read.verdict.assurance,
            evidence=list(read.verdict.evidence),
            entry_id=entry_id,
            decided_at=now,
        )
        own = Decision(Action.IGNORE, ("is_a_copy", *decision.reasons), Disposition.DUPLICATE)
    key = read.content_key if first is None else None
    mails.finish(
        tx,
        read.mail.id,
        campaign=slug,
        parsed=read.parsed,
        verdict=read.verdict,
        decision=own,
        content_key=key,
        copy_of=first,
        entry_id=entry_id,
        decided_at=now,
    )


def _accepted(read: Read, before: Entry | None, now: datetime) -> Entry:
    """The person's entry as this mail makes it. A withdrawn entry lives again: the last word is theirs."""
    campaign, parsed = read.campaign, read.parsed
    if campaign is None or parsed.author is None:
        raise AssertionError("accepted without campaign or author")
    signer = parsed.signers[0]
    fresh = Entry(
        id=before.id if before else 0,
        campaign=campaign.slug,
        identity=identity(parsed.author),
        address=parsed.author,
        name=signer.name,
        title=signer.title,
        affiliation=signer.affiliation,
        place=signer.place,
        country=signer.country,
        organisation=parsed.organisation,
        words=parsed.words,
        language=parsed.language,
        named=_is_named(campaign, parsed),
        words_shown=parsed.public,
        assurance=read.verdict.assurance,
        state=EntryState.LIVE,
        version=before.version + 1 if before else 1,
        statement_hash=campaign.statement_hash,
        notice_version=campaign.notice_version,
        changed_at=now,
        last_word_at=_word_at(read, before),
        published=campaign.publish is Publish.AT_ONCE,
    )
    return before if before is not None and _same(before, fresh) else fresh


def _is_named(campaign: Campaign, parsed: ParsedMail) -> bool:
    """Consent to be named: as the campaign's notice says; a request not to be named always wins."""
    if not parsed.public or campaign.listing is Listing.COUNT:
        return False
    return campaign.listing is Listing.NAMED or parsed.asks_to_be_named


def _word_at(read: Read, before: Entry | None) -> datetime:
    said = min(read.verdict.signed_at or read.mail.received_at, read.mail.received_at)
    return max(said, before.last_word_at) if before and before.last_word_at else said


def _same(before: Entry, fresh: Entry) -> bool:
    """Whether a new mail leaves the entry as it is; a proof never gets worse by that."""
    same = {"version": 0, "changed_at": before.changed_at, "last_word_at": None, "assurance": before.assurance, "published": True}
    return _replaced(before, same) == _replaced(fresh, same)


def _withdrawn(read: Read, before: Entry | None, now: datetime) -> Entry | None:
    if before is None:
        return None
    return replace(before, state=EntryState.WITHDRAWN, version=before.version + 1, changed_at=now, last_word_at=_word_at(read, before))


def _corrected(read: Read, before: Entry | None, now: datetime) -> Entry | None:
    """The entry with only the fields that the mail speaks of changed."""
    if before is None:
        return None
    parsed = read.parsed
    said: dict[str, object] = _said(parsed.signers[0]) if len(parsed.signers) == 1 else {}
    if parsed.words:
        said["words"] = parsed.words
    if not parsed.public:
        said |= {"named": False, "words_shown": False}
    elif parsed.asks_to_be_named and read.campaign and read.campaign.listing is not Listing.COUNT:
        said |= {"named": True, "words_shown": True}
    fresh = _replaced(before, said)
    if fresh == before:
        return before
    return replace(fresh, version=before.version + 1, changed_at=now, last_word_at=_word_at(read, before))


def _replaced(entry: Entry, values: Mapping[str, Any]) -> Entry:
    """The entry with some fields changed, by name."""
    return replace(entry, **values)


def _said(signer: Signer) -> dict[str, object]:
    fields = {name: getattr(signer, name) for name in ("name", "title", "affiliation", "place", "country")}
    return {name: value for name, value in fields.items() if value}


_EFFECTS: dict[Action, Callable[[Read, Entry | None, datetime], Entry | None]] = {
    Action.ACCEPT: _accepted,
    Action.WITHDRAW: _withdrawn,
    Action.CORRECT: _corrected,
}

_EVENTS = {
    Disposition.COUNTED: EventKind.ENDORSED,
    Disposition.WITHDRAWN: EventKind.WITHDRAWN,
    Disposition.HELD: EventKind.HELD,
    Disposition.REFUSED: EventKind.REFUSED,
}


def _record(decision: Decision, slug: str, entry: Entry | None, changed: bool, mail_id: int, tx: Connection, now: datetime) -> None:
    """One event for whatever a digest should tell."""
    kind = _EVENTS.get(decision.disposition)
    if decision.disposition is Disposition.CHANGED and changed:
        kind = EventKind.CORRECTED if decision.action is Action.CORRECT else EventKind.UPDATED
    if kind is not None:
        entry_id = entry.id if entry else None
        events.append(tx, kind, campaign=slug, at=now, actor="mail", reason=decision.reason, entry_id=entry_id, mail_id=mail_id)


def _answer(decision: Decision, read: Read, entry: Entry | None, changed: bool, mail_id: int, tx: Connection, tools: Tools) -> None:
    """Puts at most one answer into the outbox, of the kind that the outcome asks for."""
    if read.campaign is None or read.parsed.author is None:
        return
    key = f"{read.campaign.slug}:{entry.id if entry else 0}:{mail_id}"
    answer = acknowledge.answer_for(
        decision, read.parsed, read.verdict, entry, read.campaign, key, null_sender=read.mail.envelope.sender == "", own_addresses=tools.by_address
    )
    if answer is None or (answer.kind is AnswerKind.ALREADY and changed):
        return
    now = tools.now()
    if outbox.recent(tx, answer.to, now - timedelta(days=1)) >= ANSWERS_A_DAY:
        return
    mail = tools.render.answer(answer, read.campaign, now)
    outbox.add(tx, mail, key=answer.key, kind=answer.kind, campaign=read.campaign.slug, now=now, mail_id=mail_id, entry_id=entry.id if entry else None)
