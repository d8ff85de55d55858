"""Mails from files: .eml, mbox, Maildir, a folder, standard input. Memory holds one mail at a time."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_FROM_LINE = re.compile(rb"From \S.{0,200}\d{4}\s*$")
_QUOTED_FROM = re.compile(rb">+From ")
_HEADER_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")


@dataclass(frozen=True, slots=True)
class FileMail:
    """One mail of a file. ``label`` is how it is called in messages; ``problem`` why there are no bytes."""

    label: str
    raw: bytes = b""
    problem: str = ""


def mails_in(argument: str) -> Iterator[FileMail]:
    """The mails that a path holds, in order; never raises, what cannot be read is a FileMail with a problem.

    A folder with ``cur`` or ``new`` is a Maildir, any other folder gives its *.eml in order of name. A file
    named *.eml is one mail; any other file is an mbox if it starts with ``From ``, else one mail.
    """
    path = Path(argument)
    try:
        if not path.is_dir():
            yield from _file(argument, path)
        elif (path / "new").is_dir() or (path / "cur").is_dir():
            yield from _each(argument, [*_listed(path / "new"), *_listed(path / "cur")])
        else:
            yield from _each(argument, [file for file in _listed(path) if file.suffix.lower() == ".eml"])
    except OSError as error:
        yield FileMail(argument, problem=_reason(error))


def _listed(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")) if folder.is_dir() else []


def _each(argument: str, files: Iterable[Path]) -> Iterator[FileMail]:
    empty = True
    for file in files:
        empty = False
        label = f"{argument.rstrip('/')}/{file.name}"
        try:
            yield FileMail(label, file.read_bytes())
        except OSError as error:
            yield FileMail(label, problem=_reason(error))
    if empty:
        yield FileMail(argument, problem="no mail in this folder (neither *.eml nor a Maildir with new/ and cur/)")


def _file(argument: str, path: Path) -> Iterator[FileMail]:
    with path.open("rb") as file:
        if path.suffix.lower() == ".eml" or file.read(5) != b"From ":
            file.seek(0)
            yield FileMail(argument, file.read())
            return
        file.seek(0)
        for n, raw in enumerate(split_mbox(file), 1):
            yield FileMail(f"{argument}#{n}", raw)


def split_mbox(file: IO[bytes]) -> Iterator[bytes]:
    """The mails of an mbox (RFC 4155), without their From_ lines, one level of ``>From `` quoting undone.

    A From_ line counts only at the start or after an empty line, and only if it ends in a year: bodies
    hold sentences that begin with "From ".
    """
    lines: list[bytes] = []
    started, after_blank = False, True
    for line in file:
        if after_blank and _FROM_LINE.match(line):
            if started:
                yield _joined(lines)
            started, lines = True, []
        else:
            lines.append(line[1:] if _QUOTED_FROM.match(line) else line)
        after_blank = line in (b"\n", b"\r\n")
    if started:
        yield _joined(lines)


def _joined(lines: list[bytes]) -> bytes:
    """A mail of an mbox ends in one empty line that is not its own."""
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return b"".join(lines)


def looks_like_mail(raw: bytes) -> bool:
    """Whether the first line that is not empty could begin a mail: a header field or an mbox From_ line."""
    start = raw[:65_536].lstrip(b"\r\n\t \xef\xbb\xbf")
    return bool(_HEADER_FIELD.match(start)) or start.startswith(b"From ")


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"
