"""What is wrong with a configuration file, one plain line each: file, key, value, what is allowed."""

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailflow.config.fields import Key, Place, dotted, key_at, keys
from mailflow.config.section import Section

_OWN_WORDS = ("value_error", "assertion_error")


def complaints(file: str, model: type[Section], error: ValidationError, sources: Mapping[tuple[str | int, ...], str]) -> list[str]:
    """One line for each error. ``sources`` names those places whose value came from somewhere else than ``file``."""
    return [_line(sources.get(tuple(detail["loc"])) or file, model, detail) for detail in error.errors(include_url=False)]


def shown(value: object, *, secret: bool = False) -> str:
    """A value as it may be repeated in an error: no secret, no long text, no contents of lists and tables."""
    if secret:
        return "********"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    text = json.dumps(value, ensure_ascii=False, default=str)
    masked = re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:********@", text)
    return masked if len(masked) <= 80 else f"{masked[:77]}..."


def _line(file: str, model: type[Section], detail: ErrorDetails) -> str:
    place = detail["loc"]
    key = key_at(model, place)
    where = dotted(place)
    if detail["type"] == "extra_forbidden":
        return f"{file}: {where}: there is no such key; {_nearest(model, place)}"
    if detail["type"] == "missing":
        return f"{file}: {where} is missing; add {_addition(key)}"
    own = str(detail.get("ctx", {}).get("error", detail["msg"])) if detail["type"] in _OWN_WORDS else ""
    if own and (key is None or isinstance(detail["input"], dict)):
        return f"{file}: {where}: {own}" if where else f"{file}: {own}"
    value = shown(detail["input"], secret=key is None or key.secret)
    return f"{file}: {where} = {value} is wrong; {own or 'allowed: ' + _allowed(key, place)}"


def _allowed(key: Key | None, place: Place) -> str:
    if key is None:
        return "see docs/config.md"
    if isinstance(place[-1], int):
        return key.allowed.rpartition(" of: ")[2]
    return key.allowed


def _addition(key: Key | None) -> str:
    if key is None:
        return "it"
    if key.section is not None:
        return f"a [[{key.name}]] table: {key.meaning}"
    return f"{key.name} = ...: {key.meaning}"


def _nearest(model: type[Section], place: Place) -> str:
    parent = key_at(model, place[:-1]) if len(place) > 1 else None
    table: Any = model if len(place) == 1 else parent.section if parent else None
    if table is None:
        return "take it out"
    names = list(keys(table))
    close = difflib.get_close_matches(str(place[-1]), names, n=1)
    return f"did you mean {close[0]}?" if close else f"the keys here are {', '.join(names)}"
