"""Mail in, meaning out: ``parse()`` reads one mail and never raises."""

from mailflow.config.settings import LimitSettings
from mailflow.model.mail import ParsedMail, ReadingContext
from mailflow.parse.lexicon import Lexicon
from mailflow.parse.meaning import meaning
from mailflow.parse.take_apart import take_apart

__all__ = ["Lexicon", "parse"]


def parse(raw: bytes, context: ReadingContext, lexicon: Lexicon, limits: LimitSettings) -> ParsedMail:
    """Everything that can be read in one mail. Never raises, takes no clock, disk or network; same bytes, same result."""
    return meaning(take_apart(raw, context, limits), context, lexicon)
