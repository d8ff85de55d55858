"""The failures of mailflow, by whose fault they are and whether waiting helps."""

# MailflowError
# ├── Temporary            waiting helps; exit 75, SMTP 451
# │   ├── StoreUnavailable     database locked, gone, full or read-only
# │   ├── DnsUnavailable       SERVFAIL, timeout, refused: says nothing about the sender
# │   └── DeliveryDeferred     4xx, timeout, no connection to the smarthost
# ├── Permanent            waiting does not help
# │   ├── BadInput             what was handed in is not mail, or is empty; exit 65
# │   ├── BadConfig            a file, key or value is wrong; exit 78
# │   └── DeliveryRefused      5xx from the smarthost
# └── Lost                 the ground under us is gone (fsync failed): the process must end


class MailflowError(Exception):
    """Base of all our own failures. ``str(error)`` is for us, never for a sender."""


class Temporary(MailflowError):
    """The same call may succeed later."""


class Permanent(MailflowError):
    """The same call will fail again."""


class StoreUnavailable(Temporary):
    """The store could not be read or written now."""


class DnsUnavailable(Temporary):
    """A name could not be looked up now (SERVFAIL, timeout, refused)."""


class DeliveryDeferred(Temporary):
    """The smarthost did not take the mail now.

    ``ambiguous`` when it may have taken it after all, ``broken`` when there is no connection any more, so
    that the next mail would fail as well.
    """

    def __init__(self, message: str, *, ambiguous: bool = False, broken: bool = False) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous
        self.broken = broken


class BadInput(Permanent):
    """What was handed in cannot be a mail."""


class BadConfig(Permanent):
    """A configuration file, key or value is wrong; the text names file, key, value and what is allowed."""


class DeliveryRefused(Permanent):
    """The smarthost refused the mail for good (5xx)."""


class Lost(MailflowError):
    """A commit or fsync failed after the fact; only a fresh process can know the truth."""
