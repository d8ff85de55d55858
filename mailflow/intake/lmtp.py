"""LMTP (RFC 2033): the same session for a mail server of ours, with one reply for each recipient."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from mailflow.config.settings import LmtpSettings, SmtpSettings
from mailflow.intake.door import Door
from mailflow.intake.limits import UNIX, is_among, networks
from mailflow.intake.session import UNKNOWN, SmtpSession

_ATTRIBUTE = re.compile(r"(NAME|ADDR|PORT|PROTO|HELO|IDENT|SOURCE)=([!-~]{1,255})", re.IGNORECASE)
_HEX = re.compile(r"\+([0-9A-Fa-f]{2})")
_NOT_KNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_LOOPBACK = networks(["127.0.0.0/8", "::1"])


class LmtpSession(SmtpSession):
    """What a mail server may say: LHLO instead of EHLO, and XFORWARD, which tells whose mail it hands on."""

    verbs: ClassVar[Mapping[str, str]] = {
        "LHLO": "say_ehlo", "XFORWARD": "say_xforward", "MAIL": "say_mail", "RCPT": "say_rcpt", "DATA": "say_data", "RSET": "say_rset",
        "NOOP": "say_noop", "QUIT": "say_quit", "VRFY": "say_nothing", "EXPN": "say_nothing", "HELP": "say_nothing",
    }  # fmt: skip
    hello = "LHLO"
    protocol = "LMTP"
    door_name = "lmtp"

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(door, **options)
        self._forwarded: dict[str, str] = {}

    def _offers(self) -> list[str]:
        """PIPELINING and ENHANCEDSTATUSCODES are what LMTP must have (RFC 2033 §5)."""
        offers = ["PIPELINING", *super()._offers()]
        return [*offers, "XFORWARD NAME ADDR PROTO HELO"] if self._believed() else offers

    def _believed(self) -> bool:
        return self._peer == UNIX or is_among(self._peer, _LOOPBACK) or is_among(self._peer, self._door.relays)

    def say_xforward(self, arg: str) -> None:
        """XFORWARD (Postfix's XFORWARD_README): from where the next mail came. Only a mail server of ours is believed."""
        if not self._believed():
            self._wrong("500 5.5.1 Unknown command")
        elif self._sender is not None:
            self._wrong("503 5.5.1 Not within a mail")
        elif (attributes := _attributes(arg)) is None:
            self._wrong("501 5.5.4 Syntax: XFORWARD attribute=value")
        else:
            self._forwarded |= attributes
            self._say("250 2.0.0 OK")

    def _origin(self) -> tuple[str | None, str | None]:
        """What the mail server told; its own address and name are not the client's."""
        return self._forwarded.get("ADDR") or None, self._forwarded.get("HELO") or None

    def _forget(self) -> None:
        super()._forget()
        self._forwarded = {}

    def _unknown(self) -> None:
        """A mail server hands on what others write: their slips are not its errors."""
        self._say(UNKNOWN)

    def _final(self, replies: Mapping[str | None, str]) -> str:
        """One reply for each accepted RCPT, in their order (RFC 2033 §4.2)."""
        return "\r\n".join(replies[recipient.campaign] for recipient in self._recipients)


def _attributes(arg: str) -> dict[str, str] | None:
    """The attributes of an XFORWARD command, ``""`` for what the server does not know; ``None`` where it is malformed."""
    found: dict[str, str] = {}
    for part in arg.split():
        match = _ATTRIBUTE.fullmatch(part)
        if match is None:
            return None
        name, value = match[1].upper(), _plain(match[2])
        address = _address(value) if name == "ADDR" else value
        if address is None:
            return None
        found[name] = address
    return found or None


def _plain(xtext: str) -> str:
    """A value out of its xtext (RFC 3461 §4); what cannot be printed counts as not known."""
    text = _HEX.sub(lambda code: chr(int(code[1], 16)), xtext)
    return "" if text.upper() in _NOT_KNOWN or not (text.isascii() and text.isprintable()) else text


def _address(value: str) -> str | None:
    """A client's address in its usual form, ``""`` for none, ``None`` where it is no address."""
    bare = value[5:] if value[:5].upper() == "IPV6:" else value
    try:
        return str(ipaddress.ip_address(bare)) if bare else ""
    except ValueError:
        return None


def settings_for(smtp: SmtpSettings, lmtp: LmtpSettings) -> SmtpSettings:
    """The settings of an LMTP listener: sizes and times of [smtp]; one mail server may take every place."""
    return smtp.model_copy(
        update={
            "max_connections_per_client": smtp.max_connections,
            "max_recipients": lmtp.max_recipients,
            "trust_results": lmtp.trust_results,
            "proxy_from": [],
            "tls_certificate": None,
            "tls_key": None,
        }
    )
