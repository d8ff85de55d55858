"""Patch levels: Python's own mail library, the libraries we stand on, and SQLite (adversarial case 150)."""

import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr
from importlib.metadata import PackageNotFoundError, version

from mailflow.cli.doctor.finding import Finding, error, ok, warning
from mailflow.store.engine import SQLITE_FLOOR, sqlite_module

LIBRARIES = {"aiosmtpd": "1.4.6", "idna": "3.15", "jinja2": "3.1.6", "apscheduler": "3.11.2"}
"""Below these: SMTP smuggling and STARTTLS injection, quadratic A-labels, sandbox escapes, digests lost at a change of clocks."""

Version = tuple[int, ...]


@dataclass(frozen=True)
class Flaw:
    """A flaw of Python's mail library: where it is mended, whether it is live here, and what mailflow does instead."""

    name: str
    mended: dict[tuple[int, int], int]
    live: Callable[[], bool]
    instead: str


def newline_in_header() -> bool:
    """Whether the standard generator lets a decoded subject start a header of its own (CVE-2024-6923)."""
    message = EmailMessage()
    try:
        message["Subject"] = "Re: =?UTF-8?Q?=0ABcc:_b@c.example?="
        return message_from_bytes(message.as_bytes())["Bcc"] is not None
    except (MessageError, ValueError):
        # A Python that refuses to write such a header is mended as well.
        return False


def comma_in_address() -> bool:
    """Whether ``parseaddr`` makes one address of two (CVE-2023-27043)."""
    return parseaddr("a@b.example, c@d.example")[1] != ""


FLAWS = (
    Flaw(
        "CVE-2024-6923 (a line break in a header)",
        {(3, 11): 10, (3, 12): 5},
        newline_in_header,
        "mailflow builds its own headers and puts no text of a sender into one",
    ),
    Flaw(
        "CVE-2023-27043 (one address made of two)",
        {(3, 11): 10, (3, 12): 6},
        comma_in_address,
        "mailflow reads addresses with its own strict grammar, and caps headers before any parser sees them",
    ),
)


def python_findings(running: Version, flaws: tuple[Flaw, ...] = FLAWS) -> Iterator[Finding]:
    """Known flaws of the running Python. Never an error: mailflow does not lean on what is flawed.

    Each flaw is tried out, because distributions mend without a new number.
    """
    name = f"Python {'.'.join(map(str, running))}"
    for flaw in flaws:
        floor = flaw.mended.get((running[0], running[1]), 0)
        old = running[2:] < (floor,)
        if flaw.live():
            newer = f"{running[0]}.{running[1]}.{floor}" if floor else "a newer Python"
            yield warning("python", f"{name} has {flaw.name}; {flaw.instead}", f"still, go to {newer} when you can")
        elif old:
            yield ok("python", f"{name}: {flaw.name} is mended by your distribution")
        else:
            yield ok("python", f"{name} is past {flaw.name}")


def library_findings(installed: Callable[[str], str] = version) -> Iterator[Finding]:
    """Libraries below the release that mends what a hostile mail can use."""
    for name, floor in LIBRARIES.items():
        mend = f"pip install --upgrade '{name}>={floor}'"
        try:
            found = installed(name)
        except PackageNotFoundError:
            yield error("libraries", f"{name} is not installed", mend)
            continue
        if release(found) < release(floor):
            yield error("libraries", f"{name} {found} is older than {floor}, which mends a hole", mend)
        else:
            yield ok("libraries", f"{name} {found}")


def sqlite_findings(found: Version, floor: Version = SQLITE_FLOOR) -> Iterator[Finding]:
    """Whether the SQLite in use keeps its file whole when several processes write."""
    text = f"SQLite {'.'.join(map(str, found))}"
    if found < floor:
        older = f"{text} is older than {'.'.join(map(str, floor))} and can damage a file that several processes write"
        yield error("libraries", older, "pip install --upgrade 'pysqlite3>=0.6.1', or use PostgreSQL")
    else:
        yield ok("libraries", text)


def patch_findings() -> Iterator[Finding]:
    """All of them, of the running process."""
    yield from python_findings(release(platform.python_version()))
    yield from library_findings()
    yield from sqlite_findings(tuple(sqlite_module().sqlite_version_info))


def release(text: str) -> Version:
    """The numbers of a release; a pre-release counts as its release."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
