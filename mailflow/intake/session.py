"""The commands of an SMTP session: every answer constant, every count bounded, nothing lost after the dot."""

import logging
import re
from collections.abc import Mapping
from typing import ClassVar

from aiosmtpd.smtp import TLSSetupException

from mailflow.decide.addressee import route
from mailflow.intake.commit import FULL, Committing
from mailflow.intake.dataphase import Collector
from mailflow.intake.paths import Path, Recipient, canonical, forward_path, reverse_path

log = logging.getLogger("mailflow.intake")

UNKNOWN = "550 5.1.1 No such recipient here"
_SIZE = re.compile(r"SIZE=(\d{1,20})")
_KNOWN_OPTION = re.compile(r"SIZE=[0-9]{1,20}|BODY=(?:7BIT|8BITMIME)|SMTPUTF8")


class SmtpSession(Committing):
    """What a client may say, and what it hears."""

    verbs: ClassVar[Mapping[str, str]] = {
        "EHLO": "say_ehlo", "HELO": "say_helo", "MAIL": "say_mail", "RCPT": "say_rcpt", "DATA": "say_data", "RSET": "say_rset",
        "NOOP": "say_noop", "QUIT": "say_quit", "STARTTLS": "say_starttls", "VRFY": "say_nothing", "EXPN": "say_nothing", "HELP": "say_nothing",
    }  # fmt: skip
    hello = "EHLO"

    def say_ehlo(self, arg: str) -> None:
        """EHLO (RFC 5321 §4.1.1.1), all lines in one write."""
        if not arg:
            self._wrong(f"501 5.5.4 Syntax: {self.hello} hostname")
            return
        self._forget()
        self._greeted(arg)
        lines = [self.hostname, *self._offers()]
        self._say("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    def _offers(self) -> list[str]:
        """The extensions that are open to this client."""
        offers = [f"SIZE {self._door.settings.max_message_bytes}", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8"]
        return [*offers, "STARTTLS"] if self.tls_context and not self._tls_protocol else offers

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
        """MAIL FROM (RFC 5321 §4.1.1.2, RFC 6531 §3.4). The envelope sender is kept as written and never acted on."""
        path = reverse_path(arg)
        if self.session is None or not self.session.host_name:
            self._wrong(f"503 5.5.1 Say {self.hello} first")
        elif self._sender is not None:
            self._wrong("503 5.5.1 One mail at a time")
        elif path is None:
            self._wrong("501 5.5.4 Syntax: MAIL FROM:<address>")
        elif not all(_KNOWN_OPTION.fullmatch(option) for option in path.options):
            self._wrong("555 5.5.4 Unknown parameter")
        elif not path.address.isascii() and "SMTPUTF8" not in path.options:
            self._wrong("550 5.6.7 A sender beyond ASCII needs SMTPUTF8")
        elif self._mails >= self._door.settings.max_messages:
            self._goodbye("421 4.7.0 Enough mail for one session")
        else:
            self._begin(path)

    def _begin(self, path: Path) -> None:
        """Begins a transaction, where there is room for a mail."""
        sizes = [int(size[1]) for option in path.options if (size := _SIZE.fullmatch(option))]
        if sizes and max(sizes) > self._door.settings.max_message_bytes:
            self._say("552 5.3.4 Message too large")
        elif not self._door.house.has_disk() or not self._door.house.has_memory():
            self._say(FULL)
        else:
            self._sender, self._utf8 = path.address, "SMTPUTF8" in path.options
            self._say("250 2.1.0 OK")

    def say_rcpt(self, arg: str) -> None:
        """RCPT TO (RFC 5321 §4.1.1.3): only a campaign's addresses; one answer for every other."""
        path = forward_path(arg)
        if self._sender is None:
            self._wrong("503 5.5.1 Say MAIL first")
        elif len(self._recipients) >= self._door.settings.max_recipients:
            self._say("452 4.5.3 Too many recipients")
        elif path is not None and not path.address.isascii() and not self._utf8:
            self._wrong("553 5.6.7 A recipient beyond ASCII needs SMTPUTF8")
        elif path is None or path.options or not (found := route([canonical(path.address)], self._door.campaigns)).found:
            self._unknown()
        else:
            if found.near:
                log.info("a mistyped recipient is taken for campaign %s", found.campaign or "unknown: two are as near")
            self._recipients.append(Recipient(path.address, found.campaign))
            self._say("250 2.1.5 OK")

    def _unknown(self) -> None:
        self._wrong(UNKNOWN)

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
        self._door.outlive(self.loop.create_task(self._start_tls()))

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
