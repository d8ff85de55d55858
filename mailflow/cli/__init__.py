"""The commands. Exit codes: 0 done, 1 the answer is no, 2 usage, 65 bad input, 70 a bug, 75 try later, 78 bad config."""

import importlib
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mailflow import __version__
from mailflow.cli.quiet import log_quietly
from mailflow.cli.state import State
from mailflow.model.errors import BadConfig, BadInput, MailflowError, Temporary


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailflow {__version__}")
        raise typer.Exit


def start(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(envvar="MAILFLOW_CONFIG", help="Folder with mailflow.toml and campaigns/.")] = Path("config"),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; may show mail.")] = False,  # noqa: ARG001 - main() looks for it
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more in the log.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,  # noqa: ARG001 - its callback acts
) -> None:
    """What every command has in common."""
    ctx.obj = State(config)
    level = logging.INFO if verbose or ctx.invoked_subcommand == "run" else logging.WARNING
    if _is_pipe():
        log_quietly(config)
        return
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for chatty in ("mail.log", "apscheduler", "alembic", "sqlalchemy", "imapclient", "imapclient.imaplib", "msal", "dkim"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


log = logging.getLogger("mailflow")

COMMANDS = (
    "init", "check", "run", "ingest", "imap", "oauth", "work", "explain", "status", "list", "digest", "retry", "reviewer", "campaign", "demo",
)  # fmt: skip
"""In the order of `mailflow --help`."""
MODULES = {"list": "listing"}


def build(only: str | None = None) -> typer.Typer:
    """The app with all commands, or with just the one that will run: each module costs start-up time, and an MTA waits for `ingest -`."""
    app = typer.Typer(
        name="mailflow",
        help="Takes endorsements by e-mail. Start with `mailflow init`, then `mailflow check` and `mailflow run`.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(start)
    for name in COMMANDS if only not in COMMANDS else (only,):
        importlib.import_module(f"mailflow.cli.{MODULES.get(name, name)}").register(app)
    return app


def _asked_for(arguments: list[str]) -> str | None:
    """The command among the arguments, if it is plainly one: anything that looks odd gets the full app and its messages."""
    words = [word for word in arguments if word in COMMANDS]
    return words[0] if words and not {"--help", "-h"} & set(arguments[: arguments.index(words[0])]) else None


def main() -> None:
    """Runs the command line and turns failures into one plain line and an exit code."""
    try:
        code = build(_asked_for(sys.argv[1:]))(standalone_mode=False)
    except typer.Exit as done:
        code = done.exit_code
    except typer.exceptions.TyperException as error:
        if not _is_pipe():
            error.show()  # type: ignore[attr-defined]  # every usage error can show itself; the base class does not say so
        code = error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # Somebody closed the pipe (`mailflow list | head`): nothing to say, and nowhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:  # the last line of the command line
        if "--debug" in sys.argv:
            raise
        code = _explain_failure(error)
    sys.exit(_for_a_pipe(code if isinstance(code, int) else 0))


def _for_a_pipe(code: int) -> int:
    """Under an MTA (`ingest -`) every failure is "later", with one constant line: anything else would bounce the mail or tell the sender."""
    if not _is_pipe() or code in (0, 65):
        return code
    print("4.3.0 try again later")
    return 75


def _is_pipe() -> bool:
    return "ingest" in sys.argv and "-" in sys.argv


def _explain_failure(error: Exception) -> int:
    """Says what is wrong, in a line each, and gives the exit code; under an MTA the log hears it instead."""
    if _is_pipe():
        log.error("%s: %s", type(error).__name__, error if isinstance(error, MailflowError) else "a bug")
        return 65 if isinstance(error, BadInput) else 75
    if not isinstance(error, MailflowError):
        print(f"mailflow: this is a bug ({type(error).__name__}); run again with --debug and report it", file=sys.stderr)
        return 70
    for line in str(error).splitlines():
        print(f"mailflow: {line}", file=sys.stderr)
    if isinstance(error, BadConfig):
        return 78
    if isinstance(error, BadInput):
        return 65
    return 75 if isinstance(error, Temporary) else 70
