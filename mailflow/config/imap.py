"""[[imap]]: the mailboxes that mails are fetched from."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from mailflow.config.section import Port, Section, is_loopback

_Folder = Annotated[str, Field(min_length=1, max_length=255)]


class OauthSettings(Section):
    """How to log in without a password. `mailflow oauth login NAME` gets the first token."""

    provider: str = Field(pattern="^(google|microsoft)$", description="Who gives the tokens: google or microsoft.")
    client_id: str = Field(min_length=1, description="The application's id, from the provider's console.")
    client_secret: SecretStr | None = Field(
        default=None, description="The application's secret, where it has one; best as file:PATH or env:NAME."
    )
    tenant: str = Field(default="common", description="Microsoft only: the directory (tenant) id or domain.")
    flow: str = Field(
        default="person",
        pattern="^(person|application)$",
        description="person: somebody logs in once in a browser; application: Microsoft's client credentials, nobody logs in.",
    )
    cache: str = Field(default="var/oauth", description="Folder for the tokens (mode 700, files 600).")
    authority: str | None = Field(
        default=None,
        pattern=r"^(https://|http://127\.0\.0\.1:).{1,250}$",
        description="Base URL of the token endpoints, for a provider's national cloud and for tests.",
    )

    @model_validator(mode="after")
    def _an_application_has_a_secret(self) -> Self:
        if self.flow == "application" and (self.provider != "microsoft" or self.client_secret is None or self.tenant == "common"):
            raise ValueError('flow = "application" is for microsoft, and needs client_secret and the tenant')
        return self


class ImapSettings(Section):
    """One mailbox that mails are fetched from. Take in several by repeating the table."""

    name: str = Field(
        pattern="^[a-z0-9][a-z0-9-]{0,30}$", description="What the account is called in status, logs and commands.", examples=["office"]
    )
    host: str = Field(min_length=1, description="Host name of the IMAP server.", examples=["imap.example.org"])
    port: Port = Field(default=993, description="993 with TLS, 143 with STARTTLS.")
    security: str = Field(default="tls", pattern="^(tls|starttls|none)$", description="tls, starttls or none (none: loopback only).")
    pin_sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-fA-F:]{64,95}$",
        description="SHA-256 of the server's certificate, for a self-signed one: it is then trusted, and no other.",
    )
    user: str = Field(min_length=1, description="User name, mostly the address itself.", examples=["endorse@example.org"])
    password: SecretStr | None = Field(default=None, description="Password or app password; best as file:PATH or env:NAME.")
    campaign: str | None = Field(
        default=None,
        pattern="^[a-z0-9][a-z0-9-]{0,62}$",
        description="The whole mailbox is this campaign's: every mail in it is fetched. None: only mails that name an address of a campaign are.",
    )
    folders: list[_Folder] = Field(default=["INBOX"], min_length=1, max_length=20, description="Folders that are read.")
    junk_folders: list[_Folder] = Field(
        default=[], max_length=5, description="Junk folders that are read too; what lies there is counted only after a human has seen it."
    )
    trust_results: list[str] = Field(
        default=[], description="authserv-ids whose Authentication-Results are believed: the host's own, such as mx.google.com."
    )
    history: str = Field(
        default="campaign",
        pattern="^(campaign|all|none)$",
        description="Older mails at first contact: campaign takes those since the statement's date, all every one, none only new ones.",
    )
    after: str = Field(
        default="leave",
        pattern="^(leave|seen|keyword|move|delete)$",
        description="What happens to a mail on the server once it is kept: leave, seen, keyword, move or delete.",
    )
    keyword: str = Field(default="$Mailflow", pattern=r"^\$?[A-Za-z0-9_-]{1,40}$", description='The keyword, for after = "keyword".')
    move_to: str = Field(
        default="mailflow", min_length=1, max_length=255, description='The folder, for after = "move"; made if it is missing.'
    )
    delete_after_days: int = Field(default=30, ge=1, le=3650, description='Days after which a kept mail is deleted, for after = "delete".')
    poll_seconds: float = Field(default=60, ge=1, le=3600, description="A folder is looked at at least so often, whatever IDLE says.")
    idle: bool = Field(default=True, description="Use IDLE where the server has it: new mails are then fetched within seconds.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="Longest wait for one answer.")
    stale_minutes: int = Field(default=60, ge=1, description="status, log and digest warn when a folder was not read for so long.")
    oauth: OauthSettings | None = Field(default=None, description="Login with OAuth2 instead of a password (Gmail, Microsoft 365).")

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError('security = "none" is for a server on this machine only; use tls or starttls')
        if (self.password is None) == (self.oauth is None):
            raise ValueError("set password, or an [imap.oauth] table, and only one of them")
        if twice := set(self.folders) & set(self.junk_folders):
            raise ValueError(f"{min(twice)!r} is in folders and in junk_folders; keep one")
        if self.after == "move" and self.move_to in (*self.folders, *self.junk_folders):
            raise ValueError("move_to is one of the folders that are read; name another")
        return self

    def every_folder(self) -> list[str]:
        """The folders that are read, junk last."""
        return [*self.folders, *self.junk_folders]
