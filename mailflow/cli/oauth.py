"""`mailflow oauth`: logs a mailbox in at Google or Microsoft, and tells which are."""

import os
import select
import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mailflow.cli.imap import accounts
from mailflow.cli.state import program_of
from mailflow.config.imap import ImapSettings
from mailflow.intake import oauth
from mailflow.intake.oauth import Tokens
from mailflow.model.errors import BadConfig
from mailflow.wiring import Program

_SLICE = 0.2


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(help="Login at Google and Microsoft 365. Example: mailflow oauth show", no_args_is_help=True)
    for command in (login, show):
        group.command()(command)
    app.add_typer(group, name="oauth")


def login(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="The account.")]) -> None:
    """Log an account in, in a browser, and keep the login. Run it as the user that runs the service, which finds it by itself.

    Example: mailflow oauth login office
    """
    program = program_of(ctx)
    (account,) = accounts(program, name)
    oauth.login(account, program.config.root, program.now, typer.echo, Keyboard().ask)
    typer.echo(f"{name} is logged in. Try it: mailflow imap read {name}")


def show(ctx: typer.Context) -> None:
    """List the accounts that log in so. Exit 1 if one of them needs a login.

    Example: mailflow oauth show
    """
    program = program_of(ctx)
    rows = [(account, *_state(program, account)) for account in accounts(program) if account.oauth is not None]
    if not rows:
        typer.echo("no account logs in with OAuth2; see docs/oauth.md")
    table = Table("account", "provider", "flow", "state", box=None)
    for account, _, state in rows:
        if account.oauth is not None:
            table.add_row(account.name, account.oauth.provider, account.oauth.flow, state)
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 1000).print(table)
    if not all(good for _, good, _ in rows):
        raise typer.Exit(1)


def _state(program: Program, account: ImapSettings) -> tuple[bool, str]:
    """Whether an account can be read without a human, and that in words. The provider is not asked."""
    try:
        expires = Tokens(account, program.config.root, program.now).expires_at()
    except BadConfig as error:
        return False, str(error)
    if expires is not None:
        return True, _lifetime(expires, program.now())
    if account.oauth is not None and account.oauth.flow == "application":
        return True, "no token yet; it is fetched when it is needed"
    return False, f"no login; run: mailflow oauth login {account.name}"


def _lifetime(expires: datetime, now: datetime) -> str:
    if expires > now:
        return f"logged in; this token is good until {expires:%Y-%m-%d %H:%M} UTC, then it is renewed"
    return f"logged in; the last token ended {expires:%Y-%m-%d %H:%M} UTC and is renewed when it is needed"


class Keyboard:
    """Lines from standard input. Waits without holding it: when the browser was faster, the program must be able to end."""

    def __init__(self) -> None:
        self._typed = b""

    def ask(self, question: str) -> str:
        """The next line. Raises EOFError when nobody is there."""
        typer.echo(question, nl=False)
        while b"\n" not in self._typed:
            more = self._more()
            if not more and not self._typed:
                raise EOFError
            self._typed += more or b"\n"
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace")

    def _more(self) -> bytes:
        """What is there by now, at the end of it nothing. Past Python's own buffer: select() does not see what lies in there."""
        try:
            number = sys.stdin.fileno()
            while not select.select([number], [], [], _SLICE)[0]:
                continue
        except (AttributeError, ValueError):
            return b""  # No keyboard, or one that was closed.
        return os.read(number, 65_536)
