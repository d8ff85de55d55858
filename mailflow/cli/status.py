"""`mailflow status`: the books, the queues, and whether they are well."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mailflow.cli.state import program_of
from mailflow.store import books, digests, mailboxes, mails, outbox
from mailflow.store.books import Books
from mailflow.store.mailboxes import Progress
from mailflow.wiring import Program


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(status)


def status(ctx: typer.Context, json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show the books, queue depths and the last digest. Exit 1 if the books do not balance.

    Example: mailflow status --json
    """
    found = gather(program_of(ctx))
    if json_:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)
    if not all(campaign["balanced"] for campaign in found["campaigns"].values()):
        raise typer.Exit(1)


def gather(program: Program) -> dict[str, Any]:
    """What `status --json` prints. Raises StoreUnavailable."""
    with program.store.read() as tx:
        pages = books.balance(tx, tuple(program.config.campaigns))
        in_flight, oldest = mails.waiting(tx)
        return {
            "campaigns": {page.campaign: _page(page) for page in pages},
            "outbox": outbox.counts(tx),
            "queue": {"in_flight": in_flight, "oldest": oldest.isoformat() if oldest else None},
            "last_digest": {slug: _iso(digests.latest(tx, slug)) for slug in program.config.campaigns},
            "last_imap_contact": contacts(program, mailboxes.all_folders(tx)),
            "store": {"url": program.store.engine.url.render_as_string(hide_password=True), "wal_bytes": wal_bytes(program)},
        }


def contacts(program: Program, folders: dict[tuple[str, str], Progress]) -> list[dict[str, Any]]:
    """For each folder of each account: when it was last read to its end, whether that is too long ago, and what is the matter."""
    found = []
    for account in program.config.settings.imap:
        for folder in account.every_folder():
            progress = folders.get((account.name, folder))
            read_at = progress.read_at if progress else None
            stale = mailboxes.is_stale(read_at, program.now(), account.stale_minutes)
            trouble = progress.trouble if progress else None
            found.append({"account": account.name, "folder": folder, "read_at": _iso(read_at), "stale": stale, "trouble": trouble})
    return found


def _page(page: Books) -> dict[str, Any]:
    lines = {str(disposition): count for disposition, count in page.lines.items()}
    return {"received": page.received, **lines, "balanced": page.balanced, "endorsements": page.endorsements}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


def wal_bytes(program: Program) -> int | None:
    """The size of SQLite's write-ahead log; ``None`` for PostgreSQL."""
    if program.store.path is None:
        return None
    wal = Path(f"{program.store.path}-wal")
    return wal.stat().st_size if wal.exists() else 0


def _show(found: dict[str, Any]) -> None:
    console = Console(highlight=False)
    for slug, page in found["campaigns"].items():
        console.print(books_table(slug, page))
    outgoing = found["outbox"]
    console.print(f"outbox: {outgoing['waiting']} waiting, {outgoing['sent']} sent, {outgoing['failed']} failed")
    if found["queue"]["oldest"]:
        console.print(f"in flight: {found['queue']['in_flight']}, the oldest since {found['queue']['oldest']}")
    for slug, last in found["last_digest"].items():
        console.print(f"last digest of {slug}: {last or 'none yet'}")
    for contact in found["last_imap_contact"]:
        state = f"STALE, last read {contact['read_at'] or 'never'}" if contact["stale"] else f"read {contact['read_at']}"
        trouble = f"; {contact['trouble']}" if contact["trouble"] else ""
        console.print(f"mailbox {contact['account']}, {contact['folder']}: {state}{trouble}")


def books_table(slug: str, page: dict[str, Any]) -> Table:
    """One campaign's books as a table."""
    verdict = "balanced" if page["balanced"] else "NOT BALANCED"
    table = Table(
        title=f"{slug}: {page['endorsements']} endorsements, books {verdict}",
        title_justify="left",
        box=None,
        show_header=False,
        min_width=70,
    )
    table.add_row("received", str(page["received"]))
    for name, count in page.items():
        if name not in ("received", "balanced", "endorsements") and count:
            table.add_row(f"  {name.replace('_', ' ')}", str(count))
    return table
