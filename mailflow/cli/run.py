"""`mailflow run`: the service."""

import logging
import os
from typing import Annotated

import typer

from mailflow.cli.state import program_of
from mailflow.intake.listener import reserve_port
from mailflow.jobs.supervisor import StopSign, Supervisor
from mailflow.wiring import Program, part_of

log = logging.getLogger("mailflow.run")

ROLES = ("intake", "worker", "sender", "clock")


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(run)


def run(
    ctx: typer.Context,
    only: Annotated[str, typer.Option(help="Comma-separated: intake, worker, sender, clock; default all.")] = ",".join(ROLES),
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Worker processes; default: one a core.")] = None,
) -> None:
    """Run the service until SIGTERM, which ends it cleanly within 30 seconds.

    Example: mailflow run --only worker,sender --workers 4
    """
    wanted = [role.strip() for role in only.split(",") if role.strip()]
    unknown = [role for role in wanted if role not in ROLES]
    if unknown:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; choose from {', '.join(ROLES)}", param_hint="--only")
    program = program_of(ctx)
    stop = StopSign()
    with reserve_port(program.config.settings.smtp) as port:
        program = program.at_port(port)
        if "intake" in wanted:
            log.info("listening on %s port %d", program.config.settings.smtp.host, port)
        Supervisor(part_of(program), _roles(wanted, program, workers), program.open_store).run(stop)


def _roles(wanted: list[str], program: Program, workers: int | None) -> list[str]:
    settings = program.config.settings
    counts = {"intake": settings.smtp.processes, "worker": workers or settings.workers.count or os.cpu_count() or 1}
    mailboxes = ["imap"] if "intake" in wanted and settings.imap else []
    return [role for role in (*wanted, *mailboxes) for _ in range(counts.get(role, 1))]
