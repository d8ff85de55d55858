"""`mailflow list`: the signatories as the public would see them."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mailflow import listing as public
from mailflow.cli.state import program_of
from mailflow.config.campaign import Campaign
from mailflow.model.errors import BadConfig
from mailflow.store import entries
from mailflow.wiring import Program


class Format(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command("list")(list_)


def list_(
    ctx: typer.Context,
    campaign: Annotated[str | None, typer.Option(help="The campaign; may be left out where there is one.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="table, json or csv.")] = Format.TABLE,
) -> None:
    """Print the signatories as the public would see them: names only of those who agreed.

    Example: mailflow list --format csv > signatories.csv
    """
    program = program_of(ctx)
    for chosen in choose(program, campaign):
        with program.store.read() as tx:
            seen = public.public_entries(entries.live(tx, chosen.slug), chosen)
        if format_ is Format.JSON:
            typer.echo(public.to_json(seen))
        elif format_ is Format.CSV:
            typer.echo(public.to_csv(seen), nl=False)
        else:
            show(seen, chosen)


def choose(program: Program, slug: str | None) -> list[Campaign]:
    """The campaign named, else all. Raises BadConfig where there is none such."""
    campaigns = program.config.campaigns
    if slug is None:
        return list(campaigns.values())
    if slug not in campaigns:
        raise BadConfig(f"no campaign {slug!r}; there are: {', '.join(sorted(campaigns)) or 'none'}")
    return [campaigns[slug]]


def show(seen: public.Listing, campaign: Campaign) -> None:
    """Prints the public list as a table."""
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table(title=f"{campaign.name}: {seen.total} endorsements, {seen.named} named", title_justify="left", box=None)
    for column in ("name", "title", "affiliation", "place", "country"):
        table.add_column(column)
    for entry in seen.entries:
        table.add_row(entry.name, entry.title or "", entry.affiliation or "", entry.place or "", entry.country or "")
    console.print(table)
