"""The tables. Migrations in store/migrations lead to exactly this (a test compares)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Due at once: a mail must not wait for its own arrival when the clock is set back."""
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC, kept as microseconds since 1970: the same in both databases, and cheap."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Raises TypeError on a naive datetime."""
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The datetime of a stored number."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite numbers rows itself only in a column that is INTEGER to the letter."""

metadata = sa.MetaData()

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("campaign", sa.String(63)),
    sa.Column("door", sa.String(80), nullable=False),
    sa.Column("sender", sa.Text),
    sa.Column("recipients", sa.JSON, nullable=False),
    sa.Column("client", sa.String(64)),
    sa.Column("helo", sa.Text),
    sa.Column("trusted_results", sa.JSON, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    # where it stands
    sa.Column("disposition", sa.String(24), nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease_owner", sa.String(80)),
    sa.Column("lease_until", Moment),
    # what was found
    sa.Column("content_hash", sa.String(64)),
    sa.Column("content_key", sa.String(128), unique=True),
    sa.Column("copy_of", Id, sa.ForeignKey("mails.id")),
    sa.Column("entry_id", Id, sa.ForeignKey("entries.id")),
    sa.Column("action", sa.String(16)),
    sa.Column("reasons", sa.JSON),
    sa.Column("assurance", sa.String(16)),
    sa.Column("evidence", sa.JSON),
    sa.Column("language", sa.String(35)),
    sa.Column("error", sa.Text),
    sa.Column("decided_at", Moment),
    sqlite_autoincrement=True,
)
_in_flight = mails.c.disposition == sa.literal_column("'in_flight'")
sa.Index("mails_waiting", mails.c.due_at, mails.c.id, sqlite_where=_in_flight, postgresql_where=_in_flight)
sa.Index("mails_books", mails.c.campaign, mails.c.disposition)

raws = sa.Table(
    "raws",
    metadata,
    sa.Column("mail_id", Id, sa.ForeignKey("mails.id"), primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("campaign", sa.String(63), nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("affiliation", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("country", sa.String(2)),
    sa.Column("organisation", sa.Text),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("language", sa.String(35)),
    sa.Column("named", sa.Boolean, nullable=False),
    sa.Column("words_shown", sa.Boolean, nullable=False),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.Column("assurance", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("statement_hash", sa.String(64), nullable=False),
    sa.Column("notice_version", sa.String(40), nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("last_word_at", Moment),
    sa.UniqueConstraint("campaign", "identity", name="entries_one_per_person"),
    sqlite_autoincrement=True,
)
sa.Index("entries_state", entries.c.campaign, entries.c.state)

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("entry_id", Id, sa.ForeignKey("entries.id"), primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("mail_id", Id, sa.ForeignKey("mails.id")),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("seq", sa.BigInteger, unique=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("campaign", sa.String(63), nullable=False),
    sa.Column("entry_id", Id, sa.ForeignKey("entries.id")),
    sa.Column("mail_id", Id, sa.ForeignKey("mails.id")),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("reason", sa.String(80), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("events_campaign", events.c.campaign, events.c.seq)
_unnumbered = events.c.seq.is_(None)
sa.Index("events_unnumbered", events.c.id, sqlite_where=_unnumbered, postgresql_where=_unnumbered)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("key", sa.String(200), nullable=False, unique=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("campaign", sa.String(63), nullable=False),
    sa.Column("mail_id", Id, sa.ForeignKey("mails.id")),
    sa.Column("entry_id", Id, sa.ForeignKey("entries.id")),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease_owner", sa.String(80)),
    sa.Column("lease_until", Moment),
    sa.Column("error", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sqlite_autoincrement=True,
)
_waiting = outbox.c.state == sa.literal_column("'waiting'")
sa.Index("outbox_waiting", outbox.c.due_at, outbox.c.id, sqlite_where=_waiting, postgresql_where=_waiting)
sa.Index("outbox_state", outbox.c.state)
sa.Index("outbox_recipient", outbox.c.recipient, outbox.c.created_at)

digests = sa.Table(
    "digests",
    metadata,
    sa.Column("campaign", sa.String(63), primary_key=True),
    sa.Column("organiser", sa.String(254), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("after", sa.BigInteger, nullable=False),
    sa.Column("upto", sa.BigInteger, nullable=False),
    sa.Column("outbox_id", Id, sa.ForeignKey("outbox.id")),
    sa.Column("created_at", Moment, nullable=False),
)

reviewers = sa.Table(
    "reviewers",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("campaign", sa.String(63), nullable=False),
    sa.Column("address", sa.String(254), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),
    sa.UniqueConstraint("campaign", "address", name="reviewers_once"),
    sqlite_autoincrement=True,
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("owner", sa.String(80), nullable=False),
    sa.Column("until", Moment, nullable=False),
)

mailboxes = sa.Table(
    "mailboxes",
    metadata,
    sa.Column("account", sa.String(31), primary_key=True),
    sa.Column("folder", sa.String(255), primary_key=True),
    sa.Column("uidvalidity", sa.BigInteger, nullable=False),
    sa.Column("next_uid", sa.BigInteger, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("read_at", Moment),
    sa.Column("trouble", sa.Text),
)
"""How far each folder was read: every UID below ``next_uid`` is dealt with."""

fetched = sa.Table(
    "fetched",
    metadata,
    sa.Column("account", sa.String(31), primary_key=True),
    sa.Column("folder", sa.String(255), primary_key=True),
    sa.Column("uidvalidity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("uid", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("mail_id", Id, sa.ForeignKey("mails.id")),
    sa.Column("sha256", sa.String(64)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("treat_at", Moment),
)
"""What became of each UID; of other people's mail nothing but the number is here. ``treat_at``: the server is still to be told."""
sa.Index("fetched_bytes", fetched.c.account, fetched.c.sha256)
_untreated = fetched.c.treat_at.is_not(None)
sa.Index("fetched_untreated", fetched.c.account, fetched.c.folder, fetched.c.treat_at, sqlite_where=_untreated, postgresql_where=_untreated)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What the store knows of itself, such as the secret that Message-IDs are made with."""
