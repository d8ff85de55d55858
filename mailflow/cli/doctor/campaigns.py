"""The campaigns: consent, statements, who hears of them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from mailflow.cli.doctor.finding import Finding, error, ok, warning
from mailflow.config.campaign import Campaign, Listing
from mailflow.config.draft import UNWRITTEN
from mailflow.decide import identity


def campaign_findings(campaigns: Mapping[str, Campaign], languages: Collection[str]) -> Iterator[Finding]:
    """Everything about the campaigns; ``languages`` are those that answers are written in."""
    if not campaigns:
        yield error("campaigns", "there is no campaign, so every mail is for nobody", "mailflow campaign add")
    for campaign in campaigns.values():
        about = f"campaign {campaign.slug}"
        yield from _consent(about, campaign)
        yield from _statements(about, campaign, languages)
        yield from _people(about, campaign)
    yield from _one_address_each(campaigns)


def _consent(about: str, campaign: Campaign) -> Iterator[Finding]:
    if campaign.listing is Listing.NAMED and not campaign.notice_names_public:
        yield error(
            about,
            'listing = "named", but the notice is not said to tell that names are published',
            'say so in the notice and set notice_names_public = true, or set listing = "ask"',
        )
    else:
        yield ok(about, f"listing = {campaign.listing.value}, and the notice (version {campaign.notice_version}) fits")


def _statements(about: str, campaign: Campaign, languages: Collection[str]) -> Iterator[Finding]:
    missing = [s.language for s in campaign.statements if not s.body.strip() or UNWRITTEN in s.body]
    if missing:
        yield warning(
            about, f"the statement has no text yet in {', '.join(missing)}", "write it: quotes of it would be taken for people's own words"
        )
    else:
        yield ok(about, f"the statement is there in {', '.join(s.language for s in campaign.statements)}")
    first = campaign.languages[0]
    if first not in languages and first.partition("-")[0] not in languages:
        yield warning(about, f"answers are not written in {first}; English is taken", "name a language that there is first in languages")


def _people(about: str, campaign: Campaign) -> Iterator[Finding]:
    own = {address.lower() for address in campaign.addresses}
    looping = [organiser.address for organiser in campaign.organisers if organiser.address.lower() in own]
    if looping:
        yield error(about, f"the digest for {looping[0]} would come back as a mail to the campaign", "give the organiser another address")
    if not campaign.organisers:
        yield warning(about, "nobody gets the digest", "add an [[organisers]] table with an address")
    if campaign.closed:
        yield warning(about, "is closed: no more endorsements are taken", f"mailflow campaign open {campaign.slug}")


def _one_address_each(campaigns: Mapping[str, Campaign]) -> Iterator[Finding]:
    """Two spellings of one mailbox cannot belong to two campaigns: mails go by the canonical address."""
    owners: dict[str, set[str]] = defaultdict(set)
    for campaign in campaigns.values():
        for address in campaign.addresses:
            owners[identity(address)].add(campaign.slug)
    for canonical, slugs in sorted(owners.items()):
        if len(slugs) > 1:
            yield error("campaigns", f"{' and '.join(sorted(slugs))} share the mailbox {canonical}", "give each campaign its own address")
