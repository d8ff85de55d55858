"""How a person's word changes their entry: pure, from the mail and the entry before it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailflow.config.campaign import Campaign, Listing, Publish
from mailflow.decide.identity import identity
from mailflow.model.decision import Action
from mailflow.model.endorsement import Entry, EntryState
from mailflow.model.mail import ParsedMail, Signer, Verdict


@dataclass(frozen=True, slots=True)
class Word:
    """What a proven person said, and when it reached us."""

    mail: ParsedMail
    verdict: Verdict
    campaign: Campaign | None
    received_at: datetime


def changed_entry(action: Action, word: Word, before: Entry | None, now: datetime) -> Entry | None:
    """The entry as the action makes it; equal to ``before`` where nothing changes, ``None`` for actions that touch no entry."""
    change = CHANGES.get(action)
    return change(word, before, now) if change else None


def _accepted(word: Word, before: Entry | None, now: datetime) -> Entry:
    """The person's entry as this mail makes it. A withdrawn entry lives again: the last word is theirs."""
    campaign, parsed = word.campaign, word.mail
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
        assurance=word.verdict.assurance,
        state=EntryState.LIVE,
        version=before.version + 1 if before else 1,
        statement_hash=campaign.statement_hash,
        notice_version=campaign.notice_version,
        changed_at=now,
        last_word_at=_word_at(word, before),
        published=campaign.publish is Publish.AT_ONCE,
    )
    return before if before is not None and _same(before, fresh) else fresh


def _is_named(campaign: Campaign, parsed: ParsedMail) -> bool:
    """Consent to be named: as the campaign's notice says; a request not to be named always wins."""
    if not parsed.public or campaign.listing is Listing.COUNT:
        return False
    return campaign.listing is Listing.NAMED or parsed.asks_to_be_named


def _word_at(word: Word, before: Entry | None) -> datetime:
    said = min(word.verdict.signed_at or word.received_at, word.received_at)
    return max(said, before.last_word_at) if before and before.last_word_at else said


def _same(before: Entry, fresh: Entry) -> bool:
    """Whether a new mail leaves the entry as it is; a proof never gets worse by that."""
    same = {"version": 0, "changed_at": before.changed_at, "last_word_at": None, "assurance": before.assurance, "published": True}
    return _replaced(before, same) == _replaced(fresh, same)


def _withdrawn(word: Word, before: Entry | None, now: datetime) -> Entry | None:
    if before is None:
        return None
    return replace(before, state=EntryState.WITHDRAWN, version=before.version + 1, changed_at=now, last_word_at=_word_at(word, before))


def _corrected(word: Word, before: Entry | None, now: datetime) -> Entry | None:
    """The entry with only the fields that the mail speaks of changed."""
    if before is None:
        return None
    parsed = word.mail
    said: dict[str, object] = _said(parsed.signers[0]) if len(parsed.signers) == 1 else {}
    if parsed.words:
        said["words"] = parsed.words
    if not parsed.public:
        said |= {"named": False, "words_shown": False}
    elif parsed.asks_to_be_named and word.campaign and word.campaign.listing is not Listing.COUNT:
        said |= {"named": True, "words_shown": True}
    fresh = _replaced(before, said)
    if fresh == before:
        return before
    return replace(fresh, version=before.version + 1, changed_at=now, last_word_at=_word_at(word, before))


def _replaced(entry: Entry, values: Mapping[str, Any]) -> Entry:
    """The entry with some fields changed, by name."""
    return replace(entry, **values)


def _said(signer: Signer) -> dict[str, object]:
    fields = {name: getattr(signer, name) for name in ("name", "title", "affiliation", "place", "country")}
    return {name: value for name, value in fields.items() if value}


CHANGES: Mapping[Action, Callable[[Word, Entry | None, datetime], Entry | None]] = {
    Action.ACCEPT: _accepted,
    Action.WITHDRAW: _withdrawn,
    Action.CORRECT: _corrected,
}
