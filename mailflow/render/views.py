"""What the templates are shown: only finished text, no objects of ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace

from markupsafe import Markup

from mailflow.config.campaign import Campaign, Organiser, Statement
from mailflow.config.campaign import Listing as NamingRule
from mailflow.listing import PublicEntry, printable, public_entry
from mailflow.model.answer import Answer, Digest, DigestItem
from mailflow.model.endorsement import EntryState, EventKind
from mailflow.render.catalogue import Catalogue

_MOST_CAMPAIGNS = 100
_VERSIONED = frozenset({"statement", "notice_version"})  # sentences that tell which versions somebody endorsed


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all answers of a campaign in one language share: values for templates, values for sentences.

    ``versions`` are those of the statement and the notice that the values name.
    """

    values: Mapping[str, object]
    texts: Mapping[str, str]
    markup: Mapping[str, str]
    versions: tuple[str, str]


class AnswerViews:
    """What each answer shows; keeps what is the same for every answer of a campaign in one language."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        """``catalogues`` are by language tag, ``en`` among them."""
        self._catalogues = catalogues
        self._frames: dict[tuple[int, str], tuple[Campaign, _Frame]] = {}

    @property
    def languages(self) -> frozenset[str]:
        """The tags there is a catalogue for."""
        return frozenset(self._catalogues)

    def of(self, answer: Answer, campaign: Campaign) -> dict[str, object]:
        """Return the values for one answer's templates."""
        catalogue = self._catalogues.get(answer.language) or self._catalogues["en"]
        entry = answer.entry
        public = public_entry(entry, campaign) if entry is not None else None
        frame = self._frame(campaign, catalogue)
        versions = (entry.statement_hash, entry.notice_version) if entry else frame.versions
        return {
            **frame.values,
            **({} if versions == frame.versions else _version_lines(catalogue, versions, frame.texts, frame.markup)),
            "lines": entry_lines(public, catalogue) if public else [],
            "words": [line for line in public.words.split("\n") if line.strip()] if public else [],
            "words_hidden": entry is not None and bool(entry.words) and not (public and public.words),
            "named": public is not None,
            "appears_later": entry is not None and not entry.published,
            "counted": entry is not None and entry.state is EntryState.LIVE,
        }

    def _frame(self, campaign: Campaign, catalogue: Catalogue) -> _Frame:
        """The campaign's own part. The key is the object's identity, and the object is kept, so that it stays its own."""
        key = (id(campaign), catalogue.language)
        if key not in self._frames:
            if len(self._frames) >= _MOST_CAMPAIGNS:
                self._frames.clear()
            self._frames[key] = (campaign, _frame(campaign, catalogue))
        return self._frames[key][1]


def _frame(campaign: Campaign, catalogue: Catalogue) -> _Frame:
    statement = statement_for(campaign, catalogue.language)
    title = one_line(statement.title)
    short = title if len(title) <= 120 else title[:119].rstrip() + "…"
    controller = one_line(campaign.controller)
    same = {"date": catalogue.long_date(statement.date), "short_title": short}
    texts = {**same, "title": catalogue.isolate(title), "controller": catalogue.isolate(controller)}
    versions = (campaign.statement_hash, campaign.notice_version)
    marked = Markup('<bdi lang="{}">{}</bdi>').format(statement.language, title)
    markup = {**same, "title": marked, "controller": Markup("<bdi>{}</bdi>").format(controller)}
    values = {
        "t": SimpleNamespace(**{key: catalogue.say(key, **texts) for key in catalogue.texts if key not in _VERSIONED}),
        "h": SimpleNamespace(**{key: catalogue.say_html(key, **markup) for key in catalogue.texts if key not in _VERSIONED}),
        **_version_lines(catalogue, versions, texts, markup),
        "language": catalogue.language,
        "direction": "rtl" if catalogue.rtl else "ltr",
        "notice": [line for line in printable(campaign.notice).split("\n") if line.strip()],
        "notice_language": campaign.languages[0],
        "may_be_named": campaign.listing is not NamingRule.COUNT,
    }
    return _Frame(values, texts, markup, versions)


def _version_lines(
    catalogue: Catalogue, versions: tuple[str, str], texts: Mapping[str, str], markup: Mapping[str, str]
) -> dict[str, object]:
    """The lines that say which statement and which notice somebody endorsed; ``versions`` are theirs."""
    statement, notice = versions[0][:12], versions[1]
    return {
        "statement_line": catalogue.say("statement", version=statement, **texts),
        "statement_html": catalogue.say_html("statement", version=statement, **markup),
        "notice_line": catalogue.say("notice_version", version=notice),
        "notice_html": catalogue.say_html("notice_version", version=notice),
    }


def statement_for(campaign: Campaign, language: str) -> Statement:
    """Return the statement in ``language`` or its nearest kin, else the original."""
    for tag in (language, language.partition("-")[0]):
        for statement in campaign.statements:
            if statement.language.lower() in (tag.lower(), f"{tag}-hans".lower()):
                return statement
    return campaign.statements[0]


def entry_lines(entry: PublicEntry, catalogue: Catalogue) -> list[str]:
    """Return the lines of an entry as the list shows it, without the words."""
    country = catalogue.country(entry.country) if entry.country else ""
    organisation = entry.organisation if entry.organisation != entry.affiliation else ""
    groups = ((entry.name,), (entry.title, entry.affiliation), (organisation,), (entry.place, country))
    lines = (catalogue.say("list_separator").join(catalogue.isolate(text) for text in group if text) for group in groups)
    return [line for line in lines if line]


def one_line(text: str) -> str:
    """Return a text of the campaign file as one line."""
    return " ".join(printable(text).split())


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a digest as it is shown; every field is one line."""

    id: str
    about: str
    words: str = ""
    since: str = ""
    language: str = ""


def digest_view(digest: Digest, campaign: Campaign, organiser: Organiser, catalogue: Catalogue) -> dict[str, object]:
    """Return the values for a digest's templates."""
    say = catalogue.say
    counts = dict(digest.counts)
    books = [(say(f"book_{line}"), count) for line, count in digest.books]
    told = (EventKind.UPDATED, EventKind.CORRECTED, EventKind.WITHDRAWN, EventKind.REFUSED, EventKind.BOUNCED)
    return {
        "t": say,
        "h": catalogue.say_html,
        "language": catalogue.language,
        "direction": "rtl" if catalogue.rtl else "ltr",
        "campaign": one_line(campaign.name),
        "day": catalogue.long_date(digest.day),
        "zone": organiser.zone,
        "endorsements": digest.endorsements,
        "new_count": counts.get(EventKind.ENDORSED, 0),
        "waiting_count": len(digest.waiting) + digest.more_waiting,
        "new": [_new_line(item, catalogue) for item in digest.new],
        "waiting": [_waiting_line(item, catalogue) for item in digest.waiting],
        "more_new": digest.more_new,
        "more_waiting": digest.more_waiting,
        "other": [(say(f"event_{kind}"), counts[kind]) for kind in told if counts.get(kind)],
        "alarms": [_alarm(alarm, catalogue) for alarm in digest.alarms],
        "books": books,
        "received": sum(count for _, count in digest.books),
        "names": organiser.names,
        "empty": not (digest.waiting or digest.alarms or any(counts.values())),
    }


def _new_line(item: DigestItem, catalogue: Catalogue) -> Line:
    if item.reason == "not_named":
        return Line(item.short_id, catalogue.say("not_named"))
    about = ", ".join(catalogue.isolate(text) for text in (item.name, item.detail) if text)
    return Line(item.short_id, about, words=catalogue.isolate(item.words), language=item.language)


def _waiting_line(item: DigestItem, catalogue: Catalogue) -> Line:
    key = f"reason_{item.reason}"
    if key in catalogue.texts:
        why = catalogue.say(key)
    else:
        name = item.reason if re.fullmatch(r"[a-z][a-z0-9_]{0,60}", item.reason) else "-"
        why = catalogue.say("reason_other", name=name.replace("_", " "))
    since = catalogue.long_date(date.fromisoformat(item.detail)) if item.detail else ""
    return Line(item.short_id, why, since=since, language=item.language)


def _alarm(alarm: str, catalogue: Catalogue) -> str:
    name, _, figure = alarm.partition(":")
    return catalogue.say(f"alarm_{name}", count=figure)
