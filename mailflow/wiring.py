"""Puts the pieces together: the only place that knows them all."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mailflow import pipeline
from mailflow.authenticate import authenticate
from mailflow.clock import clock
from mailflow.config.campaign import Campaign
from mailflow.config.imap import ImapSettings
from mailflow.config.load import Config, load, reading_context
from mailflow.config.settings import LimitSettings, WorkerSettings
from mailflow.decide import identity
from mailflow.intake.imap.session import Secret
from mailflow.jobs.imap import Mailboxes, run_mailboxes
from mailflow.jobs.intake import run_intake
from mailflow.jobs.sender import Sender
from mailflow.jobs.supervisor import StopSign
from mailflow.jobs.ticker import Ticker
from mailflow.jobs.worker import Worker
from mailflow.model.errors import BadConfig, Lost
from mailflow.model.mail import KeptMail, ParsedMail, ReadingContext, Verdict
from mailflow.model.outside import Now, Resolver
from mailflow.packaged import packaged
from mailflow.parse import Lexicon, parse
from mailflow.parse.knowledge import load_lexicon
from mailflow.render import Renderer
from mailflow.resolver import PublicSuffixes, SystemResolver, TableResolver
from mailflow.store import leases, migrate
from mailflow.store.engine import Store, open_store

if TYPE_CHECKING:
    from mailflow.intake.oauth import Tokens

log = logging.getLogger("mailflow.run")


@dataclass
class Program:
    """One process's view of the whole: config, store and tools, each made when first asked for."""

    config: Config
    lexicon: Lexicon | None = None

    @classmethod
    def at(cls, folder: Path) -> "Program":
        """The program that a config folder describes. Raises BadConfig."""
        return cls(load(folder))

    def at_port(self, port: int) -> "Program":
        """The same program, listening on ``port``."""
        smtp = self.config.settings.smtp.model_copy(update={"port": port})
        return Program(replace(self.config, settings=self.config.settings.model_copy(update={"smtp": smtp})), self.lexicon)

    @cached_property
    def now(self) -> Now:
        """The clock."""
        return clock()

    @cached_property
    def store(self) -> Store:
        """The open store, its schema at the present. Raises BadConfig, StoreUnavailable."""
        return self.open_store()

    def open_store(self) -> Store:
        """A store of the caller's own, to be closed by it. Raises BadConfig, StoreUnavailable."""
        store = open_store(self.config.settings.store, self.config.root)
        migrate.upgrade(store)
        return store

    @cached_property
    def renderer(self) -> Renderer:
        """What turns answers and digests into mails."""
        with self.store.read() as tx:
            secret = leases.fact(tx, "secret")
        if secret is None:
            with self.store.write() as tx:
                return Renderer(packaged("templates"), leases.secret(tx))
        return Renderer(packaged("templates"), bytes.fromhex(secret))

    @cached_property
    def tools(self) -> pipeline.Tools:
        """What the path of a mail needs."""
        reader = Reader(self.lexicon or load_lexicon(), self.config.settings.limits)
        return pipeline.Tools(
            campaigns=self.config.campaigns,
            by_address=by_identity(self.config.campaigns),
            read=reader,
            authenticate=authenticator(resolver_for(self.config.settings.workers, self.config.root)),
            render=self.renderer,
            now=self.now,
        )

    def worker(self, owner: str, *, killable: bool = True) -> Worker:
        """A worker of this program."""
        settings = self.config.settings
        lease = timedelta(seconds=settings.workers.lease_seconds)
        return Worker(self.store, self.tools, owner, lease, settings.limits, killable)

    def sender(self, owner: str) -> Sender:
        """A sender of this program."""
        settings = self.config.settings
        return Sender(self.store, settings.smarthost, settings.smtp.hostname, owner, self.now)

    @cached_property
    def mailboxes(self) -> Mailboxes:
        """The IMAP accounts. The store is opened by whichever thread needs it first, and once."""
        once = threading.Lock()

        def store() -> Store:
            with once:
                return self.store

        return Mailboxes(self.config, store, self.now, self._secret)

    def _secret(self, account: ImapSettings) -> Secret:
        """What an account logs in with: its password, or an access token that is fresh when the last one was refused."""
        if account.oauth is None:
            password = account.password.get_secret_value() if account.password is not None else ""
            return lambda _again: password
        # Imported here: only accounts that log in with OAuth2 need it.
        from mailflow.intake.oauth import Tokens  # noqa: PLC0415

        tokens = self._tokens.setdefault(account.name, Tokens(account, self.config.root, self.now))
        return lambda again: tokens.access(fresh=again)

    @cached_property
    def _tokens(self) -> "dict[str, Tokens]":
        """One for each account that logs in with OAuth2, shared by its folders."""
        return {}

    def ticker(self, owner: str) -> Ticker:
        """The clock of this program."""
        return Ticker(self.store, dict(self.config.campaigns), self.renderer, owner, self.now, tuple(self.config.settings.imap))


def part_of(program: Program) -> Callable[[str, str, StopSign], int]:
    """What a process of the service does, by role; it makes everything anew but the lexicon, which is read-only."""
    lexicon = load_lexicon()

    def part(role: str, name: str, stop: StopSign) -> int:
        own = Program(program.config, lexicon)
        try:
            if role == "intake":
                run_intake(own.config, lambda: own.store, own.now, stop)
            elif role == "imap":
                run_mailboxes(own.mailboxes, name, stop, stop.set)
            elif role == "worker":
                own.worker(name).run(stop)
            elif role == "sender":
                own.sender(name).run(stop)
            else:
                own.ticker(name).run(stop)
        except Lost as error:
            log.critical("%s; ending, so that a fresh process looks at the disk anew", error)
            return 71
        return 0

    return part


class Reader:
    """parse() with the loaded data in hand; a campaign's texts are prepared once."""

    def __init__(self, lexicon: Lexicon, limits: LimitSettings) -> None:
        self._lexicon = lexicon
        self._limits = limits
        self._contexts: dict[str, ReadingContext] = {}

    def __call__(self, raw: bytes, campaign: Campaign | None) -> ParsedMail:
        """Reads one mail; never raises."""
        return parse(raw, self._context(campaign), self._lexicon, self._limits)

    def _context(self, campaign: Campaign | None) -> ReadingContext:
        if campaign is None:
            return ReadingContext()
        if campaign.slug not in self._contexts:
            self._contexts[campaign.slug] = reading_context(campaign)
        return self._contexts[campaign.slug]


def resolver_for(settings: WorkerSettings, root: Path) -> Callable[[], Resolver]:
    """What gives each mail its resolver: DNS, or the table that the settings name. Raises BadConfig."""
    if settings.dns_table is None:
        return SystemResolver(settings.dns_servers, settings.dns_seconds).for_one_mail
    try:
        table = TableResolver(json.loads((root / settings.dns_table).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise BadConfig(f"workers.dns_table: {settings.dns_table} is no JSON table of records ({type(error).__name__})") from None
    return lambda: table


def authenticator(resolver: Callable[[], Resolver]) -> Callable[[KeptMail, ParsedMail], Verdict]:
    """authenticate() with a resolver for each mail, so that each has its own budget of time and queries."""
    suffixes = PublicSuffixes()

    def judge(mail: KeptMail, parsed: ParsedMail) -> Verdict:
        return authenticate(mail, parsed.author, parsed.date, parsed.addressees, resolver(), suffixes)

    return judge


def by_identity(campaigns: Mapping[str, Campaign]) -> dict[str, str]:
    """Canonical address -> slug."""
    return {identity(address): campaign.slug for campaign in campaigns.values() for address in campaign.addresses}
