"""receive(mail) and apply(decision): the whole path of a mail on one screen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.engine import Connection, RowMapping

from mailflow import acknowledge, crash
from mailflow.config.campaign import Campaign, Listing, Publish
from mailflow.decide import Facts, FirstCopy, History, Policy, decide, identity
from mailflow.decide.rules import author_is_unproven, is_a_copy
from mailflow.model.answer import Answer, OutgoingMail
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EntryState, EventKind
from mailflow.model.mail import KeptMail, ParsedMail, Signer, Verdict
from mailflow.model.outside import Now
from mailflow.store import effects, entries, mails, outbox
from mailflow.store.effects import Effects, Said
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
        (decision,) = settle([read], tx, tools)
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


def settle(reads: Sequence[Read], tx: Connection, tools: Tools) -> list[Decision]:
    """Decides with each author's past in view and carries the decisions out, all in the caller's transaction.

    The reads must be about different people and different contents (see ``apart``). Raises
    sqlalchemy.exc.IntegrityError when another worker settled one of them at this moment; the caller rolls back.
    """
    now = tools.now()
    pasts = past(reads, tx)
    answered = outbox.recent(tx, [read.parsed.author for read in reads if read.parsed.author], now - timedelta(days=1))
    group = []
    for read, history in zip(reads, pasts, strict=True):
        decision = decide(facts_of(read, history))
        if decision.action is Action.DEFER and (until := put_off(read, now)) is not None:
            group.append(Effects(read.mail.id, read.mail.id, decision, {}, now, postpone=until))
        else:
            group.append(apply(decision, read, history, answered.get(read.parsed.author or "", 0), now, tools))
    effects.write(tx, group)
    return [one.decision for one in group]


def apart(reads: Sequence[Read]) -> int:
    """How many of the first reads are about different people and different contents, and so may be settled together."""
    seen: set[str] = set()
    for count, read in enumerate(reads):
        mine = {read.content_key, f"{read.content_key.partition(':')[0]}:{identity(read.parsed.author or str(count))}"}
        if seen & mine:
            return count
        seen |= mine
    return len(reads)


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


def past(reads: Sequence[Read], tx: Connection) -> list[History]:
    """What the store knows of each content and of each author."""
    copies = mails.first_copies(tx, [read.content_key for read in reads])
    people = entries.find_all(tx, {(read.campaign.slug, identity(read.parsed.author)) for read in reads if read.campaign and read.parsed.author})
    return [_history(read, copies.get(read.content_key), people) for read in reads]


def _history(read: Read, row: RowMapping | None, people: Mapping[tuple[str, str], Entry]) -> History:
    entry = None
    if read.campaign is not None and read.parsed.author is not None:
        entry = people.get((read.campaign.slug, identity(read.parsed.author)))
    if row is None or row["id"] == read.mail.id:
        return History(entry=entry)
    waits = row["disposition"] == Disposition.HELD and (row["reasons"] or [""])[0] == author_is_unproven.__name__
    return History(FirstCopy(row["id"], mails.proven_before(row["assurance"]), waits, row["entry_id"]), entry)


def put_off(read: Read, now: datetime) -> datetime | None:
    """DNS was down: until when the mail waits, with growing patience; ``None`` after 48 hours, when a human looks."""
    waited = now - read.mail.received_at
    if waited >= DNS_PATIENCE:
        return None
    return now + min(timedelta(hours=1), max(timedelta(minutes=1), waited / 2))


def apply(decision: Decision, read: Read, history: History, answered: int, now: datetime, tools: Tools) -> Effects:
    """What a decision does: entry, event, answer and the mail's line in the books; written together by effects.write.

    ``answered`` is how many answers the author had in the last 24 hours.
    """
    if decision.action is Action.DEFER:
        decision = Decision(Action.HOLD, decision.reasons, Disposition.HELD)
    before = history.entry
    entry = _CHANGES[decision.action](read, before, now) if decision.action in _CHANGES else None
    changed = entry is not None and entry != before
    lends_proof = history.copy is not None and decision.disposition is not Disposition.DUPLICATE
    if decision.action in _CHANGES and not changed:
        decision = replace(decision, disposition=Disposition.DUPLICATE)
    first = history.copy.id if history.copy else None
    cause = first if lends_proof and first is not None else read.mail.id
    own = Decision(Action.IGNORE, (is_a_copy.__name__, *decision.reasons), Disposition.DUPLICATE) if lends_proof else decision
    return Effects(
        mail_id=read.mail.id,
        cause=cause,
        decision=own,
        found=_found(read, first is None),
        now=now,
        campaign=read.campaign.slug if read.campaign else None,
        entry=entry,
        changed=changed,
        event=_event_of(decision, changed=changed),
        said=_answer(decision, read, entry or before, cause, now, tools) if answered < ANSWERS_A_DAY else None,
        first=decision if lends_proof else None,
        copy_of=first,
    )


def _found(read: Read, is_first: bool) -> dict[str, Any]:
    """The columns that tell what was read and how far it is proven."""
    return {
        "campaign": read.campaign.slug if read.campaign else None,
        "assurance": read.verdict.assurance,
        "evidence": list(read.verdict.evidence),
        "language": read.parsed.language,
        "content_hash": read.parsed.content_hash,
        "content_key": read.content_key if is_first else None,
    }


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


_CHANGES: dict[Action, Callable[[Read, Entry | None, datetime], Entry | None]] = {
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


def _event_of(decision: Decision, *, changed: bool) -> EventKind | None:
    """The event for whatever a digest should tell."""
    if decision.disposition is Disposition.CHANGED and changed:
        return EventKind.CORRECTED if decision.action is Action.CORRECT else EventKind.UPDATED
    return _EVENTS.get(decision.disposition)


def _answer(decision: Decision, read: Read, entry: Entry | None, cause: int, now: datetime, tools: Tools) -> Said | None:
    """At most one answer, of the kind that the outcome asks for."""
    if read.campaign is None or read.parsed.author is None:
        return None
    null_sender = read.mail.envelope.sender == ""
    answer = acknowledge.answer_for(
        decision, read.parsed, read.verdict, entry, read.campaign, f"{read.campaign.slug}:{cause}", null_sender=null_sender, own_addresses=tools.by_address
    )
    return None if answer is None else Said(tools.render.answer(answer, read.campaign, now), answer.kind, answer.key)
