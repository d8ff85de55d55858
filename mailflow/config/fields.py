"""What each key of the configuration means and allows, read off the models: for errors, examples and docs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic_core import PydanticUndefined

from mailflow.config.section import Section

Place = Sequence[str | int]
"""Where a value stands: keys and list indices from the top of the file."""


@dataclass(frozen=True)
class Key:
    """One key of a table. ``section`` is the model of a nested table, ``many`` says that there may be several of it."""

    name: str
    meaning: str
    allowed: str
    required: bool
    default: Any
    example: Any
    secret: bool
    kind: str
    section: type[Section] | None
    many: bool


@cache
def keys(model: type[Section]) -> dict[str, Key]:
    """The keys of a table in the order of the model."""
    schema = model.model_json_schema()
    return {name: _key(model, name, schema["properties"][name], schema.get("$defs", {})) for name in model.model_fields}


def key_at(model: type[Section], place: Place) -> Key | None:
    """The key that a place in the file belongs to; ``None`` where the models know no such place."""
    found: Key | None = None
    table: type[Section] | None = model
    for step in place:
        if isinstance(step, int):
            continue
        found = keys(table).get(step) if table is not None else None
        table = found.section if found is not None else None
    return found


def dotted(place: Place) -> str:
    """A place as people write it: ``organisers[0].zone``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_bare(step)}" for step in place)
    return text.removeprefix(".")


def _bare(name: str) -> str:
    """A key that needs no quotation marks stands as it is; any other is cut and made one line."""
    return name if re.fullmatch("[A-Za-z0-9_-]{1,64}", name) else repr(name[:64])


def _key(model: type[Section], name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Key:
    field = model.model_fields[name]
    shape = _resolved(schema, definitions)
    default = None if field.default is PydanticUndefined else field.default
    if field.default_factory is not None:
        default = field.get_default(call_default_factory=True)
    return Key(
        name=name,
        meaning=field.description or "",
        allowed=_allowed(shape, definitions),
        required=field.is_required(),
        default=default,
        example=field.examples[0] if field.examples else default,
        secret=shape.get("format") == "password",
        kind=shape.get("type", ""),
        section=_section(field.annotation),
        many=get_origin(field.annotation) is list,
    )


def _section(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if issubclass(annotation, Section) else None
    return next((found for found in map(_section, get_args(annotation)) if found), None)


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A property without its ``$ref`` and without the ``null`` that only means "leave it out"."""
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    shape: dict[str, Any] = options[0]
    name = shape.get("$ref", "").rpartition("/")[2]
    return definitions[name] if name else shape


def _allowed(shape: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "allowed" in shape:
        longest = f", at most {shape['maxLength']} characters" if "maxLength" in shape else ""
        return f"{shape['allowed']}{longest}"
    if "enum" in shape:
        return _choice([str(value) for value in shape["enum"]])
    match shape.get("type"):
        case "integer":
            return "a whole number" + _range(shape)
        case "number":
            return "a number" + _range(shape)
        case "boolean":
            return "true or false"
        case "array":
            return _allowed_list(shape, definitions)
        case "object":
            return "a table"
    return _allowed_text(shape)


def _allowed_list(shape: dict[str, Any], definitions: dict[str, Any]) -> str:
    item = _resolved(shape["items"], definitions)
    atleast = f" with at least {shape['minItems']}" if shape.get("minItems") else ""
    if item.get("type") == "object":
        return f"tables{atleast}"
    return f"a list{atleast} of: {_allowed(item, definitions)}"


def _allowed_text(shape: dict[str, Any]) -> str:
    if shape.get("format") == "date":
        return "a date such as 2026-09-01, without quotation marks"
    if shape.get("format") == "password":
        return "text, best file:PATH or env:NAME"
    pattern = shape.get("pattern", "")
    choices = re.fullmatch(r"\^\(([\w|]+)\)\$", pattern)
    if choices:
        return _choice(choices[1].split("|"))
    if pattern:
        return f"text that matches {pattern}"
    return "text, not empty" if shape.get("minLength") else "text"


def _choice(values: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(values[:-1]), values[-1]]))


def _range(shape: dict[str, Any]) -> str:
    low, above, high = shape.get("minimum"), shape.get("exclusiveMinimum"), shape.get("maximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}" if isinstance(low, float) else f" from {low} to {high}"
    bounds = (("at least", low), ("above", above), ("at most", high))
    return "".join(
        f", {word} {bound:g}" if isinstance(bound, float) else f", {word} {bound}" for word, bound in bounds if bound is not None
    )
