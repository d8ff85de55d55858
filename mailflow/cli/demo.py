"""`mailflow demo`: the main job on a bundled mailbox, on loopback, from end to end."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mailflow import listing as public
from mailflow.cli.digest import print_latest
from mailflow.cli.listing import show
from mailflow.cli.status import books_table, gather
from mailflow.demo import play
from mailflow.packaged import packaged
from mailflow.render.pages import list_page
from mailflow.store import entries
from mailflow.wiring import Program


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option(help="Where everything goes; a second run plays on the same store.")] = Path("build/demo"),
) -> None:
    """Play the bundled campaign: listener, workers, sender and digest on loopback. Exit 0 if the books balance.

    Example: mailflow demo --out build/demo
    """
    sent_before = len(list((out / "outgoing").glob("*.eml")))
    program = play(out)
    console = Console(highlight=False)
    found = gather(program)
    for slug, page in found["campaigns"].items():
        console.print(books_table(slug, page))
    console.print()
    for campaign in program.config.campaigns.values():
        with program.store.read() as tx:
            seen = public.public_entries(entries.live(tx, campaign.slug), campaign)
        show(seen, campaign)
        (out / "list.html").write_text(list_page(packaged("templates"), seen, campaign), encoding="utf-8")
        (out / "list.csv").write_text(public.to_csv(seen), encoding="utf-8")
        (out / "list.json").write_text(public.to_json(seen), encoding="utf-8")
    _where(console, program, out, sent_before)
    if not all(page["balanced"] for page in found["campaigns"].values()):
        raise typer.Exit(1)


def _where(console: Console, program: Program, out: Path, sent_before: int) -> None:
    outgoing = sorted((out / "outgoing").glob("*.eml"))
    console.print()
    print_latest(outgoing[sent_before:])
    console.print(f"{len(outgoing) - sent_before} mails went out in this run.")
    for name, path in (
        ("store", program.store.path),
        ("list page", out / "list.html"),
        ("outgoing mails", out / "outgoing"),
        ("log", out / "run.log"),
    ):
        console.print(f"  {name + ':':16}{path}", soft_wrap=True)
    console.print("Nothing listens any more. Run it again: the same mails come in, and none is counted twice.")
