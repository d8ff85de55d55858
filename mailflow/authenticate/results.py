"""Authentication-Results (RFC 8601), believed only from the door's own servers."""

from dataclasses import dataclass

import authres

from mailflow.authenticate.headers import Block, a_label
from mailflow.model.outside import Suffixes


@dataclass(frozen=True, slots=True)
class Told:
    """What a believed server says: ``passed`` (aligned), ``failed`` by DMARC, ``disowned`` by the domain's policy, and the evidence."""

    passed: bool = False
    failed: bool = False
    disowned: bool = False
    evidence: tuple[str, ...] = ()


def read(block: Block, trusted: tuple[str, ...], author_domain: str, suffixes: Suffixes) -> Told:
    """The results that this door vouches for; everything else is ignored and said to be. Never raises."""
    wanted = {a_label(name) for name in trusted} - {""}
    believed, ignored = _believed(block, wanted, suffixes)
    told = [_judge(header, name, author_domain, suffixes) for name, header in believed]
    evidence = [line for one in told for line in one.evidence]
    if ignored:
        evidence.append(f"authentication-results=ignored ({ignored})")
    failed = any(one.failed for one in told)
    return Told(any(one.passed for one in told) and not failed, failed, any(one.disowned for one in told), tuple(evidence))


def _believed(block: Block, wanted: set[str], suffixes: Suffixes) -> tuple[list[tuple[str, "authres.AuthenticationResultsHeader"]], int]:
    """Headers with a wanted id above the first Received by another host, and how many others there are."""
    believed, ignored, inside = [], 0, bool(wanted)
    for key, value in block.fields:
        name = key.lower()
        if name == b"received" and inside:
            inside = _received_by_one_of(value, wanted, suffixes)
        elif name == b"authentication-results":
            parsed = _parsed(value) if inside else None
            id_ = a_label(str(parsed.authserv_id or "")) if parsed is not None else ""
            if parsed is not None and id_ in wanted:
                believed.append((id_, parsed))
            else:
                ignored += 1
    return believed, ignored


def _parsed(value: bytes) -> "authres.AuthenticationResultsHeader | None":
    text = " ".join(value.decode("utf-8", "replace").split())
    if len(text) > 8192:
        return None
    try:
        return authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    except (authres.AuthResError, ValueError, RecursionError):
        return None


def _received_by_one_of(value: bytes, wanted: set[str], suffixes: Suffixes) -> bool:
    """Whether a Received field was written by a host of the same organisation as a wanted id (RFC 5321 §4.4: "by HOST")."""
    words = value.decode("ascii", "replace").lower().split()
    host = next((words[n + 1].strip(";,()") for n, word in enumerate(words[:-1]) if word == "by"), "")
    label = a_label(host)
    return bool(label) and any(label == id_ or _same_organisation(label, id_, suffixes) for id_ in wanted)


def _same_organisation(one: str, two: str, suffixes: Suffixes) -> bool:
    mine = suffixes.organisational(one)
    return mine is not None and mine == suffixes.organisational(two)


def _judge(header: "authres.AuthenticationResultsHeader", id_: str, author_domain: str, suffixes: Suffixes) -> Told:
    passed = failed = disowned = False
    evidence: list[str] = []
    for result in header.results:
        method, outcome = str(result.method).lower(), str(result.result).lower()
        domain = _property(result, "from" if method == "dmarc" else "d")
        aligned = bool(domain) and (domain == author_domain or _same_organisation(domain, author_domain, suffixes))
        if method not in ("dmarc", "dkim") or not outcome.isalpha():
            continue
        evidence.append(f"results={outcome} by {id_} {method} d={domain or '-'}{' aligned' if aligned else ''}")
        if method == "dmarc" and domain == author_domain:
            passed |= outcome == "pass"
            failed |= outcome == "fail"
            disowned |= outcome == "fail" and _policy_disowns(result)
        elif method == "dkim":
            passed |= outcome == "pass" and aligned
    return Told(passed, failed, disowned, tuple(evidence))


def _property(result: "authres.AuthenticationResult", name: str) -> str:
    value = next((str(prop.value) for prop in result.properties if prop.type == "header" and prop.name == name and prop.value), "")
    return a_label(value.rpartition("@")[2])


def _policy_disowns(result: "authres.AuthenticationResult") -> bool:
    """Whether the server names a policy of quarantine or reject (RFC 8601 §2.7.6 and what servers really write)."""
    told = " ".join(
        [str(result.reason or ""), *(str(prop.value) for prop in result.properties), str(getattr(result, "result_comment", "") or "")]
    )
    return any(word in told.lower() for word in ("reject", "quarantine"))
