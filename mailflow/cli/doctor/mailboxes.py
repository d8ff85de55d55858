"""The IMAP accounts: connect, log in, open each folder; nothing is fetched and nothing is marked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType

from mailflow.cli.doctor.finding import Finding, error, ok, warning
from mailflow.config.imap import ImapSettings
from mailflow.intake.imap.session import Session
from mailflow.intake.imap.trouble import LoginRefused
from mailflow.model.errors import MailflowError

_ABOUT = "imap"
_AT: Mapping[str, str] = MappingProxyType({
    "gmail.com": "at Google: Account > Security > 2-Step Verification > App passwords, and put that in imap.password; or see docs/oauth.md",
    "googlemail.com": "at Google: Account > Security > 2-Step Verification > App passwords, and put that in imap.password; or see docs/oauth.md",
    "office365.com": "Microsoft 365 takes no passwords: add an [imap.oauth] table, see docs/oauth.md",
    "outlook.com": "Microsoft takes no passwords: add an [imap.oauth] table, see docs/oauth.md",
    "yahoo.com": "at Yahoo: Account Security > Generate app password, and put that in imap.password",
    "icloud.com": "at Apple: Sign-In and Security > App-Specific Passwords, and put that in imap.password",
    "me.com": "at Apple: Sign-In and Security > App-Specific Passwords, and put that in imap.password",
    "gmx.net": "at GMX: Settings > POP3 & IMAP, allow the access; with two-factor login make an app password",
    "web.de": "at WEB.DE: Einstellungen > POP3/IMAP, allow the access; with two-factor login make an app password",
})  # fmt: skip
"""What to click where a host refuses a password."""


def mailbox_findings(accounts: Sequence[ImapSettings], connect: Callable[[ImapSettings], Session]) -> Iterator[Finding]:
    """One finding a folder, or why the account cannot be used."""
    for account in accounts:
        try:
            with closing(connect(account)) as session:
                for folder in account.every_folder():
                    yield _opened(account, session, folder)
        except MailflowError as trouble:
            text, _, mend = str(trouble).partition("; ")
            yield error(_ABOUT, f"{account.name}: {text}", _mend(account, trouble) or mend or "see the account's settings")


def _opened(account: ImapSettings, session: Session, folder: str) -> Finding:
    found = session.select(folder, readonly=True)
    if account.after == "keyword" and not found.keywords:
        return warning(
            _ABOUT, f"{account.name}: folder {folder!r} allows no keywords", 'mails will be marked as read; or set after = "seen" or "move"'
        )
    login = "OAuth2" if account.oauth else "password"
    return ok(
        _ABOUT, f"{account.name}: {account.host} port {account.port} answers ({account.security}, {login}), folder {folder!r} can be read"
    )


def _mend(account: ImapSettings, trouble: MailflowError) -> str:
    """What to click, where we know it."""
    if not isinstance(trouble, LoginRefused) or account.oauth is not None:
        return ""
    host = account.host.lower().rstrip(".")
    return next(
        (mend for domain, mend in _AT.items() if host == domain or host.endswith(f".{domain}")),
        "see imap.user and imap.password; many hosts want an app password, and IMAP allowed in their settings",
    )
