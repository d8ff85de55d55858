"""`mailflow campaign add/list/open/close`: the campaigns of the config folder."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mailflow.cli.init import Answers, ask_for_campaign, refuse_overwriting
from mailflow.cli.state import config_of
from mailflow.clock import clock
from mailflow.config.campaign import Campaign
from mailflow.config.draft import Draft
from mailflow.config.load import CAMPAIGNS, Config, config_folder, load
from mailflow.model.errors import BadConfig

_RESTART = "A running service sees it when it is started anew."


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(help="The campaigns. Example: mailflow campaign list", no_args_is_help=True)
    for command in (add, list_, open_, close):
        group.command(name=command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="campaign")


def add(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the flags, and the defaults for the rest.")] = False,
    address: Annotated[str, typer.Option(help="The address that people write to.")] = "",
    name: Annotated[str, typer.Option(help="The statement's title.")] = "",
    organiser: Annotated[str, typer.Option(help="Who gets the daily digest.")] = "",
    language: Annotated[str, typer.Option(help="Language of the statement, such as en.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of the organiser, such as Europe/Berlin.")] = "",
    controller: Annotated[str, typer.Option(help="Who answers for the data, with an address.")] = "",
    slug: Annotated[str, typer.Option(help="Short name of the campaign; default: made from the title.")] = "",
) -> None:
    """Write one more campaign file. Never overwrites anything.

    Example: mailflow campaign add --yes --address sign@heath.example --name "Save the Heath"
    """
    config = load(config_of(ctx))
    if yes and not (address and name):
        raise typer.BadParameter("needs --address and --name", param_hint="--yes")
    draft = ask_for_campaign(Answers(ask=not yes), Draft(name, address, language, organiser, zone, controller, slug))
    _write_new(config, draft)


def _write_new(config: Config, draft: Draft) -> None:
    other = config.by_address().get(draft.address.lower())
    if other is not None:
        raise BadConfig(f"{draft.address} belongs to campaign {other} already; give each campaign its own address")
    folder = config.folder / CAMPAIGNS
    files = draft.campaign_files(clock()().date())
    refuse_overwriting([folder / name for name in files])
    folder.mkdir(exist_ok=True)
    try:
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
        load(config.folder)
    except BadConfig:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        raise
    for name in files:
        typer.echo(f"wrote {folder / name}")
    typer.echo(f"Next: put the statement into the .md file. {_RESTART}")


def list_(ctx: typer.Context, json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show the campaigns.

    Example: mailflow campaign list --json
    """
    rows = [_summary(campaign) for campaign in load(config_of(ctx)).campaigns.values()]
    if json_:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(box=None)
    for heading in ("campaign", "name", "address", "state", "listing", "publish", "languages"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*(", ".join(value) if isinstance(value, list) else value for value in row.values()))
    _console().print(table)


def _summary(campaign: Campaign) -> dict[str, str | list[str]]:
    return {
        "campaign": campaign.slug,
        "name": campaign.name,
        "addresses": campaign.addresses,
        "state": "closed" if campaign.closed else "open",
        "listing": campaign.listing.value,
        "publish": campaign.publish.value,
        "languages": [statement.language for statement in campaign.statements],
    }


Slug = Annotated[str, typer.Argument(help="Short name of the campaign.")]


def close(ctx: typer.Context, slug: Slug) -> None:
    """Take no more endorsements; withdrawals and corrections still work.

    Example: mailflow campaign close tamar-delta
    """
    _set_closed(config_of(ctx), slug, closed=True)


def open_(ctx: typer.Context, slug: Slug) -> None:
    """Take endorsements again.

    Example: mailflow campaign open tamar-delta
    """
    _set_closed(config_of(ctx), slug, closed=False)


def _set_closed(folder: Path, slug: str, *, closed: bool) -> None:
    campaigns = load(folder).campaigns
    word = "closed" if closed else "open"
    if slug not in campaigns:
        raise typer.BadParameter(f"no campaign {slug!r}; there are: {', '.join(campaigns) or 'none'}", param_hint="SLUG")
    if campaigns[slug].closed == closed:
        typer.echo(f"{slug} is {word} already")
        return
    path = config_folder(folder) / CAMPAIGNS / f"{slug}.toml"
    _replace(path, with_closed(path.read_text(encoding="utf-8-sig"), closed=closed))
    typer.echo(f"{slug} is {word}. {_RESTART}")


def with_closed(text: str, *, closed: bool) -> str:
    """A campaign file with ``closed`` set and nothing else changed, comments included.

    Raises BadConfig where that cannot be done by changing one line.
    """
    line = f"closed = {'true' if closed else 'false'}"
    candidates = [re.sub(pattern, line + end, text, count=1, flags=re.MULTILINE) for pattern, end in _PLACES]
    wanted = {**tomllib.loads(text), "closed": closed}
    for candidate in candidates:
        if _parsed(candidate) == wanted:
            return candidate
    raise BadConfig(f"the campaign file is written in a way that cannot be changed from here; write {line} into it yourself")


_PLACES = (
    (r"^[ \t]*closed[ \t]*=[ \t]*(?:true|false)", ""),
    (r"^#[ \t]*closed[ \t]*=.*$", ""),
    (r"\A", "\n"),
)
"""Where ``closed`` may go: in the place of the old value, of the commented default, or to the very top."""


def _parsed(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _replace(path: Path, text: str) -> None:
    """Put a new text in the place of a file, whole or not at all, with the same mode."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(path.stat().st_mode & 0o777)
    new.replace(path)


def _console() -> Console:
    """Plain text, and in a pipe as wide as the rows: an address that is cut is of no use."""
    return Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else 1000)
