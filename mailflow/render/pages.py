"""The list of signatories as one page of HTML: no script, no remote content."""

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailflow.config.campaign import Campaign
from mailflow.listing import Listing


def list_page(templates: Path, listing: Listing, campaign: Campaign) -> str:
    """The page; everything a signer wrote is escaped."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    statement = campaign.statements[0]
    return environment.get_template("list/page.html.j2").render(listing=listing, campaign=campaign, statement=statement)
