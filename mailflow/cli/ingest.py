"""`mailflow ingest`: takes in files, folders, or one mail from standard input."""

import logging
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from mailflow.cli.state import program_of
from mailflow.intake import Arrival
from mailflow.intake.files import FileMail, looks_like_mail, mails_in
from mailflow.intake.keep import Keeper
from mailflow.model.errors import BadInput, StoreUnavailable
from mailflow.model.mail import Envelope
from mailflow.wiring import Program

log = logging.getLogger("mailflow.ingest")

AHEAD = 400
"""Mails that may wait for their commit: enough for full groups, little enough to stay in memory."""


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(ingest)


def ingest(
    ctx: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="*.eml, mbox, Maildir, folder, or - for one mail from standard input.")
    ],
    campaign: Annotated[str | None, typer.Option(help="The campaign; default: the one whose address the mail names.")] = None,
    trust_results: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Believe Authentication-Results of this authserv-id.")
    ] = None,
) -> None:
    """Take in mails from files. Exit 0: all kept; 75: try later; 65: something was no mail.

    Example: mailflow ingest --trust-results mx.example.org inbox.mbox
    """
    program = program_of(ctx)
    if campaign is not None and campaign not in program.config.campaigns:
        known = ", ".join(sorted(program.config.campaigns)) or "none"
        raise typer.BadParameter(f"no campaign {campaign!r}; there are: {known}", param_hint="--campaign")
    taking = Taking(program, campaign, tuple(trust_results or ()))
    if paths == ["-"]:
        taking.standard_input()
    else:
        taking.files(paths)
        _report(taking)


@dataclass
class Taking:
    """One run of ingest."""

    program: Program
    campaign: str | None
    trusted: tuple[str, ...]
    kept: int = 0
    no_mail: list[str] = field(default_factory=list)
    not_kept: list[str] = field(default_factory=list)

    def standard_input(self) -> None:
        """Keeps the one mail on standard input. Raises BadInput when there is none, StoreUnavailable."""
        raw = sys.stdin.buffer.read()
        if not raw.strip():
            raise BadInput("standard input is empty; pipe one mail into `mailflow ingest -`")
        keeper = Keeper(lambda: self.program.store)
        try:
            keeper.keep(self._arrival(raw, "pipe")).result()
        finally:
            keeper.close()

    def files(self, paths: list[str]) -> None:
        """Keeps every mail of every path; what could not be kept or is no mail is listed by name."""
        keeper = Keeper(lambda: self.program.store)
        ahead: deque[tuple[str, Future[int]]] = deque()
        try:
            for item in _with_progress(paths):
                self._one(item, keeper, ahead)
                if len(ahead) >= AHEAD:
                    self._settle(ahead, AHEAD // 2)
            self._settle(ahead, 0)
        finally:
            keeper.close()

    def _one(self, item: FileMail, keeper: Keeper, ahead: deque[tuple[str, Future[int]]]) -> None:
        if item.problem:
            self.no_mail.append(f"{item.label}: {item.problem}")
        elif not looks_like_mail(item.raw):
            self.no_mail.append(f"{item.label}: is no mail: it does not begin with a header line")
        else:
            ahead.append((item.label, keeper.keep(self._arrival(item.raw, "file"))))

    def _settle(self, ahead: deque[tuple[str, Future[int]]], leave: int) -> None:
        while len(ahead) > leave:
            label, future = ahead.popleft()
            try:
                future.result()
                self.kept += 1
            except StoreUnavailable as error:
                self.not_kept.append(f"{label}: {error}")

    def _arrival(self, raw: bytes, door: str) -> Arrival:
        limit = self.program.config.settings.smtp.max_message_bytes
        too_large = f"larger than smtp.max_message_bytes ({len(raw)} > {limit})" if len(raw) > limit else None
        envelope = Envelope(door=door, trusted_results=self.trusted)
        return Arrival(raw, len(raw), envelope, self.campaign, self.program.now(), too_large)


def _with_progress(paths: list[str]) -> Iterator[FileMail]:
    """The mails of all paths, under a progress bar where somebody is watching."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in progress.track(paths, description="paths"):
            task = progress.add_task(Path(path).name or path, total=None)
            for item in mails_in(path):
                progress.advance(task)
                yield item
            progress.remove_task(task)


def _report(taking: Taking) -> None:
    typer.echo(f"kept {taking.kept} mails")
    for line in (*taking.not_kept, *taking.no_mail):
        typer.echo(f"mailflow: {line}", err=True)
    if taking.not_kept:
        raise typer.Exit(75)
    if taking.no_mail:
        raise typer.Exit(65)
