"""Authentication-Results (RFC 8601), believed only from the door's own servers."""

import re
from dataclasses import dataclass

import authres

from mailflow.authenticate.alignment import same_organisation
from mailflow.authenticate.headers import Block, a_label
from mailflow.authenticate.trusted import MOST_CLAUSES, clauses_of, trusted_values
from mailflow.model.outside import Suffixes

_OUTCOMES = frozenset({"none", "pass", "fail", "policy", "neutral", "temperror", "permerror", "softfail"})
_SPOKEN_OF = re.compile(r"(?:dkim|dmarc)\s{0,9}[/=]", re.IGNORECASE)
_POLICY = re.compile(r"\b(sp|p|policy)\s{0,3}=\s{0,3}(none|quarantine|reject)\b", re.IGNORECASE)
_PUBLISHED = {"dmarc": "p", "published-domain-policy": "p", "published-subdomain-policy": "sp"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a believed server says: ``passed`` (aligned), ``failed`` by DMARC, ``disowned`` by the domain's policy, and the evidence."""

    passed: bool = False
    failed: bool = False
    disowned: bool = False
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """One clause about DKIM or DMARC; ``domain`` is a host name or empty, ``policy`` what it says of the DMARC policy published."""

    by: str
    method: str
    outcome: str
    domain: str
    policy: dict[str, str]

    def line(self, *, aligned: bool) -> str:
        """One line for a human; holds no text of the sender but validated host names."""
        return f"results={self.outcome} by {self.by} {self.method} d={self.domain or '-'}{' aligned' if aligned else ''}"


def read(block: Block, trusted: tuple[str, ...], author_domain: str, suffixes: Suffixes) -> Told:
    """The results that this door vouches for; everything else is ignored and said to be. Never raises.

    Of several believed headers the topmost that speaks of a method decides on it: a server that does not remove
    forged results (RFC 8601 §5) has at least written its own above them.
    """
    values = trusted_values(block, {a_label(name) for name in trusted} - {""}, suffixes)
    said: list[_Said] = []
    for by, value in values:
        known = {one.method for one in said}
        said += [one for one in _said(by, value) if one.method not in known]
    told = [(one, one.domain == author_domain or same_organisation(one.domain, author_domain, suffixes)) for one in said]
    evidence = [one.line(aligned=aligned) for one, aligned in told]
    ignored = len(block.named(b"authentication-results")) - len(values)
    if ignored:
        evidence.append(f"authentication-results=ignored ({ignored})")
    failures = [one for one, aligned in told if aligned and one.method == "dmarc" and one.outcome == "fail"]
    below = suffixes.organisational(author_domain) != author_domain
    return Told(
        passed=not failures and any(_passes(one, author_domain, suffixes) for one in said),
        failed=bool(failures),
        disowned=any(_disowns(one.policy, below=below) for one in failures),
        evidence=tuple(evidence),
    )


def _passes(one: _Said, author_domain: str, suffixes: Suffixes) -> bool:
    """An aligned pass: DMARC for this very From, or DKIM by the same organisation."""
    if one.outcome != "pass":
        return False
    return one.domain == author_domain if one.method == "dmarc" else same_organisation(one.domain, author_domain, suffixes)


def _disowns(policy: dict[str, str], *, below: bool) -> bool:
    """Whether the policy that applies is quarantine or reject; sp= is for names below the organisational domain (RFC 7489 §6.3)."""
    applies = policy.get("sp") if below and "sp" in policy else policy.get("p", policy.get("policy"))
    return applies in ("quarantine", "reject")


def _said(by: str, value: str) -> list[_Said]:
    """The clauses about DKIM and DMARC, each parsed for itself: one that is broken does not spoil the others."""
    said = []
    for clause, comments in clauses_of(value)[1 : MOST_CLAUSES + 1]:
        parsed = _parsed(clause) if _SPOKEN_OF.match(clause) else None
        if parsed is not None and str(parsed.result) in _OUTCOMES:
            method = str(parsed.method)
            domain = _one_domain(parsed, "from" if method == "dmarc" else "d")
            said.append(_Said(by, method, str(parsed.result), domain, _policy(parsed, comments)))
    return said


def _parsed(clause: str) -> "authres.AuthenticationResult | None":
    try:
        results = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: x; {clause}").results
    except (authres.AuthResError, ValueError):
        return None
    return next((result for result in results if isinstance(result, authres.AuthenticationResult)), None)


def _one_domain(result: "authres.AuthenticationResult", name: str) -> str:
    """The host name in header.NAME, ``""`` where there is none or more than one."""
    values = [str(prop.value or "") for prop in result.properties if prop.type == "header" and prop.name == name]
    return a_label(values[0]) if len(values) == 1 else ""


def _policy(result: "authres.AuthenticationResult", comments: str) -> dict[str, str]:
    """The DMARC policy that a server tells, in a property (RFC 8601 §2.7.6) or, as most do, in a comment."""
    told = {name.lower(): policy.lower() for name, policy in _POLICY.findall(comments)}
    properties = {prop.name: str(prop.value or "").lower() for prop in result.properties if prop.type == "policy"}
    return told | {key: properties[name] for name, key in _PUBLISHED.items() if name in properties}
