"""`mailflow init`: a few questions, and a config folder that works."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from mailflow.cli.state import config_of
from mailflow.clock import clock
from mailflow.config.campaign import Address, Language, Line, Slug, Zone
from mailflow.config.draft import Draft, settings_for, slug_of
from mailflow.config.load import CAMPAIGNS, SETTINGS_FILE, load

_EXAMPLE = Draft(name="An Open Letter", address="endorse@letter.example")


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(init)


def init(
    ctx: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Gets config/ and var/; default: where --config says.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the flags, and the defaults for the rest.")] = False,
    address: Annotated[str | None, typer.Option(help="The address that people write to.")] = None,
    name: Annotated[str | None, typer.Option(help="The statement's title.")] = None,
    organiser: Annotated[str | None, typer.Option(help="Who gets the daily digest.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the statement, such as en.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of the organiser, such as Europe/Berlin.")] = None,
    controller: Annotated[str | None, typer.Option(help="Who answers for the data, with an address.")] = None,
    slug: Annotated[str | None, typer.Option(help="Short name of the campaign; default: made from the title.")] = None,
    smarthost: Annotated[str | None, typer.Option(metavar="HOST[:PORT]", help="The server that takes our outgoing mail.")] = None,
) -> None:
    """Write a commented, validated config and a first campaign. Never overwrites anything.

    Example: mailflow init --yes --address endorse@letter.example --name "An Open Letter" --organiser ann@letter.example
    """
    folder = directory / "config" if directory is not None else config_of(ctx)
    refuse_overwriting([folder / SETTINGS_FILE])
    answers = Answers(ask=not yes)
    draft = ask_for_campaign(
        answers, Draft(name or "", address or "", language or "", organiser or "", zone or "", controller or "", slug or "")
    )
    relay = answers.get(smarthost or "", "Server that takes our outgoing mail (HOST or HOST:PORT)", "127.0.0.1:25", str)
    written = write_config(folder, draft, relay)
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(f"Next: put your statement into the .md file, read {written[0]}, then: mailflow --config {folder} check")


@dataclass(frozen=True)
class Answers:
    """Takes a flag where there is one, else asks, else takes the default."""

    ask: bool

    def get(self, given: str, question: str, default: str, kind: Any, *, optional: bool = False) -> str:
        """One answer that is a ``kind``. Raises typer.BadParameter for a flag that is not."""
        valid = _checker(kind, optional=optional)
        if given or not self.ask:
            return valid(given or default)
        return str(typer.prompt(question, default=default, value_proc=valid, show_default=bool(default)))


def ask_for_campaign(answers: Answers, given: Draft) -> Draft:
    """Fill in what a draft leaves open."""
    name = answers.get(given.name, "Title of the statement", "" if answers.ask else _EXAMPLE.name, Line)
    address = answers.get(given.address, "Address that people write to", "" if answers.ask else _EXAMPLE.address, Address)
    language = answers.get(given.language, "Language of the statement", "en", Language)
    organiser = answers.get(given.organiser, "Organiser who gets the daily digest (empty: nobody)", "", Address, optional=True)
    zone = answers.get(given.zone, "Time zone of the organiser", "UTC", Zone) if organiser else "UTC"
    default = f"The organisers of {name}, {organiser or address}"
    controller = answers.get(given.controller, "Who answers for the data, with an address", default, Line)
    slug = answers.get(given.slug, "Short name of the campaign", slug_of(name, address), Slug)
    return replace(given, slug=slug, name=name, address=address, language=language, organiser=organiser, zone=zone, controller=controller)


def refuse_overwriting(paths: list[Path]) -> None:
    """Ends with exit 1 where one of the files is there already."""
    for path in paths:
        if path.exists() or path.is_symlink():
            typer.echo(
                f"mailflow: {path} exists already and nothing was written; name another folder, or use `mailflow campaign add`", err=True
            )
            raise typer.Exit(1)


def write_config(folder: Path, draft: Draft, smarthost: str) -> list[Path]:
    """Validate, then write a config folder and the private var/ beside it; returns the files.

    Raises BadConfig where the answers make no valid config, and ends with exit 1 where a file is there already.
    """
    try:
        files = {SETTINGS_FILE: settings_for(smarthost)}
    except ValueError:
        raise typer.BadParameter("not HOST or HOST:PORT", param_hint="--smarthost") from None
    files |= {f"{CAMPAIGNS}/{name}": text for name, text in draft.campaign_files(clock()().date()).items()}
    with TemporaryDirectory() as trial:
        _write(Path(trial) / "config", files)
        load(Path(trial) / "config", {})
    refuse_overwriting([folder / name for name in files])
    _write(folder, files)
    (folder.parent / "var").mkdir(mode=0o700, exist_ok=True)
    return [folder / name for name in files]


def _write(folder: Path, files: dict[str, str]) -> None:
    (folder / CAMPAIGNS).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with (folder / name).open("x", encoding="utf-8") as file:
            file.write(text)
    # Passwords may be written into it later.
    (folder / SETTINGS_FILE).chmod(0o600)


def _checker(kind: Any, *, optional: bool) -> Callable[[str], str]:
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def valid(text: str) -> str:
        text = text.strip()
        if not text and optional:
            return ""
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    return valid
