"""An account's access token: kept, renewed ahead of its end, once for all who want it."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from mailflow.config.imap import ImapSettings, OauthSettings
from mailflow.intake.oauth import google, microsoft
from mailflow.intake.oauth.cache import CacheFile, Record
from mailflow.intake.oauth.grant import Grant
from mailflow.intake.oauth.trouble import LoginNeeded, TokenUnavailable, command
from mailflow.model.errors import BadConfig, Permanent
from mailflow.model.outside import Now

log = logging.getLogger("mailflow.oauth")


class Tokens:
    """The access token of one account, for all threads that read its folders. Nothing is touched before the first question."""

    def __init__(self, account: ImapSettings, root: Path, now: Now) -> None:
        self._account, self._now = account, now
        self._oauth = settings_of(account)
        self._file = cache_of(account, root)
        self._lock = threading.Lock()
        self._record: Record | None = None
        self._given = threading.local()
        self._tries = 0
        self._failure: TokenUnavailable | Permanent | None = None

    def access(self, *, fresh: bool = False) -> str:
        """A valid access token; with ``fresh`` another one than this thread got last, because the server refused that.

        Raises LoginNeeded, TokenUnavailable (it may come later), BadConfig (the cache file; msal is missing).
        """
        refused = getattr(self._given, "token", None) if fresh else None
        record = self._record
        if record is None or not self._serves(record, fresh, refused):
            record = self._in_turn(fresh, refused)
        self._given.token = record.access
        return record.access

    def expires_at(self) -> datetime | None:
        """When the token that is kept ends, past or future; None if there is no login. Raises BadConfig."""
        kept = self._kept()
        return kept.expires if kept is not None else None

    def _serves(self, record: Record, fresh: bool, refused: str | None) -> bool:
        """Whether a token will do. One that came after the refused one is new enough: somebody else was faster."""
        return record.is_good(self._now()) and (not fresh or (refused is not None and record.access != refused))

    def _in_turn(self, fresh: bool, refused: str | None) -> Record:
        """One thread asks, and those who waited share what it got: twenty folders must not wait for twenty timeouts."""
        tries = self._tries
        with self._lock:
            if self._tries != tries and self._failure is not None:
                raise type(self._failure)(str(self._failure))
            self._failure = None
            try:
                self._record = self._current(fresh, refused)
            except (TokenUnavailable, Permanent) as error:
                self._failure = error
                raise
            finally:
                self._tries += 1
            return self._record

    def _current(self, fresh: bool, refused: str | None) -> Record:
        """What the file holds, if it will do: another process may have been faster. Otherwise a new one."""
        with self._file.locked(patience(self._account)):
            kept = self._kept()
            if kept is not None and self._serves(kept, fresh, refused):
                return kept
            if kept is None and self._oauth.flow == "person":
                raise LoginNeeded(f"account {self._account.name!r}: there is no login that can be used; {command(self._account)}")
            try:
                record = self._renewed(kept.keep if kept is not None else "")
            except TokenUnavailable as error:
                if fresh or kept is None or not kept.lives(self._now()):
                    raise
                log.warning("%s: not renewed yet, the old token still serves: %s", self._account.name, error)
                return kept
            self._write(record)
            return record

    def _renewed(self, keep: str) -> Record:
        provider = google if self._oauth.provider == "google" else microsoft
        began = self._now()
        return recorded(self._account, provider.renew(self._account, self._oauth, keep), began)

    def _write(self, record: Record) -> None:
        try:
            self._file.write(record)
        except OSError as error:
            # The token serves this process; the one before it can be renewed again.
            log.warning("%s: the token cannot be kept: %s", self._account.name, error.strerror)

    def _kept(self) -> Record | None:
        """What the file holds for these very settings: a login of another application or user is none of ours."""
        record = self._file.read()
        return record if record is not None and record.owner == _owner(self._account) else None


def login(account: ImapSettings, root: Path, now: Now, show: Callable[[str], None], ask: Callable[[str], str]) -> None:
    """Logs an account in, with the help of a person, and keeps what comes of it; a running service finds it there.

    Raises LoginNeeded (it did not work), TokenUnavailable, BadConfig.
    """
    oauth, file = settings_of(account), cache_of(account, root)
    with file.locked(patience(account)):
        pass  # Says what is wrong with the folder before a person takes the trouble.
    grant = google.log_in(account, oauth, now, show, ask) if oauth.provider == "google" else microsoft.log_in(account, oauth, now, show)
    with file.locked(patience(account)):
        try:
            file.write(recorded(account, grant, now()))
        except OSError as error:
            raise TokenUnavailable(f"{file.path} cannot be written ({error.strerror})") from None


def settings_of(account: ImapSettings) -> OauthSettings:
    """How an account logs in. Raises BadConfig if it does so by password."""
    if account.oauth is None:
        raise BadConfig(f"account {account.name!r} logs in with a password; for OAuth2 put an [imap.oauth] table in its place")
    return account.oauth


def cache_of(account: ImapSettings, root: Path) -> CacheFile:
    """Where an account's tokens lie. Raises BadConfig."""
    return CacheFile(root / settings_of(account).cache, account.name)


def patience(account: ImapSettings) -> float:
    """Seconds to wait for another process: as long as its two questions to the provider may take, and some."""
    return 3 * account.timeout_seconds


def recorded(account: ImapSettings, grant: Grant, began: datetime) -> Record:
    """A grant as it is kept; its life counts from when it was asked for."""
    return Record(_owner(account), grant.access, began, began + grant.life, grant.keep)


def _owner(account: ImapSettings) -> str:
    """A mark of the settings a token is good for; no reader of the file learns a name from it."""
    oauth = settings_of(account)
    parts = (oauth.provider, oauth.flow, oauth.client_id, oauth.tenant, oauth.authority or "", account.host, account.user)
    return sha256("\0".join(parts).encode()).hexdigest()
