"""Writes commented TOML from the models: the example files in config/ and what `mailflow init` writes."""

import json
import textwrap
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from mailflow.config.campaign import Campaign
from mailflow.config.fields import Key, keys
from mailflow.config.section import Section
from mailflow.config.settings import Settings

Values = Mapping[str, Any]

_WIDTH = 118

_SETTINGS_HEAD = """\
The settings of mailflow. Every key is named here with its default; take the # away to change it.
MAILFLOW_<SECTION>_<KEY> in the environment goes before this file, such as MAILFLOW_SMTP_PORT=25.
A secret is best written as "file:PATH" (a file of mode 600) or "env:NAME". Relative paths start at the folder that
holds the config folder. Try it with: mailflow check"""

_CAMPAIGN_HEAD = """\
One campaign: a statement, the addresses that people write to, and what they are told. The file's name is its slug.
Keys with a # before them show the default; take the # away to change one. Try it with: mailflow check"""


def settings_toml(values: Values | None = None) -> str:
    """A mailflow.toml with every key: those in ``values`` (section -> key -> value) set, the others commented out."""
    return "\n".join([*_comment(_SETTINGS_HEAD), *_table(Settings, "", values or {}, examples=False)]) + "\n"


def campaign_toml(values: Values | None = None) -> str:
    """A campaign file with every key. Without ``values`` it is the example, else only what they hold is set.

    Raises KeyError where ``values`` lacks a key that a campaign must have.
    """
    return "\n".join([*_comment(_CAMPAIGN_HEAD), *_table(Campaign, "", values or {}, examples=values is None)]) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML; text of several lines in triple quotation marks."""
    if isinstance(value, Enum):
        return toml_value(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml_value(item)}' for key, item in value.items())} }}"
    if isinstance(value, str):
        return _text(value)
    return str(value)


def _text(value: str) -> str:
    lines = [json.dumps(line, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f") for line in value.split("\n")]
    return f'"{lines[0]}"' if len(lines) == 1 else '"""\n' + "\n".join(lines) + '"""'


def _table(model: type[Section], path: str, values: Values, *, examples: bool) -> list[str]:
    plain = [key for key in keys(model).values() if key.section is None]
    nested = [key for key in keys(model).values() if key.section is not None]
    lines = [line for key in plain for line in _key(key, values, examples)]
    for key in nested:
        lines.extend(_nested(key, f"{path}{key.name}", values, examples))
    return lines


def _nested(key: Key, path: str, values: Values, examples: bool) -> list[str]:
    if key.section is None:
        return []
    if not key.many:
        return ["", "", *_comment(key.meaning), f"[{path}]", *_table(key.section, f"{path}.", values.get(key.name, {}), examples=examples)]
    lines: list[str] = []
    items = values.get(key.name, [{}] if examples else [])
    for item in items:
        lines += ["", "", *_comment(key.meaning), f"[[{path}]]", *_table(key.section, f"{path}.", item, examples=examples)]
    return lines if items or not key.meaning else ["", "", *_comment(key.meaning), *_dormant(key.section, f"[[{path}]]", path)]


def _dormant(model: type[Section], header: str, path: str) -> list[str]:
    """A table that is not there yet, with those in it: every line a comment."""
    lines = [f"# {header}"]
    for key in keys(model).values():
        if key.section is None:
            value = _default(key) if key.example is None else toml_value(key.example)
            lines += [*_comment(key.meaning), f"# {key.name} = {value}"]
    for key in keys(model).values():
        if key.section is not None:
            lines += ["#", *_comment(key.meaning), *_dormant(key.section, f"[{path}.{key.name}]", f"{path}.{key.name}")]
    return lines


def _key(key: Key, values: Values, examples: bool) -> list[str]:
    obvious = key.allowed in ("text", "a list of: text") or key.secret
    comment = ["", *_comment(key.meaning if obvious else f"{key.meaning} [{key.allowed}]")]
    if key.name in values:
        return [*comment, f"{key.name} = {toml_value(values[key.name])}"]
    if examples and (key.required or key.example != key.default):
        return [*comment, f"{key.name} = {toml_value(key.example)}"]
    if key.required:
        raise KeyError(key.name)
    return [*comment, f"# {key.name} = {_default(key)}"]


def _default(key: Key) -> str:
    if key.default is not None:
        return toml_value(key.default)
    return "2026-09-01" if "a date" in key.allowed else '"..."'


def _comment(text: str) -> list[str]:
    return [line for part in text.split("\n") for line in textwrap.wrap(part, _WIDTH, initial_indent="# ", subsequent_indent="# ")]


def write_examples(top: Path) -> None:
    """Write config/mailflow.toml and config/campaigns/example.toml under a checkout, after a model has changed."""
    (top / "config/mailflow.toml").write_text(settings_toml(), encoding="utf-8")
    (top / "config/campaigns/example.toml").write_text(campaign_toml(), encoding="utf-8")
