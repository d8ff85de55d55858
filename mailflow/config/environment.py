"""Settings from the environment: MAILFLOW_<SECTION>_<KEY> goes before mailflow.toml."""

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any

from mailflow.config.fields import Key, keys
from mailflow.config.settings import Settings

_PREFIX = "MAILFLOW_"

Sources = dict[tuple[str | int, ...], str]


def overlay(data: dict[str, Any], environment: Mapping[str, str]) -> tuple[Sources, list[str]]:
    """Put the settings of the environment into ``data``; an empty variable counts as not set.

    Returns which places came from which variable, and one line for each variable that names no setting.
    """
    sources: Sources = {}
    wrong: list[str] = []
    for section in keys(Settings).values():
        start = f"{_PREFIX}{section.name.upper()}_"
        known = keys(section.section) if section.section is not None else {}
        for variable in sorted(name for name, value in environment.items() if name.startswith(start) and value):
            if section.many:
                wrong.append(
                    f"environment variable {variable}: [[{section.name}]] tables are set in mailflow.toml only; secrets as env:NAME"
                )
                continue
            key = known.get(variable.removeprefix(start).lower())
            if key is None:
                wrong.append(_unknown(variable, start, known))
                continue
            table = data.setdefault(section.name, {})
            if isinstance(table, dict):
                table[key.name] = _value(key, environment[variable])
                sources[section.name, key.name] = f"environment variable {variable}"
    return sources, wrong


def _value(key: Key, text: str) -> Any:
    """Text as it stands; numbers, truth values and lists as TOML, a list also as a, b, c."""
    if key.kind == "string":
        return text
    if key.kind == "array" and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _unknown(variable: str, start: str, known: Mapping[str, Key]) -> str:
    close = difflib.get_close_matches(variable.removeprefix(start).lower(), known, n=1)
    mend = f"did you mean {start}{close[0].upper()}?" if close else "unset it"
    return f"environment variable {variable}: there is no such setting; {mend}"
