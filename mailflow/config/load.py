"""Reads a config folder: mailflow.toml, campaigns/SLUG.toml and the statements beside them."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mailflow.config.campaign import Campaign, Listing, Statement
from mailflow.config.complaints import complaints
from mailflow.config.environment import Sources, overlay
from mailflow.config.plain import plain, statement_text
from mailflow.config.secrets import fetch_secrets, holds_secret, others_can_read
from mailflow.config.section import Section
from mailflow.config.settings import Settings
from mailflow.model.errors import BadConfig
from mailflow.model.mail import ReadingContext

SETTINGS_FILE = "mailflow.toml"
CAMPAIGNS = "campaigns"
_BUILTIN = "*"

_S = TypeVar("_S", bound=Section)


@dataclass(frozen=True)
class Config:
    """A config folder as it was read. Relative paths of the settings are relative to ``root``, the folder's parent."""

    folder: Path
    root: Path
    settings: Settings
    campaigns: dict[str, Campaign]

    def by_address(self) -> dict[str, str]:
        """Address in lower case -> slug of the campaign it belongs to."""
        return {address.lower(): slug for slug, campaign in self.campaigns.items() for address in campaign.addresses}


def load(folder: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read and validate a config folder, or the ``config`` in the folder named; ``environment`` is os.environ unless given.

    Raises BadConfig with one line for each thing that is wrong: file, key, value, what is allowed.
    """
    variables = os.environ if environment is None else environment
    folder = config_folder(folder)
    if not folder.is_dir():
        raise BadConfig(f"there is no config folder {folder}; run `mailflow init`, or name another with --config DIR")
    wrong: list[str] = []
    settings = _settings(folder, variables, wrong)
    campaigns = _campaigns(folder / CAMPAIGNS, wrong)
    wrong.extend(_homeless(settings, campaigns))
    if wrong or settings is None:
        raise BadConfig("\n".join(wrong))
    return Config(folder, folder.parent, settings, campaigns)


def config_folder(named: Path) -> Path:
    """The config folder that somebody means: the one named, else the ``config`` in it. Absolute; no link is followed."""
    folder = Path(os.path.abspath(named))  # noqa: PTH100 - Path.resolve() follows links
    inner = folder / "config"
    return inner if (inner / SETTINGS_FILE).is_file() and not (folder / SETTINGS_FILE).exists() else folder


def load_campaign(path: Path) -> Campaign:
    """Read one campaign file. Raises BadConfig as ``load`` does."""
    wrong: list[str] = []
    campaign = _campaign(path, wrong)
    if campaign is None:
        raise BadConfig("\n".join(wrong))
    return campaign


def builtin_campaign() -> Campaign:
    """The campaign of a dry run without a config folder: no statement, and every recipient is its address.

    Its slug is ``*``, which no file can have; its address is a placeholder that no mail is sent to.
    """
    valid = Campaign(
        slug="builtin",
        name="This statement",
        addresses=["endorse@campaign.test"],
        controller="-",
        notice="-",
        listing=Listing.COUNT,
        statements=[Statement(language="en", title="-", date=date(1970, 1, 1))],
    )
    return valid.model_copy(update={"slug": _BUILTIN})


def reading_context(campaign: Campaign) -> ReadingContext:
    """What a reader must know of a campaign: its addresses and all its texts, as plain text, so that quotes are known."""
    if campaign.slug == _BUILTIN:
        return ReadingContext()
    templates = [statement.template for statement in campaign.statements]
    invitations = [plain(statement.invitation) for statement in campaign.statements]
    own = [*templates, *invitations, plain(campaign.notice)]
    return ReadingContext(
        addresses=frozenset(address.lower() for address in campaign.addresses),
        statements=tuple((statement.language, statement_text(statement)) for statement in campaign.statements),
        own_texts=tuple(text for text in own if text.strip()),
    )


def _settings(folder: Path, environment: Mapping[str, str], wrong: list[str]) -> Settings | None:
    path = folder / SETTINGS_FILE
    file = _short(path)
    data = _toml(path, wrong)
    if data is None:
        return None
    if holds_secret(Settings, data) and others_can_read(path):
        wrong.append(f"{file} holds a password and can be read by everybody; chmod 600 {path}")
    sources, unknown = overlay(data, environment)
    return _checked(file, Settings, data, sources, [*unknown, *fetch_secrets(file, Settings, data, folder.parent, environment)], wrong)


def _campaigns(folder: Path, wrong: list[str]) -> dict[str, Campaign]:
    paths = sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))
    found = [campaign for campaign in (_campaign(path, wrong) for path in paths) if campaign is not None]
    owner: dict[str, str] = {}
    for campaign in found:
        for address in campaign.addresses:
            other = owner.setdefault(address.lower(), campaign.slug)
            if other != campaign.slug:
                where = f"{CAMPAIGNS}/{campaign.slug}.toml: addresses"
                wrong.append(f"{where}: {address} belongs to campaign {other} already; give each campaign its own address")
    return {campaign.slug: campaign for campaign in found}


def _campaign(path: Path, wrong: list[str]) -> Campaign | None:
    data = _toml(path, wrong)
    if data is None:
        return None
    file = _short(path)
    before = _read_bodies(file, path.parent, data)
    slug = data.get("slug")
    if isinstance(slug, str) and slug != path.stem:
        before.append(
            f'{file}: slug = "{slug}" must be the name of its file; write slug = "{path.stem}", or rename the file to {slug}.toml'
        )
    return _checked(file, Campaign, data, {}, before, wrong)


def _homeless(settings: Settings | None, campaigns: Mapping[str, Campaign]) -> list[str]:
    """One line for each mailbox whose campaign does not exist."""
    accounts = enumerate(settings.imap if settings else ())
    return [
        f'{SETTINGS_FILE}: imap[{n}].campaign = "{account.campaign}": there is no {CAMPAIGNS}/{account.campaign}.toml'
        for n, account in accounts
        if account.campaign is not None and account.campaign not in campaigns
    ]


def _read_bodies(file: str, folder: Path, data: dict[str, Any]) -> list[str]:
    """Put the Markdown file of each statement into its body; returns what is wrong."""
    wrong: list[str] = []
    statements = data.get("statements")
    for index, statement in enumerate(statements if isinstance(statements, list) else []):
        name = statement.get("file") if isinstance(statement, dict) else None
        if not isinstance(name, str):
            continue
        if statement.get("body"):
            wrong.append(f"{file}: statements[{index}]: body and file are both set; keep one")
            continue
        try:
            statement["body"] = (folder / name).read_text(encoding="utf-8-sig")
        except OSError as error:
            wrong.append(f'{file}: statements[{index}].file = "{name}": cannot read {folder / name} ({error.strerror})')
        except UnicodeDecodeError:
            wrong.append(f'{file}: statements[{index}].file = "{name}" is not UTF-8; save it as UTF-8')
    return wrong


def _checked(file: str, model: type[_S], data: dict[str, Any], sources: Sources, before: list[str], wrong: list[str]) -> _S | None:
    """The data as a model. Strict, in JSON's types: a number in quotation marks or a truth value for a number is an error."""
    wrong.extend(before)
    try:
        value = model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        wrong.extend(complaints(file, model, error, sources))
        return None
    return None if before else value


def _toml(path: Path, wrong: list[str]) -> dict[str, Any] | None:
    file = _short(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        wrong.append(f"{file} is missing in {path.parent}; run `mailflow init` to write one")
    except OSError as error:
        wrong.append(f"{file}: cannot be read ({error.strerror}); check the owner and mode of {path}")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        wrong.append(f"{file} line {line}: is not UTF-8; save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        wrong.append(_syntax(file, text, str(error)))
    return None


def _syntax(file: str, text: str, message: str) -> str:
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    line = found[1] if found and found[1] else str(text.count("\n") + 1)
    reason = message[: found.start()] if found else message
    return f"{file} line {line}: is not TOML: {reason[:1].lower()}{reason[1:]}; texts need quotation marks, lists [ ], tables [name]"


def _short(path: Path) -> str:
    """A file as the errors name it: from the config folder on."""
    return f"{CAMPAIGNS}/{path.name}" if path.parent.name == CAMPAIGNS else path.name
