"""Everything a rule may look at, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime

from mailflow.config.campaign import Campaign
from mailflow.decide.identity import identity
from mailflow.model.endorsement import Entry
from mailflow.model.mail import ParsedMail, Verdict


@dataclass(frozen=True, slots=True)
class Policy:
    """What a campaign says that bears on decisions."""

    campaign: str
    identities: frozenset[str]
    closed: bool
    freshness_days: int

    @classmethod
    def of(cls, campaign: Campaign) -> "Policy":
        """The policy in a campaign file."""
        own = frozenset(identity(address) for address in campaign.addresses)
        return cls(campaign.slug, own, campaign.closed, campaign.freshness_days)


@dataclass(frozen=True, slots=True)
class FirstCopy:
    """The first mail with the same content hash in this campaign."""

    id: int
    proven: bool
    waits_for_proof: bool
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of this mail and its author.

    ``presumed`` is a dry run's: nobody has endorsed before, but whoever withdraws or corrects has an entry.
    """

    copy: FirstCopy | None = None
    entry: Entry | None = None
    presumed: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """One mail, its proof, its past and the policy; ``received_at`` is when our door (or the one it vouches for) took it.

    ``junk``: it lay in a junk folder. ``age_matters`` is false where authentication, replay and age are taken as passed (`explain --assume-authenticated`).
    """

    mail: ParsedMail
    verdict: Verdict
    history: History
    policy: Policy | None
    received_at: datetime
    null_sender: bool = False
    age_matters: bool = True
    junk: bool = False
    flags: tuple[str, ...] = field(default=())
