"""`mailflow digest`: the digest that is due."""

from email import message_from_bytes, policy
from pathlib import Path
from typing import Annotated

import typer

from mailflow.cli.state import program_of
from mailflow.config.campaign import Campaign, Organiser
from mailflow.model.errors import BadInput
from mailflow.wiring import Program


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(digest)


def digest(
    ctx: typer.Context,
    preview: Annotated[bool, typer.Option("--preview", help="Print what would be sent now; changes nothing (the default).")] = False,
    send: Annotated[bool, typer.Option("--send", help="Write the digests that are due into the outbox and send them.")] = False,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only this organiser.")] = None,
) -> None:
    """Show or send the organisers' digest.

    Example: mailflow digest --preview --to anna@example.org
    """
    if preview and send:
        raise typer.BadParameter("choose --preview or --send")
    program = program_of(ctx)
    chosen = _organisers(program, to)
    ticker = program.ticker("digest")
    ticker.number_all()
    if not send:
        for campaign, organiser in chosen:
            _print(program, campaign, organiser)
        return
    written = sum(ticker.write_if_due(campaign, organiser) for campaign, organiser in chosen)
    program.sender("digest").run(lambda: False, until_idle=True)
    typer.echo(f"{written} digests written")


def _organisers(program: Program, to: str | None) -> list[tuple[Campaign, Organiser]]:
    pairs = [(campaign, organiser) for campaign in program.config.campaigns.values() for organiser in campaign.organisers]
    chosen = [pair for pair in pairs if to is None or pair[1].address.casefold() == to.casefold()]
    if not chosen:
        raise BadInput(
            "no such organiser; see organisers in campaigns/*.toml" if to else "no organisers are configured; add them in campaigns/*.toml"
        )
    return chosen


def _print(program: Program, campaign: Campaign, organiser: Organiser) -> None:
    now = program.now()
    composed = program.ticker("digest").compose(campaign, organiser, now.astimezone(organiser.tz).date())
    print_mail(program.renderer.digest(composed, campaign, organiser, now).raw)


def print_mail(raw: bytes) -> None:
    """Prints one of our own mails as its reader sees it: recipient, subject, plain text."""
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    typer.echo(f"To: {message['To']}\nSubject: {message['Subject']}\n")
    typer.echo(body.get_content() if body is not None else "")


def print_latest(outgoing: list[Path]) -> None:
    """Prints the last digest among mails that went out."""
    digests = [raw for raw in (path.read_bytes() for path in outgoing) if b"\r\nAuto-Submitted: auto-generated" in raw]
    if digests:
        # The longest one names names; the others only count.
        print_mail(max(digests, key=len))
