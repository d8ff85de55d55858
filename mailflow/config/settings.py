"""mailflow.toml: every setting with its meaning, default and bounds, documented where it is defined."""

import ipaddress
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from mailflow.config.imap import ImapSettings
from mailflow.config.section import Port, Section, is_loopback


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("not an address or network; write it like 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32") from None
    return value


Network = Annotated[str, AfterValidator(_network), Field(json_schema_extra={"allowed": "an address or a network such as 10.0.0.0/8"})]


class StoreSettings(Section):
    """Where everything is kept."""

    url: str = Field(
        default="sqlite:///var/mailflow.db",
        description="SQLite file (relative to the folder that holds the config folder) or a postgresql:// URL.",
    )
    password: SecretStr | None = Field(default=None, description="Password for a postgresql:// URL; best as file:PATH or env:NAME.")
    busy_seconds: float = Field(default=8.0, gt=0, le=30, description="How long a writer waits for the database before it answers 'later'.")
    spool: str = Field(default="var/spool", description="Folder for mails over spool_over bytes while they are still arriving.")
    free_bytes_floor: int = Field(default=200_000_000, ge=0, description="Below this much free disk no mail is accepted (452).")


class SmtpSettings(Section):
    """The SMTP listener."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; loopback unless you say otherwise.")
    port: Port = Field(default=2525, description="Port to listen on; 0 picks a free one.")
    hostname: str = Field(default="localhost", description="Name in the greeting; the host name of your MX.")
    processes: int = Field(default=1, ge=1, le=64, description="Listener processes sharing the port (SO_REUSEPORT).")
    uvloop: bool = Field(default=True, description="Use uvloop where it is installed.")
    tls_certificate: str | None = Field(default=None, description="PEM certificate chain for STARTTLS; none: not offered.")
    tls_key: str | None = Field(default=None, description="PEM private key for STARTTLS.")
    trust_results: list[str] = Field(
        default=[],
        description="authserv-ids whose Authentication-Results are believed: only those of a front relay that strips foreign ones.",
    )
    proxy_from: list[Network] = Field(
        default=[],
        description="Load balancers that must begin each connection with a PROXY header (v1 or v2); from nobody else is one believed.",
    )
    max_message_bytes: int = Field(default=10_485_760, ge=65_536, le=104_857_600, description="Largest mail accepted (SIZE).")
    spool_over: int = Field(
        default=262_144, ge=4096, description="A mail larger than this waits in a file, not in memory, while it arrives."
    )
    memory_bytes: int = Field(
        default=134_217_728, ge=16_777_216, description="Most memory all arriving mails of one process may hold; beyond it 452."
    )
    max_connections: int = Field(default=200, ge=1, description="Connections at once per process; beyond it 421.")
    max_connections_per_client: int = Field(default=10, ge=1, description="Connections at once from one IPv4 address or IPv6 /64.")
    max_recipients: int = Field(default=5, ge=1, le=100, description="Recipients a mail; beyond it 452.")
    max_messages: int = Field(default=1000, ge=1, description="Mails a session; beyond it 421.")
    max_commands: int = Field(default=200, ge=10, description="Commands a session that carry no mail; beyond it 421.")
    max_errors: int = Field(default=20, ge=1, description="Wrong commands a session; beyond it 421.")
    idle_seconds: float = Field(default=60, gt=0, description="Silence after which a session is closed.")
    session_seconds: float = Field(default=600, gt=0, description="Longest life of a session.")
    data_bytes_per_second: int = Field(default=500, ge=1, description="Slowest DATA that is waited for, after the first 10 seconds.")
    commit_seconds: float = Field(default=9, gt=0, le=60, description="How long a sender waits for the commit before it hears 451.")

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; set both or neither")
        return self


class LmtpSettings(Section):
    """The LMTP listener, for a mail server on this machine (docs/lmtp.md). Sizes and times are those of [smtp]."""

    listen: str = Field(
        default="",
        description="unix:PATH of a socket that is made, or HOST:PORT; empty: no LMTP.",
        examples=["unix:/var/spool/postfix/mailflow/lmtp"],
    )
    mode: str = Field(
        default="660", pattern="^[0-7]{3}$", description="Mode of the unix socket; its group is that of its folder if that is setgid."
    )
    max_recipients: int = Field(default=100, ge=1, le=1000, description="Recipients a mail; beyond it 452.")
    beyond_loopback: bool = Field(
        default=False,
        description="True allows a HOST that others can reach: whoever connects there is believed like a mail server of yours.",
    )
    xforward_from: list[Network] = Field(
        default=[], description="Mail servers elsewhere whose XFORWARD is believed; those on this machine always are."
    )
    trust_results: list[str] = Field(
        default=[],
        description="authserv-ids whose Authentication-Results are believed: that of the mail server in front, if it strips foreign ones.",
    )

    @model_validator(mode="after")
    def _a_place_to_listen(self) -> Self:
        if not self.listen or self.unix_path:
            return self
        if self.address is None:
            raise ValueError('listen: write "unix:PATH", or "HOST:PORT" with a port from 1 to 65535 and IPv6 in brackets')
        if not self.beyond_loopback and not is_loopback(self.address[0]):
            raise ValueError("listen: LMTP trusts whoever connects; use unix:PATH or a loopback address, or say beyond_loopback = true")
        return self

    @property
    def unix_path(self) -> str:
        """The path of the unix socket, ``""`` where there is none."""
        return self.listen.removeprefix("unix:") if self.listen.startswith("unix:") else ""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host, without brackets, and port; ``None`` where ``listen`` is no HOST:PORT."""
        found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/\s]+)):(\d{1,5})", self.listen)
        return (found[1] or found[2], int(found[3])) if found and 1 <= int(found[3]) <= 65535 else None


class LimitSettings(Section):
    """What one mail may cost. Checked on raw bytes before any parser sees them."""

    header_bytes: int = Field(default=65_536, ge=1024, description="Header block.")
    address_header_bytes: int = Field(default=8192, ge=256, description="One address header (From, To, Cc, Sender, Reply-To).")
    header_lines: int = Field(default=2000, ge=10, description="Lines in the header block.")
    mime_depth: int = Field(default=20, ge=1, le=100, description="Nested multiparts.")
    mime_parts: int = Field(default=100, ge=1, le=10_000, description="Parts in all.")
    hops: int = Field(default=50, ge=5, description="Received headers; beyond it the mail loops.")
    cpu_seconds: float = Field(default=2.0, gt=0, le=60, description="CPU a worker may spend on one mail before it is killed.")
    memory_bytes: int = Field(default=268_435_456, ge=134_217_728, description="Memory a worker may hold beyond what it starts with.")


class SmarthostSettings(Section):
    """The server that takes our outgoing mail."""

    host: str = Field(default="127.0.0.1", description="Host name of the smarthost.")
    port: Port = Field(default=25, description="587 with STARTTLS, 465 with TLS, 25 for a local relay.")
    security: str = Field(default="starttls", pattern="^(starttls|tls|none)$", description="starttls, tls or none (none: loopback only).")
    user: str | None = Field(default=None, description="User for SMTP AUTH; none: no AUTH.")
    password: SecretStr | None = Field(default=None, description="Password; best as file:PATH or env:NAME.")
    hostname: str | None = Field(default=None, description="Name we say in EHLO; default: the smtp hostname.")
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="Longest wait for one answer.")
    per_minute: int = Field(default=0, ge=0, description="Most mails a minute; 0: no limit.")

    @model_validator(mode="after")
    def _nothing_in_the_clear(self) -> Self:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError('security = "none" is for a relay on this machine only; use starttls or tls')
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; set both or neither")
        return self


class WorkerSettings(Section):
    """The processes that read and decide."""

    count: int = Field(default=0, ge=0, le=64, description="Workers; 0: one a core.")
    lease_seconds: float = Field(default=60, ge=5, description="A mail whose worker is not heard of for so long is given to another.")
    dns_seconds: float = Field(default=10, gt=0, description="DNS time one mail may take in all.")
    dns_servers: list[str] = Field(default=[], description="Resolvers to ask, ADDRESS or ADDRESS:PORT; none: those of the system.")
    dns_table: str | None = Field(default=None, description="JSON file asked instead of DNS: for the demo and tests, never for a service.")


class Settings(Section):
    """The whole of mailflow.toml."""

    store: StoreSettings = Field(default_factory=StoreSettings, description="Where everything is kept.")
    smtp: SmtpSettings = Field(default_factory=SmtpSettings, description="The SMTP listener.")
    lmtp: LmtpSettings = Field(default_factory=LmtpSettings, description="The LMTP listener.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="What one mail may cost.")
    smarthost: SmarthostSettings = Field(default_factory=SmarthostSettings, description="The server that takes our outgoing mail.")
    workers: WorkerSettings = Field(default_factory=WorkerSettings, description="The processes that read and decide.")
    imap: list[ImapSettings] = Field(default=[], description="A mailbox that mails are fetched from; one table for each.")

    @model_validator(mode="after")
    def _accounts_have_names_of_their_own(self) -> Self:
        names = [account.name for account in self.imap]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two [[imap]] tables are called {min(twice)}; give each a name of its own")
        return self
