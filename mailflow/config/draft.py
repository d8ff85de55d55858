"""A first campaign out of a few answers, for `mailflow init` and `mailflow campaign add`."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from mailflow.config.campaign import Slug
from mailflow.config.example import campaign_toml, settings_toml
from mailflow.config.section import is_loopback

UNWRITTEN = "Put the text of your statement here."
"""The body of a new statement; `mailflow check` looks for it."""

_NOTICE = """\
By writing to {address} you ask us to count you as a signer of "{name}" and to publish your name, and what you tell us \
of your title, affiliation, place, country and reasons, in the public list of signers. Your e-mail address is never published.
To be counted without being named, say so in your mail. To change or withdraw your endorsement, or to have what we hold \
about you sent to you or erased, write to the same address at any time.
"""


@dataclass(frozen=True)
class Draft:
    """The answers. An empty ``organiser`` means that nobody gets a digest yet."""

    name: str
    address: str
    language: str = "en"
    organiser: str = ""
    zone: str = "UTC"
    controller: str = ""
    slug: str = ""

    def campaign_files(self, today: date) -> dict[str, str]:
        """File name -> text: the campaign and the Markdown file of its statement. Raises ValueError for a slug that is none."""
        slug = TypeAdapter(Slug).validate_python(self.slug or slug_of(self.name, self.address))
        body = f"{slug}.{self.language}.md"
        return {f"{slug}.toml": campaign_toml(self._values(slug, body, today)), body: f"{UNWRITTEN}\n"}

    def _values(self, slug: str, body: str, today: date) -> dict[str, Any]:
        values: dict[str, Any] = {
            "slug": slug,
            "name": self.name,
            "addresses": [self.address],
            "languages": [self.language],
            "controller": self.controller or f"The organisers of {self.name}, {self.organiser or self.address}",
            "notice": _NOTICE.format(address=self.address, name=self.name),
            "notice_names_public": True,
            "statements": [{"language": self.language, "title": self.name, "date": today, "file": body}],
        }
        if self.organiser:
            values["organisers"] = [{"address": self.organiser, "zone": self.zone}]
        return values


def settings_for(smarthost: str) -> str:
    """A mailflow.toml that sends through HOST or HOST:PORT; how it is secured follows from host and port.

    Raises ValueError where the port is no number.
    """
    host, _, port = smarthost.rpartition(":") if re.search(r"[^:]:\d+$|\]:\d+$", smarthost) else (smarthost, "", "")
    local = is_loopback(host)
    number = int(port) if port else 25 if local else 587
    security = "none" if local else "tls" if number == 465 else "starttls"
    return settings_toml({"smarthost": {"host": host.strip("[]"), "port": number, "security": security}})


def slug_of(name: str, address: str) -> str:
    """A short name for a campaign: its name in ASCII, else the first label of the address's domain."""
    for text in (name, address.rpartition("@")[2].partition(".")[0]):
        folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        slug = re.sub("[^a-z0-9]+", "-", folded)[:40].strip("-")
        if len(slug) > 1:
            return slug
    return "campaign"
