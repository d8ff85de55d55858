"""From the final dot to its answers: checked, kept, and nothing depends on the client staying."""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial

from mailflow import crash
from mailflow.intake import Arrival
from mailflow.intake.connection import LATER, Connection
from mailflow.intake.dataphase import Collector, hops, is_bare
from mailflow.model.errors import StoreUnavailable
from mailflow.model.mail import Envelope

log = logging.getLogger("mailflow.intake")

FULL = "452 4.3.1 Try again later"
KEPT = "250 2.0.0 Kept"


class Committing(Connection):
    """Hands a mail to the keeper, once for each campaign that it is written to.

    ``_replies`` holds what is known so far, by campaign; when every campaign has its reply, the client hears of it.
    """

    door_name = "smtp"
    _campaigns: tuple[str | None, ...] = ()
    _replies: dict[str | None, str]
    _timer: asyncio.TimerHandle | None = None
    _answered: asyncio.Future[None] | None = None

    def _arrived(self, collector: Collector) -> None:
        """Check, keep; 250 only when the mail is on disk. From here on the mail does not depend on the client staying."""
        self._waiting = self._committing = True
        self._campaigns = tuple(dict.fromkeys(recipient.campaign for recipient in self._recipients))
        if collector.too_large:
            self._answer_all("552 5.3.4 Message too large")
        elif collector.broken:
            log.error("the spool cannot be written")
            self._answer_all(LATER)
        elif collector.spooled:
            self._door.outlive(self.loop.create_task(self._read_back(collector)))
        else:
            self._commit(collector.content())

    async def _read_back(self, collector: Collector) -> None:
        """Of mails that wait in files only a few at a time are in memory, from here until they are kept."""
        async with self._door.large:
            try:
                raw = await self.loop.run_in_executor(None, collector.content)
            except OSError as error:
                log.error("cannot read a mail back: %s", type(error).__name__)  # noqa: TRY400 - no traceback: it could hold a path
                self._answer_all(LATER)
                return
            answered = self._answered = self.loop.create_future()
            self._commit(raw)
            del raw
            await answered

    def _commit(self, raw: bytes) -> None:
        """Answers at once where there is nothing to keep, else when the keeper has, at the latest after ``commit_seconds``."""
        if refusal := self._refusal(raw):
            self._answer_all(refusal)
            return
        self._replies = {}
        handed = [(campaign, future) for campaign in self._campaigns if (future := self._keep(raw, campaign)) is not None]
        if not handed:
            self._answer(self._replies)
            return
        # After a time-out the mail may still be kept: the sender tries again, and the copy is told apart.
        self._timer = self.loop.call_later(self._door.settings.commit_seconds, self._answer_all, LATER)
        for campaign, future in handed:
            self._door.answers.when_done(future, partial(self._settled, self._mails, campaign))

    def _keep(self, raw: bytes, campaign: str | None) -> "Future[int] | None":
        """The keeper's word on one campaign's mail; ``None`` where it would not even take it."""
        try:
            return self._door.keeper.keep(self._arrival(raw, campaign))
        except Exception as error:  # noqa: BLE001 - the SMTP edge: whatever it is, the sender keeps the mail
            log.error("cannot keep a mail: %s", type(error).__name__)  # noqa: TRY400 - no traceback: it could hold an address
            self._replies[campaign] = LATER
            return None

    def _settled(self, number: int, campaign: str | None, future: "Future[int]") -> None:
        """One campaign's mail is kept, or not; too late if the client has heard its answer by then."""
        if number != self._mails:
            return
        self._replies[campaign] = _outcome(future)
        if len(self._replies) == len(self._campaigns):
            self._answer(self._replies)

    def _refusal(self, raw: bytes) -> str:
        if is_bare(raw):
            return "550 5.6.11 Bare CR, LF or NUL"
        if hops(raw) > self._door.limits.hops:
            return "554 5.4.6 Too many hops"
        if not self._door.house.has_disk():
            return FULL
        crash.point("data.complete.before_write")
        return ""

    def _answer_all(self, reply: str) -> None:
        """The same reply for every campaign that has none yet."""
        known = self._replies if self._timer is not None else {}
        self._answer({campaign: known.get(campaign, reply) for campaign in self._campaigns})

    def _answer(self, replies: Mapping[str | None, str]) -> None:
        """What the client hears after a final dot, in one write; then on with what was pipelined behind it."""
        said = self._final(replies)
        if self._timer is not None:
            self._timer.cancel()
        answered, self._timer, self._answered = self._answered, None, None
        self._end_data()
        self._forget()
        self._mails += 1
        self._idle_commands = 0
        self._waiting = self._committing = False
        self._last = self._mailed = self.loop.time()
        self._say(said)
        crash.point("250.sent.before_notify")
        if answered is not None and not answered.done():
            answered.set_result(None)
        self._pump()

    def _final(self, replies: Mapping[str | None, str]) -> str:
        """One reply for all (RFC 5321 §4.2.5): kept only if it is kept for every campaign. Else the sender tries again, and copies are told apart."""
        return next((reply for reply in replies.values() if reply != KEPT), KEPT)

    def _arrival(self, raw: bytes, campaign: str | None) -> Arrival:
        """A mail as one campaign gets it: with its own recipients, and no word of another's."""
        recipients = tuple(recipient.address for recipient in self._recipients if recipient.campaign == campaign)
        client, helo = self._origin()
        envelope = Envelope(self.door_name, self._sender, recipients, client, helo, tuple(self._door.settings.trust_results))
        return Arrival(raw, len(raw), envelope, campaign, self._door.now())

    def _origin(self) -> tuple[str | None, str | None]:
        """The client's address and what it calls itself."""
        return self._peer, self.session.host_name if self.session is not None else None


def _outcome(future: "Future[int]") -> str:
    """The answer to what the keeper did. Anything but a mail's id means that the sender tries again."""
    if future.cancelled():
        return LATER
    error = future.exception()
    if error is None:
        return KEPT
    if not isinstance(error, StoreUnavailable):
        log.error("cannot keep a mail: %s", type(error).__name__)
    return LATER
