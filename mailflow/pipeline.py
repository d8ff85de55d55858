"""receive(mail) and apply(decision): the whole path of a mail on one screen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.engine import Connection, RowMapping

from mailflow import acknowledge, crash
from mailflow.config.campaign import Campaign
from mailflow.decide import Facts, FirstCopy, History, Policy, decide, identity
from mailflow.decide.addressee import route
from mailflow.decide.change import CHANGES, Word, changed_entry
from mailflow.decide.rules import author_is_unproven, is_a_copy
from mailflow.model.answer import Answer, OutgoingMail
from mailflow.model.decision import Action, Decision, Disposition
from mailflow.model.endorsement import Entry, EventKind
from mailflow.model.mail import KeptMail, ParsedMail, Verdict
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
    found = route((*parsed.delivered_to, *parsed.addressees), tools.by_address)
    if found.campaign is not None:
        return tools.campaigns[found.campaign]
    if found.torn:
        return None
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
        junk=read.mail.envelope.door.startswith("imap-junk:"),
    )


def past(reads: Sequence[Read], tx: Connection) -> list[History]:
    """What the store knows of each content and of each author."""
    copies = mails.first_copies(tx, [read.content_key for read in reads])
    people = entries.find_all(
        tx, {(read.campaign.slug, identity(read.parsed.author)) for read in reads if read.campaign and read.parsed.author}
    )
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
    entry = changed_entry(decision.action, Word(read.parsed, read.verdict, read.campaign, read.mail.received_at), before, now)
    changed = entry is not None and entry != before
    lends_proof = history.copy is not None and decision.disposition is not Disposition.DUPLICATE
    if decision.action in CHANGES and not changed:
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
        decision,
        read.parsed,
        read.verdict,
        entry,
        read.campaign,
        f"{read.campaign.slug}:{cause}",
        null_sender=null_sender,
        own_addresses=tools.by_address,
    )
    return None if answer is None else Said(tools.render.answer(answer, read.campaign, now), answer.kind, answer.key)
