"""A mail taken apart, before anybody asks what it means."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cut:
    """Lines that are not the sender's own words in this mail, and why they were cut."""

    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    r"""Headers decoded, body chosen, reply cut out. All text is valid Unicode without controls.

    ``headers`` keep order and repetition: (name in lower case, decoded and unfolded value).
    ``body`` is the text that a human wrote or quoted, with ``\n`` line ends, paragraphs kept;
    ``reply`` what remains of it without quotes, forwarded text, signature block, app footer and
    disclaimer; ``signature`` the signature block; ``cuts`` everything that was cut, in order.
    ``content_types`` are those of every leaf part in order; ``reports`` the decoded text of
    message/delivery-status, disposition-notification and feedback-report parts; ``returned`` the
    decoded text of message/rfc822 and text/rfc822-headers parts. ``unreadable`` says that a cap was
    hit or the structure gave no text at all.
    """

    sha256: str
    content_hash: str
    headers: tuple[tuple[str, str], ...] = ()
    author: str | None = None
    author_name: str = ""
    addressees: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    date: datetime | None = None
    relayed_at: datetime | None = None
    hops: int = 0
    content_types: tuple[str, ...] = ()
    attachments: int = 0
    encrypted: bool = False
    body: str = ""
    html_differs: bool = False
    hidden_text: bool = False
    reply: str = ""
    signature: str = ""
    cuts: tuple[Cut, ...] = ()
    reports: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    unreadable: bool = False
    defects: tuple[str, ...] = ()

    def values(self, name: str) -> list[str]:
        """All values of one header (name in lower case), in order."""
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str:
        """The first value of one header, ``""`` where it is absent."""
        return next((value for key, value in self.headers if key == name), "")
