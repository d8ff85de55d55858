"""The IMAP door as a process: one thread and one connection for each folder."""

import logging
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import partial

from mailflow.config.campaign import Campaign
from mailflow.config.imap import ImapSettings
from mailflow.config.load import Config
from mailflow.decide import identity
from mailflow.intake.imap.aftercare import tell_server
from mailflow.intake.imap.reading import FolderReader
from mailflow.intake.imap.routes import Routing, by_header, whole_mailbox
from mailflow.intake.imap.session import Secret, Session, connect
from mailflow.intake.imap.watch import Watcher
from mailflow.model.errors import Lost
from mailflow.model.outside import Now
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.imap")


@dataclass(frozen=True)
class Mailboxes:
    """The accounts of a configuration, ready to be read. ``secret`` gives what an account logs in with."""

    config: Config
    store: Callable[[], Store]
    now: Now
    secret: Callable[[ImapSettings], Secret]

    def reader(self, account: ImapSettings, folder: str) -> FolderReader:
        """What reads one folder."""
        return FolderReader(
            self.store,
            account,
            folder,
            self._routing(account),
            first_day(self.config.campaigns, account.campaign),
            self.config.settings.smtp.max_message_bytes,
            self.now,
        )

    def connect(self, account: ImapSettings) -> Session:
        """A new connection, logged in. Raises MailboxTrouble, LoginNeeded."""
        return connect(account, self.secret(account))

    def watchers(self, owner: str) -> list[Watcher]:
        """One for each folder of each account."""
        folders = [(account, folder) for account in self.config.settings.imap for folder in account.every_folder()]
        return [Watcher(self.reader(account, folder), partial(self.connect, account), self.has_disk, owner) for account, folder in folders]

    def tell_server(self, reader: FolderReader, session: Session) -> int:
        """Marks, moves or deletes what is kept, as the account says; returns how many. Raises MailboxTrouble."""
        return tell_server(reader, session)

    def has_disk(self) -> bool:
        """Whether there is room for more mail."""
        settings = self.config.settings.store
        spool = self.config.root / settings.spool
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(spool).free > settings.free_bytes_floor

    def _routing(self, account: ImapSettings) -> Routing:
        if account.campaign is not None:
            return whole_mailbox(account.campaign)
        return by_header({identity(address): slug for address, slug in self.config.by_address().items()})


def run_mailboxes(mailboxes: Mailboxes, owner: str, stop: Callable[[], bool], ask_to_stop: Callable[[], None]) -> None:
    """Reads every folder until ``stop()``. A thread that ends before its time ends them all, and the process is started anew."""
    # Threads here wait for the network and for the disk in turns: they must not wait 5 ms for each other each time.
    sys.setswitchinterval(0.0005)
    threads = [
        threading.Thread(target=_watched, args=(watcher, stop, ask_to_stop), name=f"imap-{n}")
        for n, watcher in enumerate(mailboxes.watchers(owner), 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _watched(watcher: Watcher, stop: Callable[[], bool], ask_to_stop: Callable[[], None]) -> None:
    try:
        watcher.run(stop)
    except Lost as error:
        log.critical("the store failed under a commit, this process must end: %s", error)
    except Exception as error:  # noqa: BLE001 - the last line of a thread, as main() is the last line of the program
        log.error("a bug in reading %s: %s", watcher.reader.account.name, type(error).__name__)  # noqa: TRY400 - a trace may quote a mail
    finally:
        ask_to_stop()


def first_day(campaigns: Mapping[str, Campaign], slug: str | None) -> datetime:
    """The day of the earliest statement that the mails of an account can answer."""
    own = [campaigns[slug]] if slug is not None else list(campaigns.values())
    days = [statement.date for campaign in own for statement in campaign.statements]
    return datetime.combine(min(days), time(), UTC) if days else datetime.now(UTC)
