"""`mailflow explain`: how each mail would be read and decided, and why. No store, nothing is changed."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mailflow import pipeline
from mailflow.cli.state import config_of
from mailflow.clock import clock
from mailflow.config.campaign import Campaign
from mailflow.config.load import builtin_campaign, load
from mailflow.config.settings import LimitSettings, Settings
from mailflow.decide import History, decide
from mailflow.intake.files import looks_like_mail, mails_in
from mailflow.model.decision import Decision
from mailflow.model.errors import BadConfig, BadInput
from mailflow.model.mail import Assurance, Envelope, Intent, KeptMail, MailClass, ParsedMail, Verdict
from mailflow.model.outside import Resolver
from mailflow.parse.knowledge import load_lexicon
from mailflow.resolver import SystemResolver, TableResolver
from mailflow.wiring import Reader, authenticator, by_identity


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(explain)


def explain(
    ctx: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="A mail, a folder of .eml, an mbox.")],
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    campaign: Annotated[str | None, typer.Option(help="The campaign; default: the one whose address the mail names.")] = None,
    dns: Annotated[Path | None, typer.Option(help="A JSON table instead of the network: name -> {type: [strings]}.")] = None,
    assume_authenticated: Annotated[bool, typer.Option(help="Take authentication, replay and age as passed.")] = False,
    trust_results: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Believe Authentication-Results of this authserv-id.")
    ] = None,
    client: Annotated[str | None, typer.Option(metavar="IP", help="The sending host's address.")] = None,
    helo: Annotated[str | None, typer.Option(metavar="NAME", help="What the sending host said in EHLO.")] = None,
    sender: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The envelope sender.")] = None,
) -> None:
    """Show how mails would be read and decided, and why, without a store. Exit 0 however odd they are.

    Example: mailflow explain --json --assume-authenticated inbox/
    """
    envelope = Envelope("explain", sender=sender, client=client, helo=helo, trusted_results=tuple(trust_results or ()))
    dry_run = DryRun.of(config_of(ctx), campaign, dns, envelope, assume=assume_authenticated)
    show: Callable[[dict[str, Any]], None] = _print_json if json_ else _Plain().show
    for path in paths:
        for explained in dry_run.of_path(path):
            show(explained)


@dataclass(frozen=True)
class DryRun:
    """Everything a dry run needs; presumes what docs/contract says of `explain`."""

    tools: pipeline.Tools
    campaign: Campaign | None
    builtin: Campaign
    envelope: Envelope
    assume: bool

    @classmethod
    def of(cls, config: Path, slug: str | None, dns: Path | None, envelope: Envelope, *, assume: bool) -> "DryRun":
        """Reads the config where there is one; a broken or missing one means the built-in campaign."""
        settings, campaigns = _config(config)
        if slug is not None and slug not in campaigns:
            raise typer.BadParameter(f"no campaign {slug!r}; there are: {', '.join(sorted(campaigns)) or 'none'}", param_hint="--campaign")
        tools = pipeline.Tools(
            campaigns=campaigns,
            by_address=by_identity(campaigns),
            read=Reader(load_lexicon(), settings.limits),
            authenticate=authenticator(_resolver(dns, settings)),
            render=_NoAnswers(),
            now=clock(),
        )
        return cls(tools, campaigns[slug] if slug else None, builtin_campaign(), envelope, assume)

    def of_path(self, path: str) -> Iterator[dict[str, Any]]:
        """One object a mail of the path, as contract.md shows it."""
        for item in mails_in(path):
            yield self.of_mail(item.label, item.raw, item.problem)

    def of_mail(self, label: str, raw: bytes, problem: str = "") -> dict[str, Any]:
        """The object of one mail."""
        started = time.process_time()
        parsed, campaign = self._read(raw)
        if problem or not looks_like_mail(raw):
            parsed = replace(parsed, mail_class=MailClass.UNREADABLE, intent=Intent.UNCLEAR, defects=(*parsed.defects, "no_mail"))
        received = parsed.relayed_at or parsed.date or self.tools.now()
        mail = KeptMail(0, raw, self.envelope, received, campaign.slug)
        verdict = Verdict(Assurance.ALIGNED, ("assumed",)) if self.assume else self.tools.authenticate(mail, parsed)
        policy_campaign = campaign if campaign is not self.builtin else _addressed(campaign, parsed)
        facts = pipeline.facts_of(
            pipeline.Read(mail, parsed, verdict, policy_campaign), History(presumed=True), age_matters=not self.assume
        )
        decision = decide(replace(facts, received_at=received))
        return _shape(label, raw, parsed, verdict, decision, (time.process_time() - started) * 1000)

    def _read(self, raw: bytes) -> tuple[ParsedMail, Campaign]:
        parsed = self.tools.read(raw, self.campaign)
        if self.campaign is not None:
            return parsed, self.campaign
        named = pipeline.campaign_named(parsed, self.tools)
        if named is None:
            return parsed, self.builtin
        return self.tools.read(raw, named), named


def _addressed(builtin: Campaign, parsed: ParsedMail) -> Campaign:
    """To the built-in campaign every recipient is its address."""
    return builtin.model_copy(update={"addresses": [*builtin.addresses, *(a for a in parsed.addressees if a != parsed.author)]})


def _config(folder: Path) -> tuple[Settings, dict[str, Campaign]]:
    try:
        config = load(folder)
    except BadConfig:
        return Settings(limits=LimitSettings()), {}
    return config.settings, {slug: campaign.model_copy(update={"closed": False}) for slug, campaign in config.campaigns.items()}


def _resolver(dns: Path | None, settings: Settings) -> Callable[[], Resolver]:
    if dns is None:
        return SystemResolver(settings.workers.dns_servers, settings.workers.dns_seconds).for_one_mail
    try:
        table = TableResolver(json.loads(dns.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise BadInput(f"--dns {dns}: cannot be read as a JSON table name -> {{type: [strings]}} ({type(error).__name__})") from None
    return lambda: table


class _NoAnswers:
    """A dry run writes no answers."""

    def answer(self, answer: object, campaign: Campaign, now: object) -> Any:
        """Never called: there is no store to put an answer into."""
        raise AssertionError("a dry run answers nobody")


def _shape(label: str, raw: bytes, parsed: ParsedMail, verdict: Verdict, decision: Decision, ms: float) -> dict[str, Any]:
    return {
        "path": label,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "class": parsed.mail_class,
        "from": parsed.author,
        "subject": parsed.subject,
        "message_id": parsed.message_id,
        "language": parsed.language,
        "intent": parsed.intent,
        "signers": [asdict(signer) for signer in parsed.signers],
        "organisation": parsed.organisation,
        "public": parsed.public,
        "reply": parsed.reply,
        "words": parsed.words,
        "bounced": list(parsed.bounced),
        "assurance": verdict.assurance,
        "evidence": list(verdict.evidence),
        "decision": decision.action,
        "reasons": list(decision.reasons),
        "defects": list(parsed.defects),
        "ms": round(ms, 2),
    }


def _print_json(explained: dict[str, Any]) -> None:
    """Straight to the bytes of standard output: the locale must not decide about people's names."""
    sys.stdout.buffer.write(json.dumps(explained, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


class _Plain:
    """One table a mail; plain text when piped."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)

    def show(self, explained: dict[str, Any]) -> None:
        """Prints one mail."""
        table = Table(title=str(explained["path"]), title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
        for key, value in explained.items():
            if key not in ("path", "sha256") and value not in (None, "", []):
                table.add_row(key, _readable(value))
        self._console.print(table)
        self._console.print()


def _readable(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_readable(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items() if item)
    return str(value)
