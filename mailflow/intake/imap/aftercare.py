"""What the server is told once a mail is kept: nothing, read, a keyword, another folder, or delete it."""

import logging

from mailflow import crash
from mailflow.intake.imap.reading import FolderReader
from mailflow.intake.imap.session import MOST_UIDS, Session
from mailflow.store import mailboxes
from mailflow.store.mailboxes import Place

log = logging.getLogger("mailflow.imap")


def tell_server(reader: FolderReader, session: Session) -> int:
    """Treats every kept mail that is due; returns how many. Telling the server twice does no harm.

    Raises MailboxTrouble, StoreUnavailable.
    """
    if reader.account.after == "leave":
        return 0
    told = 0
    opened = session.select(reader.folder, readonly=False)
    place = Place(reader.account.name, reader.folder, opened.uidvalidity)
    while uids := _due(reader, place):
        _treat(reader, session, uids, keywords=opened.keywords)
        crash.point("imap.moved.before_record")
        with reader.store().write() as tx:
            mailboxes.treated(tx, place, uids)
        told += len(uids)
    return told


def _due(reader: FolderReader, place: Place) -> list[int]:
    with reader.store().read() as tx:
        return mailboxes.untreated(tx, place, reader.now(), MOST_UIDS)


def _treat(reader: FolderReader, session: Session, uids: list[int], *, keywords: bool) -> None:
    match reader.account.after:
        case "seen":
            session.add_flag(uids, r"\Seen")
        case "keyword" if keywords:
            session.add_flag(uids, reader.account.keyword)
        case "keyword":
            log.warning("%s: the server allows no keywords; mails are marked as read instead", reader.account.name)
            session.add_flag(uids, r"\Seen")
        case "move":
            session.move(uids, reader.account.move_to)
        case "delete":
            session.delete(uids)
