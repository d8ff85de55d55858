"""What the commands share: which config folder, and the program it describes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer

from mailflow.wiring import Program


@dataclass
class State:
    """Made once a run; the program is built only by commands that need it."""

    config: Path

    @cached_property
    def program(self) -> Program:
        """The program of the config folder. Raises BadConfig."""
        return Program.at(self.config)


def program_of(ctx: typer.Context) -> Program:
    """The program that belongs to a command's context. Raises BadConfig."""
    state = ctx.find_object(State)
    if state is None:
        raise AssertionError("a command ran without its callback")
    return state.program


def config_of(ctx: typer.Context) -> Path:
    """The config folder that belongs to a command's context."""
    state = ctx.find_object(State)
    if state is None:
        raise AssertionError("a command ran without its callback")
    return state.config
