"""The daily digest: whose is due, and what happened in its window of the ledger."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from mailflow.config.campaign import Campaign, Organiser
from mailflow.model.answer import Digest, DigestItem
from mailflow.model.decision import Disposition
from mailflow.model.endorsement import Entry, EntryState, Event, EventKind

MOST_ITEMS = 50
"""Items shown of each kind; the others are only counted."""

LONGEST_TEXT = 200
"""Characters shown of any text that a stranger wrote."""

TEXT_BYTES = 48_000
"""Bytes that all texts of strangers may take in both bodies of one digest, so that it stays under 100 KB."""

OLDEST_WAITING = timedelta(days=3)
"""A mail that waits longer than this for a human raises an alarm."""

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_TAMED = str.maketrans({**dict.fromkeys("\u00ad\u034f\u115f\u1160\u2800\u3164\uffa0", " "), "[": "(", "]": ")"})
_JOINERS = "\u200c\u200d"
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]{4,}")

Held = tuple[int, str, str | None, datetime]
"""One mail that waits for a human: mail id, reason, language, waiting since."""


def due_day(organiser: Organiser, last_day: date | None, now: datetime) -> date | None:
    """Return the organiser's local date whose digest is due at ``now`` (aware), or ``None``.

    ``last_day`` is the date of the last one. After days of downtime only today's is due: windows
    join up, so it tells of all of them. The hour counts as reached even when the clocks jump over it:
    PEP 495 maps a local time that does not exist to an instant after the jump. A day that the jump cuts
    off before its hour has its digest at the first minute of the next. An hour that comes twice is one day all the
    same. Raises ValueError for a naive ``now``.
    """
    if now.tzinfo is None:
        raise ValueError("now has no time zone; pass an aware datetime")
    zone = organiser.tz
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        instant = datetime.combine(day, time(organiser.hour), zone).astimezone(UTC)
        if instant <= now and instant.astimezone(zone).date() == today:
            return day if last_day is None or last_day < day else None
    return None


def summarise(
    campaign: Campaign,
    organiser: Organiser,
    day: date,
    after: int,
    upto: int,
    events: Sequence[Event],
    entries: Mapping[int, Entry],
    held: Sequence[Held],
    books: Mapping[Disposition, int],
    endorsements: int,
    *,
    received: int | None = None,
    now: datetime | None = None,
    unread_folders: int = 0,
) -> Digest:
    """Return what ``organiser`` is told of the events in (after, upto].

    ``events`` may hold others, which are left out; ``entries`` are by id as they are now, so that nobody who has
    withdrawn since is named; ``held`` are the mails that wait, all of them or (more than fifty of) the oldest.
    ``received`` and ``now``, where given, add the alarms for books that do not balance and for mails that wait too long;
    ``unread_folders`` is how many folders of mailboxes could not be read for too long.
    """
    window = [event for event in events if event.campaign == campaign.slug and event.seq is not None and after < event.seq <= upto]
    kinds = Counter(event.kind for event in window)
    endorsed = list({event.entry_id or -event.id: event for event in window if event.kind is EventKind.ENDORSED}.values())
    new, more_new = _new_items(endorsed, entries, organiser.names)
    oldest = sorted(held, key=lambda one: (one[3], one[0]))
    return Digest(
        campaign=campaign.slug,
        organiser=organiser.address,
        day=day,
        after=after,
        upto=upto,
        endorsements=endorsements,
        books=tuple((line.value, books.get(line, 0)) for line in Disposition),
        counts=tuple((kind, kinds[kind]) for kind in EventKind),
        new=new,
        waiting=tuple(_waiting_item(one) for one in oldest[:MOST_ITEMS]),
        more_new=more_new,
        more_waiting=_more_waiting(len(oldest), books),
        alarms=(*_alarms(kinds, oldest, books, received, now), *([f"unread_folders:{unread_folders}"] if unread_folders else [])),
    )


def is_wanted(digest: Digest, *, on_empty_days: bool = True) -> bool:
    """Whether the digest is to be sent: always, or only where something happened, waits or is wrong."""
    return on_empty_days or not is_empty(digest)


def is_empty(digest: Digest) -> bool:
    """Whether there is nothing to tell."""
    return not (digest.waiting or digest.alarms or any(count for _, count in digest.counts))


def short_id(number: int) -> str:
    """Return a mail's id as people type it: base 32 after Crockford, without I, L, O and U; 615 is ``K7``.

    Raises ValueError for a negative number.
    """
    if number < 0:
        raise ValueError("an id is never negative")
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 32)
        digits = _DIGITS[digit] + digits
    return digits


def id_of(short: str) -> int:
    """Return the id behind what somebody typed; case does not matter, O is read as 0, I and L as 1.

    Raises ValueError for anything else.
    """
    typed = short.strip().upper().translate(_READ_AS)
    if not 1 <= len(typed) <= 13 or not set(typed) <= set(_DIGITS):
        raise ValueError("not an id; an id looks like K7")
    number = 0
    for digit in typed:
        number = number * 32 + _DIGITS.index(digit)
    return number


def one_line(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return ``text`` as one line of at most ``longest`` characters that stays in its place.

    Controls, line breaks, bidi marks and blanks in disguise become single spaces, stacked accents are thinned out,
    and square brackets, which mark our ids, become round ones.
    """
    text = text[: longest * 8].translate(_TAMED)
    if not text.isprintable():
        text = "".join(char if char in _JOINERS or unicodedata.category(char) not in _UNSEEN else " " for char in text)
    text = _MARKS.sub(lambda found: found.group()[:3], " ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})


def _new_items(endorsed: Sequence[Event], entries: Mapping[int, Entry], names: bool) -> tuple[tuple[DigestItem, ...], int]:
    """The new endorsements that still stand, as many as fit, and how many more there are."""
    standing = [event for event in endorsed if _stands(event, entries)]
    items: list[DigestItem] = []
    room = TEXT_BYTES
    for event in standing[:MOST_ITEMS]:
        item = _new_item(event, entries.get(event.entry_id or 0), names)
        room -= sum(len(text.encode()) + len(html.escape(text).encode()) for text in (item.name, item.detail, item.words))
        if room < 0:
            break
        items.append(item)
    return tuple(items), len(standing) - len(items)


def _stands(event: Event, entries: Mapping[int, Entry]) -> bool:
    entry = entries.get(event.entry_id or 0)
    return entry is None or entry.state is EntryState.LIVE


def _new_item(event: Event, entry: Entry | None, names: bool) -> DigestItem:
    short = short_id(event.mail_id) if event.mail_id is not None else f"E-{short_id(event.entry_id or 0)}"
    if entry is None or not names:
        return DigestItem(event.kind, short)
    if not entry.named:  # a digest leaves the house: the wish not to be named goes before the organiser's
        return DigestItem(event.kind, short, reason="not_named", language=_tag(entry.language))
    told = tuple(dict.fromkeys((entry.title, entry.affiliation, entry.place, entry.country, entry.organisation)))
    return DigestItem(
        event.kind,
        short,
        name=one_line(entry.name),
        detail=one_line(", ".join(text for text in told if text)),
        words=one_line(entry.words) if entry.words_shown else "",
        language=_tag(entry.language),
    )


def _waiting_item(held: Held) -> DigestItem:
    """Only what we made ourselves: an id, a rule's name, a language tag and a date."""
    mail_id, reason, language, since = held
    day = since.astimezone(UTC).date().isoformat()
    return DigestItem(EventKind.HELD, short_id(mail_id), reason=reason, detail=day, language=_tag(language))


def _more_waiting(given: int, books: Mapping[Disposition, int]) -> int:
    """How many wait beyond those shown; where the caller gave only the oldest, the books know of the others."""
    booked = books.get(Disposition.HELD, 0) + books.get(Disposition.SET_ASIDE, 0)
    return max(given, booked) - MOST_ITEMS if given > MOST_ITEMS else 0


def _tag(language: str | None) -> str:
    return language if language and re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}", language) else ""


def _alarms(
    kinds: Mapping[EventKind, int], oldest: Sequence[Held], books: Mapping[Disposition, int], received: int | None, now: datetime | None
) -> tuple[str, ...]:
    """Names of alarms with a figure, ``name:n``; the template has the words."""
    waiting_long = sum(1 for one in oldest if now is not None and now - one[3] > OLDEST_WAITING)
    off = 0 if received is None else received - sum(books.values())
    found: Iterable[tuple[str, int]] = (
        ("books_do_not_balance", off),
        ("set_aside", books.get(Disposition.SET_ASIDE, 0)),
        ("bounced", kinds.get(EventKind.BOUNCED, 0)),
        ("waiting_long", waiting_long),
    )
    return tuple(f"{name}:{figure}" for name, figure in found if figure)
