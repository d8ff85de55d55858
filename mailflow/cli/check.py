"""`mailflow check`: the doctor. One line a finding, each with its mend."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailflow.cli.doctor.campaigns import campaign_findings
from mailflow.cli.doctor.domain import domain_findings, system_lookup
from mailflow.cli.doctor.finding import Finding, error, ok
from mailflow.cli.doctor.machine import clock_findings, folder_findings, listener_findings, store_findings, user_findings
from mailflow.cli.doctor.mailboxes import mailbox_findings
from mailflow.cli.doctor.patches import patch_findings
from mailflow.cli.doctor.relay import smarthost_findings
from mailflow.cli.state import config_of
from mailflow.clock import system_now
from mailflow.config.load import Config, load
from mailflow.model.errors import BadConfig
from mailflow.packaged import packaged
from mailflow.render import Renderer
from mailflow.wiring import Program


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(check)


def check(
    ctx: typer.Context,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Connect to nothing: neither DNS nor the smarthost.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what is well.")] = False,
) -> None:
    """Look whether everything is as it must be. Exit 1 on any error; warnings do not count.

    Example: mailflow check --offline
    """
    findings = list(examine(config_of(ctx), offline=offline))
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    shown = [finding for finding in findings if not quiet or finding.level != "ok"]
    if json_:
        typer.echo(json.dumps({"errors": errors, "warnings": warnings, "findings": [asdict(one) for one in shown]}, ensure_ascii=False))
    else:
        for finding in shown:
            typer.echo(f"{finding.level:<8} {finding.about}: {finding.text}{f'; {finding.mend}' if finding.mend else ''}")
        typer.echo(f"{errors} errors, {warnings} warnings")
    if errors:
        raise typer.Exit(1)


def examine(folder: Path, *, offline: bool) -> Iterator[Finding]:
    """Everything that can be found out, config or no config."""
    yield from patch_findings()
    yield from user_findings(os.geteuid())
    yield from clock_findings(system_now(), os.environ)
    languages: frozenset[str] = frozenset()
    try:
        languages = Renderer(packaged("templates"), bytes(32)).languages
        yield ok("templates", f"answers are written in {', '.join(sorted(languages))}")
    except BadConfig as trouble:
        yield from _lines("templates", trouble)
    try:
        config = load(folder)
        yield ok("config", f"{config.folder} is well-formed, with {len(config.campaigns)} campaigns")
    except BadConfig as trouble:
        yield from _lines("config", trouble)
        return
    yield from _examine_config(config, languages, offline=offline)


def _examine_config(config: Config, languages: frozenset[str], *, offline: bool) -> Iterator[Finding]:
    settings, now = config.settings, system_now()
    yield from campaign_findings(config.campaigns, languages)
    yield from store_findings(settings, config.root)
    yield from folder_findings(settings, config.root, now)
    yield from listener_findings(settings, config.root, now)
    if not offline:
        yield from smarthost_findings(settings.smarthost, settings.smtp.hostname)
        yield from mailbox_findings(settings.imap, Program(config).mailboxes.connect)
        addresses = [address for campaign in config.campaigns.values() for address in campaign.addresses]
        try:
            yield from domain_findings(addresses, system_lookup(settings.workers.dns_servers))
        except BadConfig as trouble:
            yield from _lines("DNS", trouble)


def _lines(about: str, trouble: BadConfig) -> Iterator[Finding]:
    """One finding a line; our config errors carry their mend in the text."""
    for line in str(trouble).splitlines():
        text, _, mend = line.partition("; ")
        yield error(about, text, mend)
