"""Which recipients a delivery report names as failed or delayed."""

import re

from mailflow.parse.letter import Letter

_ADDRESS = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]+(?:\.[\w-]+)+"
_FINAL = re.compile(rf"^(?:final|original)-recipient\s*:\s*[\w-]+\s*;\s*<?({_ADDRESS})>?", re.IGNORECASE | re.MULTILINE)
_ACTION = re.compile(r"^action\s*:\s*(\w+)", re.IGNORECASE | re.MULTILINE)
_LISTED = re.compile(rf"^\W{{0,4}}<?({_ADDRESS})>?(?=[ \t]{{0,8}}[:(>]|[ \t]{{0,8}}$)", re.MULTILINE)
_ANYWHERE = re.compile(rf"(?<![\w.@-])<?({_ADDRESS})>?")
_COPY = re.compile(
    r"^[^\w\n-]{0,8}(?:-{2,40}.*(?:copy|original|returned|message header).*|.*\b(?:original message (?:headers|follows)|diagnostic information for administrators|the following text was generated during).*)$",
    re.IGNORECASE | re.MULTILINE,
)
_MOST = 100


def bounced_recipients(letter: Letter, ours: frozenset[str]) -> tuple[str, ...]:
    """Addr-specs, domain in lower case, in the order of the report: RFC 3464 fields, else what older reports write.

    ``ours`` are addresses that are never a recipient that failed.
    """
    found = _from_fields(letter.reports) or _from_header(letter) or _from_text(letter, ours)
    return tuple(dict.fromkeys(found))[:_MOST]


def _from_fields(reports: tuple[str, ...]) -> list[str]:
    """Final-Recipient, else Original-Recipient, of each group whose action is failed or delayed (RFC 3464 §2.3)."""
    out = []
    for report in reports:
        for group in re.split(r"\n\s*\n", report.replace("\r\n", "\n")):
            action = _ACTION.search(group)
            recipients = _FINAL.findall(group)
            if recipients and (action is None or action[1].lower() in ("failed", "delayed")):
                final = re.search(rf"^final-recipient\s*:\s*[\w-]+\s*;\s*<?({_ADDRESS})", group, re.IGNORECASE | re.MULTILINE)
                out.append(_lowered(final[1] if final else recipients[0]))
    return out


def _from_header(letter: Letter) -> list[str]:
    """Exim and Gmail name them in a header."""
    return [_lowered(address) for value in letter.values("x-failed-recipients") for address in _ANYWHERE.findall(value)]


def _from_text(letter: Letter, ours: frozenset[str]) -> list[str]:
    """qmail, Exim, Exchange and Gmail name them in the text above the returned mail; best on a line of their own."""
    text = letter.body
    copy = _COPY.search(text)
    above = text[: copy.start()] if copy and copy.start() > 0 else text
    strangers = ours | {letter.author or ""}
    for pattern in (_LISTED, _ANYWHERE):
        found = [
            address for raw in pattern.findall(above) if (address := _lowered(raw)).lower() not in strangers and not _is_server(address)
        ]
        if found:
            return found
    return []


def _is_server(address: str) -> bool:
    return address.partition("@")[0].lower() in ("postmaster", "mailer-daemon", "abuse")


def _lowered(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"
