"""Which Authentication-Results headers were written on this side of the door, and their clauses (RFC 8601 §2.2, §5)."""

import ipaddress
import re

from mailflow.authenticate.alignment import same_organisation
from mailflow.authenticate.headers import Block, a_label
from mailflow.model.outside import Suffixes

MOST_HEADERS = 10
MOST_CLAUSES = 50
LONGEST_VALUE = 8192
_PRIVATE_NAMES = frozenset({"localhost", "localdomain", "local", "internal", "lan"})
_PIECE = re.compile(r'\\.|[()";\\]|[^()";\\]+')


def trusted_values(block: Block, ids: set[str], suffixes: Suffixes) -> list[tuple[str, str]]:
    """(authserv-id, value) of the topmost ten headers of a wanted id (in lower case) above the first foreign Received. Never raises."""
    found: list[tuple[str, str]] = []
    for key, value in block.fields:
        name = key.lower()
        if not ids or (name == b"received" and _is_foreign(_text(value), ids, suffixes)):
            break
        if name == b"authentication-results" and len(found) < MOST_HEADERS and len(value) <= LONGEST_VALUE:
            text = _text(value)
            clauses = clauses_of(text)
            id_ = a_label(clauses[0][0].split()[0]) if clauses and clauses[0][0].split() else ""
            if id_ in ids:
                found.append((id_, text))
    return found


def _text(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").split())


def clauses_of(value: str) -> list[tuple[str, str]]:
    """(text, its comments) of each clause, none empty; no clause at all where a quoted string or a comment is open.

    Nor where a comment touches the value of a property: ``header.d=good.example(.evil.example)`` is how a signing
    domain with a parenthesis in it comes out of a server that does not look (Chen et al., USENIX Security 2020).
    """
    clauses = [["", ""]]
    depth, quoted = 0, False
    for piece in _PIECE.findall(value):
        last = clauses[-1]
        if quoted or (piece == '"' and not depth):
            quoted = quoted != (piece == '"')
            last[0] += piece
        elif piece == "(" and not depth and _ends_in_a_property(last[0]):
            return []
        elif piece in ("(", ")"):
            depth += 1 if piece == "(" else -1
            last[0] += " "
            last[1] += " "
        elif depth:
            last[1] += piece
        elif piece == ";":
            clauses.append(["", ""])
        else:
            last[0] += piece
        if depth < 0:
            return []
    return [] if depth or quoted else [(text.strip(), comments) for text, comments in clauses if text.strip()]


def _ends_in_a_property(text: str) -> bool:
    """Whether the text ends within ``ptype.property=value``, spaces around the sign or not."""
    before, _, last = text.rpartition(" ")
    return "." in last and ("=" in last or before.rstrip().endswith("="))


def _is_foreign(value: str, ids: set[str], suffixes: Suffixes) -> bool:
    """Whether a Received field says "by HOST" (RFC 5321 §4.4) of a host that is of no wanted id's organisation.

    A field without "by", a private address and a name for private use are a provider's own machines talking to each
    other (Google: ``by 2002:a05:…``). Whoever forges a Received field may as well name the id itself: this line is
    drawn against honest relays, not against liars; results that lie are to be removed by the server named (RFC 8601 §5).
    """
    clauses = clauses_of(value)
    words = (clauses[0][0] if clauses else value).lower().split()
    # The name after "from" is the client's to choose, and "by" may be it.
    start = 2 if words[:1] == ["from"] else 0
    host = next((after.strip("[],;") for word, after in zip(words[start:], words[start + 1 :], strict=False) if word == "by"), "")
    if not host or _is_private(host):
        return False
    label = a_label(host)
    return not any(label == id_ or same_organisation(label, id_, suffixes) for id_ in ids)


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.removeprefix("ipv6:"))
    except ValueError:
        return bool(a_label(host)) and ("." not in host or host.rpartition(".")[2] in _PRIVATE_NAMES)
    # 6to4 of a private address: how Google writes its own 10.x
    within = address.sixtofour if isinstance(address, ipaddress.IPv6Address) else None
    return (within or address).is_private
