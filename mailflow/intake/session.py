"""The commands of an SMTP session: every answer constant, every count bounded, nothing lost after the dot."""

import asyncio
import re
from collections.abc import Mapping
from typing import ClassVar

from mailflow import crash
from mailflow.decide import identity
from mailflow.intake import Arrival
from mailflow.intake.connection import LATER, Connection
from mailflow.intake.dataphase import Collector, hops, is_bare
from mailflow.model.errors import StoreUnavailable
from mailflow.model.mail import Envelope

FULL = "452 4.3.1 Try again later"
UNKNOWN = "550 5.1.1 No such recipient here"
_PATH = re.compile(r"\s*<([^<>\s\"\\,;:()\[\]]{0,254})>((?:\s+[!-~]+)*)\s*", re.ASCII)
_SIZE = re.compile(r"SIZE=(\d{1,20})")
_KNOWN_OPTION = re.compile(r"SIZE=\d{1,20}|BODY=(?:7BIT|8BITMIME)")


class SmtpSession(Connection):
    """What a client may say, and what it hears."""

    verbs: ClassVar[Mapping[str, str]] = {
        "EHLO": "say_ehlo", "HELO": "say_helo", "MAIL": "say_mail", "RCPT": "say_rcpt", "DATA": "say_data", "RSET": "say_rset",
        "NOOP": "say_noop", "QUIT": "say_quit", "STARTTLS": "say_starttls", "VRFY": "say_nothing", "EXPN": "say_nothing", "HELP": "say_nothing",
    }  # fmt: skip

    async def say_ehlo(self, arg: str) -> None:
        """EHLO (RFC 5321 §4.1.1.1), all lines in one write."""
        if not arg:
            await self._wrong("501 5.5.4 Syntax: EHLO hostname")
            return
        self._forget()
        self._greeted(arg)
        lines = [self.hostname, f"SIZE {self._door.settings.max_message_bytes}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self.tls_context and not self._tls_protocol:
            lines.append("STARTTLS")
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def say_helo(self, arg: str) -> None:
        """HELO."""
        if not arg:
            await self._wrong("501 5.5.4 Syntax: HELO hostname")
            return
        self._forget()
        self._greeted(arg)
        await self.push(f"250 {self.hostname}")

    def _greeted(self, name: str) -> None:
        if self.session is not None:
            self.session.host_name = name[:255]
            self.session.extended_smtp = True

    async def say_mail(self, arg: str) -> None:
        """MAIL FROM (RFC 5321 §4.1.1.2). The envelope sender is kept as written and never acted on."""
        settings = self._door.settings
        parsed = _PATH.fullmatch(arg[5:]) if arg[:5].upper() == "FROM:" else None
        if self.session is None or not self.session.host_name:
            await self._wrong("503 5.5.1 Say EHLO first")
        elif self._sender is not None:
            await self._wrong("503 5.5.1 One mail at a time")
        elif parsed is None:
            await self._wrong("501 5.5.4 Syntax: MAIL FROM:<address>")
        elif not all(_KNOWN_OPTION.fullmatch(option) for option in parsed[2].upper().split()):
            await self._wrong("555 5.5.4 Unknown parameter")
        elif (size := _SIZE.search(parsed[2].upper())) and int(size[1]) > settings.max_message_bytes:
            await self.push("552 5.3.4 Message too large")
        elif self._mails >= settings.max_messages:
            await self._goodbye("421 4.7.0 Enough mail for one session")
        elif not self._door.house.has_disk() or not self._door.house.has_memory():
            await self.push(FULL)
        else:
            self._sender = parsed[1]
            await self.push("250 2.1.0 OK")

    async def say_rcpt(self, arg: str) -> None:
        """RCPT TO (RFC 5321 §4.1.1.3): only a campaign's addresses; one answer for every other."""
        parsed = _PATH.fullmatch(arg[3:]) if arg[:3].upper() == "TO:" else None
        if self._sender is None:
            await self._wrong("503 5.5.1 Say MAIL first")
        elif len(self._recipients) >= self._door.settings.max_recipients:
            await self.push("452 4.5.3 Too many recipients")
        elif parsed is None or parsed[2].strip() or (slug := self._door.campaigns.get(_canonical(parsed[1]))) is None:
            await self._wrong(UNKNOWN)
        elif self._campaign not in (None, slug):
            await self.push("452 4.5.3 One campaign at a time")
        else:
            self._campaign = slug
            self._recipients.append(parsed[1])
            await self.push("250 2.1.5 OK")

    async def say_data(self, arg: str) -> None:
        """DATA (RFC 5321 §4.1.1.4): collect, check, keep; 250 only when the mail is on disk."""
        if arg or not self._recipients:
            await self._wrong("503 5.5.1 Say RCPT first" if not arg else "501 5.5.4 Syntax: DATA")
            return
        settings = self._door.settings
        self._collector = Collector(settings.max_message_bytes, settings.spool_over, self._door.spool)
        self._collected = self.loop.create_future()
        self._data_began = self.loop.time()
        early, self._reader._buffer = bytes(self._reader._buffer), bytearray()  # type: ignore[attr-defined]
        self._writer.write(b"354 End with CRLF.CRLF\r\n")
        if early and (rest := self._collect(early)):
            super().data_received(rest)
        try:
            await self._collected
            reply = await self._keep(self._collector)
        finally:
            self._end_data()
            self._forget()
        self._mails += 1
        await self.push(reply)
        crash.point("250.sent.before_notify")

    async def _keep(self, collector: Collector) -> str:
        """The answer after the final dot."""
        if collector.too_large:
            return "552 5.3.4 Message too large"
        if collector.spooled:
            async with self._door.large:
                return await self._commit(collector.content())
        return await self._commit(collector.content())

    async def _commit(self, raw: bytes) -> str:
        if is_bare(raw):
            return "550 5.6.11 Bare CR, LF or NUL"
        if hops(raw) > self._door.limits.hops:
            return "554 5.4.6 Too many hops"
        if not self._door.house.has_disk():
            return FULL
        crash.point("data.complete.before_write")
        future = asyncio.wrap_future(self._door.keeper.keep(self._arrival(raw)))
        try:
            await asyncio.wait_for(asyncio.shield(future), self._door.settings.commit_seconds)
        except (StoreUnavailable, TimeoutError):
            # After a time-out the mail may still be kept: the sender tries again, and the copy is told apart.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            return LATER
        return "250 2.0.0 Kept"

    def _arrival(self, raw: bytes) -> Arrival:
        helo = self.session.host_name if self.session is not None else None
        envelope = Envelope("smtp", self._sender, tuple(self._recipients), self._peer, helo, tuple(self._door.settings.trust_results))
        return Arrival(raw, len(raw), envelope, self._campaign, self._door.now())

    async def say_rset(self, arg: str) -> None:
        """RSET."""
        self._forget()
        await self.push("250 2.0.0 OK")

    async def say_noop(self, arg: str) -> None:
        """NOOP."""
        await self.push("250 2.0.0 OK")

    async def say_quit(self, arg: str) -> None:
        """QUIT."""
        await self._goodbye("221 2.0.0 Bye")

    async def say_nothing(self, arg: str) -> None:
        """VRFY, EXPN and HELP tell nobody anything (RFC 5321 §7.3)."""
        await self.push("252 2.5.0 Send some mail")

    async def say_starttls(self, arg: str) -> None:
        """STARTTLS (RFC 3207); what was pipelined behind it in the clear is thrown away."""
        if arg or self._tls_protocol or not self.tls_context:
            await self._wrong("501 5.5.4 Syntax: STARTTLS" if arg else "503 5.5.1 Not now")
            return
        self._forget()
        self._reader._buffer.clear()  # type: ignore[attr-defined]
        await super().smtp_STARTTLS("")
        if self.session is not None:
            self.session.host_name = None


def _canonical(address: str) -> str:
    """A recipient as campaigns are looked up; ``%``, ``!`` and source routes never match an address of ours."""
    local, at, domain = address.rpartition("@")
    return identity(f"{local}@{domain.lower()}") if at and local else ""
