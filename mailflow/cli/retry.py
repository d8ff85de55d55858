"""`mailflow retry`: gives mails that were set aside another try."""

from typing import Annotated

import typer

from mailflow.cli.state import program_of
from mailflow.store import mails


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(retry)


def retry(
    ctx: typer.Context,
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="Numbers of mails that were set aside.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Give mails that were set aside another three tries. Exit 1 if none of them was set aside.

    Example: mailflow retry 17 23
    """
    if bool(ids) == all_:
        raise typer.BadParameter("name mails by number, or say --all")
    program = program_of(ctx)
    with program.store.write() as tx:
        count = mails.retry(tx, None if all_ else ids, program.now())
    typer.echo(f"{count} mails wait for another try")
    if count == 0:
        raise typer.Exit(1)
