"""`mailflow work`: processes what is kept, for cron and tests."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import typer

from mailflow.cli.state import program_of
from mailflow.jobs.supervisor import StopSign, Supervisor
from mailflow.store import mails, outbox
from mailflow.wiring import Program, part_of

EVERY_SECONDS = 0.2


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(work)


def work(
    ctx: typer.Context,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Go on until nothing waits; otherwise one batch.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send what is due in the outbox, too.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
) -> None:
    """Process the mails that are kept, and return.

    Example: mailflow work --until-idle --send
    """
    program = program_of(ctx)
    if until_idle:
        _until_idle(program, workers)
    else:
        program.worker(f"work@{os.getpid()}", killable=False).batch()
    program.ticker(f"work@{os.getpid()}").number_all()
    if send:
        program.sender(f"send@{os.getpid()}").run(lambda: False, until_idle=True)
    with program.store.read() as tx:
        typer.echo(f"in flight: {mails.waiting(tx)[0]}, outbox waiting: {outbox.counts(tx)['waiting']}")


def _until_idle(program: Program, workers: int) -> None:
    """Runs workers as processes that may die on a poisonous mail, until nothing is due and nobody is at work."""
    stop = StopSign()

    def enough() -> bool:
        with closing(program.open_store()) as store, store.read() as tx:
            return stop() or not mails.leased_by_others(tx, program.now())

    if not enough():
        program.store.close()
        Supervisor(part_of(program), ["worker"] * workers, program.open_store).run(_seldom(enough))


def _seldom(ask: Callable[[], bool]) -> Callable[[], bool]:
    """Asks the store only a few times a second: the supervisor's loop turns faster than that."""
    asked = [0.0, 0.0]

    def answer() -> bool:
        if time.monotonic() - asked[0] > EVERY_SECONDS:
            asked[:] = [time.monotonic(), float(ask())]
        return bool(asked[1])

    return answer
