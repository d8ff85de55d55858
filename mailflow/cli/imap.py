"""`mailflow imap`: the mailboxes, and older mails fetched from them."""

import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from mailflow.cli.state import program_of
from mailflow.config.imap import ImapSettings
from mailflow.model.errors import BadConfig
from mailflow.store import mailboxes
from mailflow.store.mailboxes import Outcome
from mailflow.wiring import Program


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(help="The mailboxes that mails are fetched from. Example: mailflow imap show", no_args_is_help=True)
    for command in (show, read, backfill):
        group.command()(command)
    app.add_typer(group, name="imap")


def show(ctx: typer.Context) -> None:
    """List the folders: how far each was read, and what became of its mails.

    Example: mailflow imap show
    """
    program = program_of(ctx)
    with program.store.read() as tx:
        folders, outcomes = mailboxes.all_folders(tx), mailboxes.outcomes(tx)
    table = Table("account", "folder", "last read", *Outcome, "trouble", box=None)
    for account in accounts(program):
        for folder in account.every_folder():
            progress, counts = folders.get((account.name, folder)), outcomes.get((account.name, folder), {})
            read = progress.read_at.strftime("%Y-%m-%d %H:%M") if progress and progress.read_at else "never"
            trouble = (progress.trouble or "") if progress else "not reached yet; is `mailflow run` running?"
            table.add_row(account.name, folder, read, *(str(counts.get(outcome, 0)) for outcome in Outcome), trouble)
    Console(highlight=False).print(table)


def read(ctx: typer.Context, name: Annotated[str | None, typer.Argument(metavar="NAME", help="The account; default: all.")] = None) -> None:
    """Fetch what is new, once, and return; for cron and for trying an account out.

    Example: mailflow imap read office
    """
    program = program_of(ctx)
    for account in accounts(program, name):
        for folder in account.every_folder():
            began = time.monotonic()
            with closing(program.mailboxes.connect(account)) as session:
                reader = program.mailboxes.reader(account, folder)
                kept = reader.catch_up(session)
                program.mailboxes.tell_server(reader, session)
            typer.echo(f"{account.name}, {folder}: {kept} mails kept in {time.monotonic() - began:.1f} s")


def backfill(
    ctx: typer.Context,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Fetch mails that arrived from this day on.")],
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The account; default: all.")] = None,
) -> None:
    """Fetch older mails too. May be broken off and begun again: what is kept is not fetched twice.

    Example: mailflow imap backfill --since 2026-06-01 office
    """
    program = program_of(ctx)
    kept = 0
    with Progress(console=Console(stderr=True), disable=not Console(stderr=True).is_terminal) as bar:
        for account in accounts(program, name):
            for folder in account.every_folder():
                task = bar.add_task(f"{account.name}, {folder}", total=None)
                with closing(program.mailboxes.connect(account)) as session:
                    reader = program.mailboxes.reader(account, folder)
                    kept += reader.backfill(session, since.replace(tzinfo=UTC), partial(_show_on, bar, task))
    typer.echo(f"{kept} mails kept")


def _show_on(bar: Progress, task: TaskID, done: int, whole: int) -> None:
    bar.update(task, completed=done, total=whole)


def accounts(program: Program, name: str | None = None) -> list[ImapSettings]:
    """The accounts, or the one of this name. Raises BadConfig where there is none."""
    known = program.config.settings.imap
    if not known:
        raise BadConfig("mailflow.toml has no [[imap]] table; add one for each mailbox, see docs/config.md")
    chosen = [account for account in known if name in (None, account.name)]
    if not chosen:
        raise BadConfig(f"there is no account {name!r}; there are: {', '.join(account.name for account in known)}")
    return chosen
