"""Writes config folders for tests; all people are invented."""

from pathlib import Path

CAMPAIGN = """\
slug = "{slug}"
name = "Save the Heath"
addresses = ["{address}"]
controller = "Heath Committee, data@heath.example"
notice = "Names are published."
notice_names_public = true
{more}
[[statements]]
language = "en"
title = "Save the Heath"
date = 2026-09-01
body = "The heath must stay."
"""


def campaign_text(slug: str = "heath", address: str = "endorse@heath.example", more: str = "") -> str:
    """A small campaign file; ``more`` are further lines of its top table."""
    return CAMPAIGN.format(slug=slug, address=address, more=more)


def write_config(folder: Path, settings: str = "", **campaigns: str) -> Path:
    """A config folder with mailflow.toml and campaigns/NAME.toml for each keyword; returns the folder."""
    (folder / "campaigns").mkdir(parents=True, exist_ok=True)
    (folder / "mailflow.toml").write_text(settings, encoding="utf-8")
    (folder / "mailflow.toml").chmod(0o600)
    for name, text in (campaigns or {"heath": campaign_text()}).items():
        (folder / "campaigns" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder
