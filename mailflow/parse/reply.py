"""What the sender wrote in this mail: a scanner over lines, linear, that knows structure rather than languages."""

from dataclasses import dataclass

from mailflow.parse.endings import mark_endings
from mailflow.parse.letter import Cut
from mailflow.parse.lines import Line, lines_of, plain_text
from mailflow.parse.quotes import mark_quoted
from mailflow.parse.statement import Known, mark_statement

__all__ = ["Known", "Reply", "scan"]

SCANNED = 65_536
"""Letters of a body that are looked at; what stands below is kept as it is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome: own words, signature block, and everything that was cut, in order."""

    reply: str
    signature: str
    cuts: tuple[Cut, ...] = ()

    @property
    def unquoted(self) -> str:
        """All that is not a quote: own words with signature and footers, for comparing two forms of one mail."""
        return "\n".join(
            [self.reply, *(cut.text for cut in self.cuts if cut.why in ("signature", "app_footer", "disclaimer", "advert", "list_footer"))]
        )


def scan(body: str, known: Known, subject: str = "") -> Reply:
    r"""Cuts a body (``\n`` line ends) into the sender's own words and the rest.

    When in doubt the text stays: a quote that is printed is a blemish, a sentence that is lost is a wrong.
    """
    body, rest = _shortened(body)
    lines = lines_of(body)
    mark_quoted(lines, subject)
    mark_statement(lines, known)
    mark_endings(lines)
    kind = lines[-1].kind
    lines += [Line(text, "", "quote" if text.startswith(">") else kind) for text in rest]
    return _collect(lines)


def _shortened(body: str) -> tuple[str, list[str]]:
    """The lines that are looked at, as one text, and those below."""
    end = body.rfind("\n", 0, SCANNED) if len(body) > SCANNED else -1
    return (body[:end], plain_text(body[end + 1 :]).split("\n")) if end > 0 else (body, [])


def _collect(lines: list[Line]) -> Reply:
    kept: list[str] = []
    cuts: list[Cut] = []
    why, pieces = "", [""]
    for line in lines:
        if line.kind != why:
            if why:
                cuts.append(Cut(why, "\n".join(pieces)))
            kept.append("")
            why, pieces = line.kind, []
        (pieces if line.kind else kept).append(line.text if line.kind else line.text.rstrip())
    if why:
        cuts.append(Cut(why, "\n".join(pieces)))
    signature = "\n".join(cut.text for cut in cuts if cut.why == "signature")
    return Reply(_tidy(kept), signature.strip("\n -—"), tuple(cuts))


def _tidy(kept: list[str]) -> str:
    """Paragraphs kept, runs of empty lines made one."""
    out: list[str] = []
    for text in kept:
        if text.strip() or (out and out[-1]):
            out.append(text if text.strip() else "")
    return "\n".join(out).strip("\n")
