"""The commands of an SMTP session: every answer constant, every count bounded, nothing lost after the dot."""

import asyncio
import logging
import re
from collections.abc import Mapping
from concurrent.futures import Future
from typing import ClassVar

from aiosmtpd.smtp import TLSSetupException

from mailflow import crash
from mailflow.decide import identity
from mailflow.intake import Arrival
from mailflow.intake.connection import LATER, Connection
from mailflow.intake.dataphase import Collector, hops, is_bare
from mailflow.model.errors import StoreUnavailable
from mailflow.model.mail import Envelope

log = logging.getLogger("mailflow.intake")

FULL = "452 4.3.1 Try again later"
UNKNOWN = "550 5.1.1 No such recipient here"
_OPTIONS = r"((?:\s+[!-~]+)*)\s*"
# A sender is kept and never acted on, so any path will do: quoted, routed, literal. A recipient has to be one of ours.
_REVERSE_PATH = re.compile(r"\s*<((?:\"(?:[ !#-\[\]-~]|\\[ -~]){0,64}\")?[!#-;=?-~]{0,254})>" + _OPTIONS, re.ASCII)
_FORWARD_PATH = re.compile(r"\s*<([!#-'*+\--9=?@A-Z^-~]{1,254})>" + _OPTIONS, re.ASCII)
_SIZE = re.compile(r"SIZE=(\d{1,20})")
_KNOWN_OPTION = re.compile(r"SIZE=\d{1,20}|BODY=(?:7BIT|8BITMIME)")


class SmtpSession(Connection):
    """What a client may say, and what it hears."""

    verbs: ClassVar[Mapping[str, str]] = {
        "EHLO": "say_ehlo", "HELO": "say_helo", "MAIL": "say_mail", "RCPT": "say_rcpt", "DATA": "say_data", "RSET": "say_rset",
        "NOOP": "say_noop", "QUIT": "say_quit", "STARTTLS": "say_starttls", "VRFY": "say_nothing", "EXPN": "say_nothing", "HELP": "say_nothing",
    }  # fmt: skip

    def say_ehlo(self, arg: str) -> None:
        """EHLO (RFC 5321 §4.1.1.1), all lines in one write."""
        if not arg:
            self._wrong("501 5.5.4 Syntax: EHLO hostname")
            return
        self._forget()
        self._greeted(arg)
        lines = [self.hostname, f"SIZE {self._door.settings.max_message_bytes}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self.tls_context and not self._tls_protocol:
            lines.append("STARTTLS")
        self._say("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    def say_helo(self, arg: str) -> None:
        """HELO."""
        if not arg:
            self._wrong("501 5.5.4 Syntax: HELO hostname")
            return
        self._forget()
        self._greeted(arg)
        self._say(f"250 {self.hostname}")

    def _greeted(self, name: str) -> None:
        if self.session is not None:
            self.session.host_name = name[:255]
            self.session.extended_smtp = True

    def say_mail(self, arg: str) -> None:
        """MAIL FROM (RFC 5321 §4.1.1.2). The envelope sender is kept as written and never acted on."""
        settings = self._door.settings
        parsed = _REVERSE_PATH.fullmatch(arg[5:]) if arg[:5].upper() == "FROM:" else None
        if self.session is None or not self.session.host_name:
            self._wrong("503 5.5.1 Say EHLO first")
        elif self._sender is not None:
            self._wrong("503 5.5.1 One mail at a time")
        elif parsed is None:
            self._wrong("501 5.5.4 Syntax: MAIL FROM:<address>")
        elif not all(_KNOWN_OPTION.fullmatch(option) for option in parsed[2].upper().split()):
            self._wrong("555 5.5.4 Unknown parameter")
        elif (size := _SIZE.search(parsed[2].upper())) and int(size[1]) > settings.max_message_bytes:
            self._say("552 5.3.4 Message too large")
        elif self._mails >= settings.max_messages:
            self._goodbye("421 4.7.0 Enough mail for one session")
        elif not self._door.house.has_disk() or not self._door.house.has_memory():
            self._say(FULL)
        else:
            self._sender = parsed[1]
            self._say("250 2.1.0 OK")

    def say_rcpt(self, arg: str) -> None:
        """RCPT TO (RFC 5321 §4.1.1.3): only a campaign's addresses; one answer for every other."""
        parsed = _FORWARD_PATH.fullmatch(arg[3:]) if arg[:3].upper() == "TO:" else None
        if self._sender is None:
            self._wrong("503 5.5.1 Say MAIL first")
        elif len(self._recipients) >= self._door.settings.max_recipients:
            self._say("452 4.5.3 Too many recipients")
        elif parsed is None or parsed[2].strip() or (slug := self._door.campaigns.get(_canonical(parsed[1]))) is None:
            self._wrong(UNKNOWN)
        elif self._campaign not in (None, slug):
            self._say("452 4.5.3 One campaign at a time")
        else:
            self._campaign = slug
            self._recipients.append(parsed[1])
            self._say("250 2.1.5 OK")

    def say_data(self, arg: str) -> None:
        """DATA (RFC 5321 §4.1.1.4); what follows goes to the collector, and ``_arrived`` has the rest."""
        if arg or not self._recipients:
            self._wrong("503 5.5.1 Say RCPT first" if not arg else "501 5.5.4 Syntax: DATA")
            return
        settings = self._door.settings
        self._collector = Collector(settings.max_message_bytes, settings.spool_over, self._door.spool)
        self._counted = 0
        self._data_began = self.loop.time()
        self._say("354 End with CRLF.CRLF")

    def _arrived(self, collector: Collector) -> None:
        """Check, keep; 250 only when the mail is on disk. From here on the mail does not depend on the client staying."""
        self._waiting = self._committing = True
        if collector.too_large:
            self._answer("552 5.3.4 Message too large")
        elif collector.broken:
            log.error("the spool cannot be written")
            self._answer(LATER)
        elif collector.spooled:
            task = self.loop.create_task(self._read_back(collector))
            self._door.tasks.add(task)
            task.add_done_callback(self._door.tasks.discard)
        else:
            self._commit(collector.content())

    async def _read_back(self, collector: Collector) -> None:
        """Of mails that wait in files only a few at a time are in memory, from here until they are kept."""
        async with self._door.large:
            try:
                raw = await self.loop.run_in_executor(None, collector.content)
            except OSError as error:
                log.error("cannot read a mail back: %s", type(error).__name__)  # noqa: TRY400 - no traceback: it could hold a path
                self._answer(LATER)
                return
            answered = self.loop.create_future()
            self._commit(raw, answered)
            del raw
            await answered

    def _commit(self, raw: bytes, answered: asyncio.Future[None] | None = None) -> None:
        """Answers at once where there is nothing to keep, else when the keeper does, at the latest after ``commit_seconds``."""
        reply = self._refusal(raw)
        try:
            future = None if reply else self._door.keeper.keep(self._arrival(raw))
        except Exception as error:  # noqa: BLE001 - the SMTP edge: whatever it is, the sender keeps the mail
            log.error("cannot keep a mail: %s", type(error).__name__)  # noqa: TRY400 - no traceback: it could hold an address
            reply, future = LATER, None
        if future is None:
            self._answer(reply, answered)
            return
        # After a time-out the mail may still be kept: the sender tries again, and the copy is told apart.
        timer = self.loop.call_later(self._door.settings.commit_seconds, self._answer, LATER, answered)
        number = self._mails

        def kept(future: Future[int]) -> None:
            timer.cancel()
            if number == self._mails:
                self._answer(_outcome(future), answered)

        self._door.answers.when_done(future, kept)

    def _refusal(self, raw: bytes) -> str:
        if is_bare(raw):
            return "550 5.6.11 Bare CR, LF or NUL"
        if hops(raw) > self._door.limits.hops:
            return "554 5.4.6 Too many hops"
        if not self._door.house.has_disk():
            return FULL
        crash.point("data.complete.before_write")
        return ""

    def _answer(self, reply: str, answered: asyncio.Future[None] | None = None) -> None:
        """The one answer to a final dot; then on with what was pipelined behind it."""
        self._end_data()
        self._forget()
        self._mails += 1
        self._idle_commands = 0
        self._waiting = self._committing = False
        self._last = self.loop.time()
        self._say(reply)
        crash.point("250.sent.before_notify")
        if answered is not None and not answered.done():
            answered.set_result(None)
        self._pump()

    def _arrival(self, raw: bytes) -> Arrival:
        helo = self.session.host_name if self.session is not None else None
        envelope = Envelope("smtp", self._sender, tuple(self._recipients), self._peer, helo, tuple(self._door.settings.trust_results))
        return Arrival(raw, len(raw), envelope, self._campaign, self._door.now())

    def say_rset(self, arg: str) -> None:
        """RSET."""
        self._forget()
        self._say("250 2.0.0 OK")

    def say_noop(self, arg: str) -> None:
        """NOOP."""
        self._say("250 2.0.0 OK")

    def say_quit(self, arg: str) -> None:
        """QUIT."""
        self._goodbye("221 2.0.0 Bye")

    def say_nothing(self, arg: str) -> None:
        """VRFY, EXPN and HELP tell nobody anything (RFC 5321 §7.3)."""
        self._say("252 2.5.0 Send some mail")

    def say_starttls(self, arg: str) -> None:
        """STARTTLS (RFC 3207 §4.2): nothing said before it counts, and what was pipelined behind it in the clear is thrown away."""
        if arg or self._tls_protocol or not self.tls_context:
            self._wrong("501 5.5.4 Syntax: STARTTLS" if arg else "503 5.5.1 Not now")
            return
        self._forget()
        self._buffer.clear()
        self._waiting = True
        task = self.loop.create_task(self._start_tls())
        self._door.tasks.add(task)
        task.add_done_callback(self._door.tasks.discard)

    async def _start_tls(self) -> None:
        try:
            await super().smtp_STARTTLS("")
        except (TLSSetupException, OSError) as error:
            log.info("a TLS handshake failed: %s", type(error).__name__)
            if self in self._door.sessions:
                # asyncio says nothing to a protocol whose handshake failed: the place would be taken for ever.
                self.connection_lost(None)
        else:
            self._waiting = False
            self._last = self.loop.time()
            self._pump()


def _outcome(future: Future[int]) -> str:
    """The answer to what the keeper did. Anything but a mail's id means that the sender tries again."""
    if future.cancelled():
        return LATER
    error = future.exception()
    if error is None:
        return "250 2.0.0 Kept"
    if not isinstance(error, StoreUnavailable):
        log.error("cannot keep a mail: %s", type(error).__name__)
    return LATER


def _canonical(address: str) -> str:
    """A recipient as campaigns are looked up; ``%``, ``!`` and source routes never match an address of ours."""
    local, at, domain = address.rpartition("@")
    return identity(f"{local}@{domain.lower()}") if at and local else ""
