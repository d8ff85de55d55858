"""`mailflow reviewer add/list/remove`: the people who may review."""

import json
import sys
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from mailflow.cli.state import program_of
from mailflow.config.campaign import Address as CheckedAddress
from mailflow.store import reviewers
from mailflow.wiring import Program

Address = Annotated[str, typer.Argument(help="The reviewer's e-mail address.")]
OneCampaign = Annotated[str | None, typer.Option("--campaign", metavar="SLUG", help="The campaign; default: the only one there is.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(help="The people who may review. Example: mailflow reviewer list", no_args_is_help=True)
    group.command()(add)
    group.command("list")(list_)
    group.command()(remove)
    app.add_typer(group, name="reviewer")


def add(ctx: typer.Context, address: Address, campaign: OneCampaign = None) -> None:
    """Let somebody review a campaign's held mails.

    Example: mailflow reviewer add ines@heath.example --campaign heath
    """
    program = program_of(ctx)
    slug, person = _campaign(program, campaign), _address(address)
    with program.store.write() as tx:
        added = reviewers.add(tx, slug, person, "reviewer", program.now())
    typer.echo(f"{person} may review {slug}" if added else f"{person} may review {slug} already")


def remove(ctx: typer.Context, address: Address, campaign: OneCampaign = None) -> None:
    """Take that right away, from this moment on. Exit 1 if there was none.

    Example: mailflow reviewer remove ines@heath.example --campaign heath
    """
    program = program_of(ctx)
    slug, person = _campaign(program, campaign), _address(address)
    with program.store.write() as tx:
        removed = reviewers.remove(tx, slug, person, program.now())
    if removed:
        typer.echo(f"{person} may no longer review {slug}")
    if person in program.config.campaigns[slug].reviewers:
        typer.echo(f"mailflow: campaigns/{slug}.toml names {person} as well; take the line out of reviewers there", err=True)
        raise typer.Exit(1)
    if not removed:
        typer.echo(f"mailflow: {person} is no reviewer of {slug}", err=True)
        raise typer.Exit(1)


def list_(
    ctx: typer.Context, campaign: OneCampaign = None, json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Show who may review what, and where it is written.

    Example: mailflow reviewer list --json
    """
    program = program_of(ctx)
    wanted = [_campaign(program, campaign)] if campaign else list(program.config.campaigns)
    with program.store.read() as tx:
        stored = [(str(row["campaign"]), str(row["address"])) for row in reviewers.current(tx, campaign)]
    written = [(slug, address) for slug in wanted for address in program.config.campaigns[slug].reviewers]
    rows = [(*pair, "store") for pair in stored] + [(*pair, f"campaigns/{pair[0]}.toml") for pair in written]
    if json_:
        typer.echo(json.dumps([dict(zip(("campaign", "address", "written_in"), row, strict=True)) for row in rows], ensure_ascii=False))
        return
    table = Table("campaign", "reviewer", "written in", box=None)
    for row in sorted(rows):
        table.add_row(*row)
    _console().print(table)


def _campaign(program: Program, named: str | None) -> str:
    slugs = list(program.config.campaigns)
    if named is None and len(slugs) == 1:
        return slugs[0]
    if named not in slugs:
        problem = f"no campaign {named!r}" if named else "which campaign?"
        raise typer.BadParameter(f"{problem}; there are: {', '.join(slugs) or 'none'}", param_hint="--campaign")
    return str(named)


def _address(text: str) -> str:
    """The address as the configuration would keep it, so that the same person is found again."""
    try:
        return TypeAdapter[str](CheckedAddress).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, "), param_hint="ADDRESS") from None


def _console() -> Console:
    """Plain text, and in a pipe as wide as the rows: an address that is cut is of no use."""
    return Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else 1000)
