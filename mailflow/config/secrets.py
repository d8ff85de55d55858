"""Secrets that stand elsewhere: file:PATH and env:NAME."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mailflow.config.fields import Place, dotted, keys
from mailflow.config.section import Section

PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "change_me", "password", "passwort", "secret", "admin", "default", "example", "xxx", "todo", "..."}
)
"""What people leave in a file that they copied; as good as no secret at all."""

_LARGEST = 65_536


Found = tuple[dict[str, Any], tuple[str | int, ...]]


def secret_places(model: type[Section], data: dict[str, Any], place: Place = ()) -> Iterator[Found]:
    """Every secret that is set in a file's data, as (its table, its place)."""
    for key in keys(model).values():
        value = data.get(key.name)
        here = (*place, key.name)
        if key.secret and isinstance(value, str):
            yield data, here
        elif key.section is not None and isinstance(value, dict):
            yield from secret_places(key.section, value, here)
        elif key.section is not None and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield from secret_places(key.section, item, (*here, index))


def fetch_secrets(file: str, model: type[Section], data: dict[str, Any], root: Path, environment: Mapping[str, str]) -> list[str]:
    """Replace each file:PATH (relative to ``root``) and env:NAME in ``data`` by what it holds; returns what is wrong."""
    wrong: list[str] = []
    for table, place in secret_places(model, data):
        name = str(place[-1])
        try:
            table[name] = _fetched(table[name], root, environment)
        except ValueError as error:
            wrong.append(f"{file}: {dotted(place)}: {error}")
    return wrong


def holds_secret(model: type[Section], data: dict[str, Any]) -> bool:
    """Whether the file itself holds a secret, rather than saying where one is."""
    inline = any(not table[str(place[-1])].startswith(("file:", "env:")) for table, place in secret_places(model, data))
    url = data.get("store", {}).get("url", "") if isinstance(data.get("store"), dict) else ""
    credentials = str(url).partition("://")[2].rpartition("@")[0]
    return inline or ":" in credentials


def others_can_read(path: Path) -> bool:
    """Whether people who are neither owner nor in the group may read or write a file."""
    return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))


def _fetched(value: str, root: Path, environment: Mapping[str, str]) -> str:
    scheme, _, rest = value.partition(":")
    if scheme == "env":
        secret = environment.get(rest, "")
        if not secret:
            raise ValueError(f"the environment variable {rest} is not set; set it, or use file:PATH")
    elif scheme == "file":
        secret = _from_file(root / rest)
    else:
        secret = value
    if secret.lower() in PLACEHOLDERS:
        raise ValueError("still holds a placeholder; put the real secret there, best as file:PATH or env:NAME")
    return secret


def _from_file(path: Path) -> str:
    try:
        if others_can_read(path):
            raise ValueError(f"{path} can be read by everybody; chmod 600 {path}")
        with path.open("rb") as file:
            secret = file.read(_LARGEST).decode().strip("\r\n")
    except OSError as error:
        raise ValueError(f"cannot read {path} ({error.strerror}); create it with chmod 600") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not secret.strip():
        raise ValueError(f"{path} is empty; put the secret on its first line")
    return secret
