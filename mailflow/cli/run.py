"""`mailflow run`: the service; and the hidden command that is one of its processes."""

import logging
import os
from typing import Annotated

import typer

from mailflow.cli.state import config_of, program_of
from mailflow.intake.listener import reserve_port
from mailflow.jobs.intake import run_intake
from mailflow.jobs.supervisor import StopSign, Supervisor, own_command
from mailflow.model.errors import BadConfig, Lost
from mailflow.wiring import Program

log = logging.getLogger("mailflow.run")

ROLES = ("intake", "worker", "sender", "clock")


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(run)
    app.command(hidden=True)(child)


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
        environment = {"MAILFLOW_SMTP_PORT": str(port)} if "intake" in wanted else {}
        if environment:
            log.info("listening on %s port %d", program.config.settings.smtp.host, port)
        Supervisor(own_command(config_of(ctx)), _roles(wanted, program, workers), lambda: program.store, environment).run(stop)


def _roles(wanted: list[str], program: Program, workers: int | None) -> list[str]:
    settings = program.config.settings
    counts = {"intake": settings.smtp.processes, "worker": workers or settings.workers.count or os.cpu_count() or 1}
    return [role for role in wanted for _ in range(counts.get(role, 1))]


def child(ctx: typer.Context, role: str, name: str) -> None:
    """One process of the service; started by `mailflow run`."""
    program = program_of(ctx)
    stop = StopSign(watch_parent=True)
    try:
        _PARTS[role](program, name, stop)
    except Lost as error:
        log.critical("%s; ending, so that a fresh process looks at the disk anew", error)
        raise typer.Exit(71) from None
    except KeyError:
        raise BadConfig(f"no such role: {role}") from None


def _worker(program: Program, name: str, stop: StopSign) -> None:
    program.worker(name).run(stop)


def _sender(program: Program, name: str, stop: StopSign) -> None:
    program.sender(name).run(stop)


def _clock(program: Program, name: str, stop: StopSign) -> None:
    program.ticker(name).run(stop)


def _intake(program: Program, name: str, stop: StopSign) -> None:
    run_intake(program.config, lambda: program.store, program.now, stop)


_PARTS = {"intake": _intake, "worker": _worker, "sender": _sender, "clock": _clock}
