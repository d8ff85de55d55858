"""The senders' mail providers: they sign with keys of their own, which a DNS table serves."""

import json
from datetime import datetime
from email import message_from_bytes
from pathlib import Path

from mailflow.authenticate.signing import make_key, sign

SELECTOR = "demo"


class Providers:
    """One key for all providers of the demo, kept in ``folder`` from run to run, and the table that publishes it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.table_file = folder / "dns.json"
        key_file, record_file = folder / "dkim.pem", folder / "dkim.txt"
        if not key_file.exists():
            pem, record = make_key()
            key_file.touch(mode=0o600)
            key_file.write_bytes(pem)
            record_file.write_bytes(record)
        self._pem, self._record = key_file.read_bytes(), record_file.read_bytes()

    def publish(self, domains: set[str]) -> None:
        """Writes the DNS table: each provider's DKIM key (RFC 6376 §3.6.2)."""
        table = {f"{SELECTOR}._domainkey.{domain}": {"TXT": [self._record.decode("ascii")]} for domain in sorted(domains)}
        self.table_file.write_text(json.dumps(table, indent=1), encoding="utf-8")

    def sign(self, raw: bytes, domain: str, now: datetime) -> bytes:
        """The mail as the provider of ``domain`` sends it out."""
        return sign(raw, domain, SELECTOR, self._pem, t=int(now.timestamp()))


def sender_of(raw: bytes) -> str:
    """The envelope sender that a receiving server once wrote into Return-Path; ``""`` for the null one."""
    return str(message_from_bytes(raw)["Return-Path"] or "").strip(" <>")
