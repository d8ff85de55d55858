"""One line of `mailflow check`."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What was found about a subject, and how to mend it."""

    level: Level
    about: str
    text: str
    mend: str = ""


def ok(about: str, text: str) -> Finding:
    """All is well."""
    return Finding("ok", about, text)


def warning(about: str, text: str, mend: str) -> Finding:
    """It works, but not as it should."""
    return Finding("warning", about, text, mend)


def error(about: str, text: str, mend: str) -> Finding:
    """It does not work, or must not."""
    return Finding("error", about, text, mend)
