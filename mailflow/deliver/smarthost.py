"""A connection to the smarthost that is used again and again."""

import smtplib
import socket
import ssl
from types import TracebackType
from typing import Self

from mailflow import crash
from mailflow.config.settings import SmarthostSettings
from mailflow.model.answer import OutgoingMail
from mailflow.model.errors import DeliveryDeferred, DeliveryRefused

MAILS_A_CONNECTION = 100


class _Smtp(smtplib.SMTP):
    """smtplib with the dot and the reply told apart: between them lies the only doubt there is."""

    dot_sent = False

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]  # typeshed allows any buffer
        """RFC 5321 §4.1.1.4. Raises SMTPDataError, or OSError with ``dot_sent`` telling on which side of the dot."""
        self.dot_sent = False
        self.putcmd("data")
        code, answer = self.getreply()
        if code != 354:
            raise smtplib.SMTPDataError(code, answer)
        text = msg if isinstance(msg, bytes) else msg.encode("ascii")
        body = text if text.endswith(b"\r\n") else text + b"\r\n"
        self.send((b"." if body.startswith(b".") else b"") + body.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self.dot_sent = True
        crash.point("outbox.after_final_dot.before_reply")
        return self.getreply()


class _SmtpTls(_Smtp, smtplib.SMTP_SSL):
    """The same over TLS from the first byte (RFC 8314)."""


class Smarthost:
    """Sends mails one by one over a connection that is opened when needed and renewed when stale.

    Use as a context manager. Not for several threads.
    """

    def __init__(self, settings: SmarthostSettings, hostname: str) -> None:
        self._settings = settings
        self._hostname = settings.hostname or hostname
        self._smtp: _Smtp | None = None
        self._used = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Says QUIT where there is still somebody to hear it."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()

    def close_when_idle(self) -> None:
        """Lets the connection go when there is nothing to send: smarthosts count idle ones against us."""
        if self._smtp is not None and self._used:
            self.close()

    def send(self, mail: OutgoingMail) -> None:
        """Hands one mail over, byte for byte; returns once the smarthost has taken it.

        Raises DeliveryDeferred on 4xx, timeouts and lost connections (``ambiguous`` when the final dot had
        been sent), DeliveryRefused on 5xx. RFC 5321 §4.2.1.
        """
        smtp = self._connected()
        try:
            self._transact(smtp, mail)
        except smtplib.SMTPServerDisconnected as error:
            raise self._dropped(smtp, "the smarthost hung up") from error
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code) from error
        except (OSError, smtplib.SMTPException) as error:
            raise self._dropped(smtp, f"the connection broke ({type(error).__name__})") from error
        self._used += 1
        if self._used >= MAILS_A_CONNECTION:
            self.close()

    def _transact(self, smtp: _Smtp, mail: OutgoingMail) -> None:
        smtp.dot_sent = False
        _expect(smtp.docmd(f"MAIL FROM:<{mail.sender}>"), 250)
        _expect(smtp.docmd(f"RCPT TO:<{mail.recipient}>"), 250, 251)
        crash.point("outbox.before_data")
        _expect(smtp.data(mail.raw), 250)

    def _dropped(self, smtp: _Smtp, why: str) -> DeliveryDeferred:
        smtp.close()
        self._smtp = None
        return DeliveryDeferred(why, ambiguous=smtp.dot_sent, broken=True)

    def _refusal(self, code: int) -> DeliveryDeferred | DeliveryRefused:
        """The smarthost said no; the connection is put in order for the next mail."""
        if code == 421:
            self.close()
        elif self._smtp is not None:
            try:
                self._smtp.rset()
            except (smtplib.SMTPException, OSError):
                self.close()
        # The text of the answer may repeat the address, so only the code is kept.
        return (
            DeliveryRefused(f"the smarthost refused the mail ({code})")
            if code >= 500
            else DeliveryDeferred(f"the smarthost said later ({code})")
        )

    def _connected(self) -> _Smtp:
        if self._smtp is None:
            self._smtp = self._connect()
            self._used = 0
        return self._smtp

    def _connect(self) -> _Smtp:
        settings = self._settings
        try:
            return self._greet()
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryDeferred(f"the smarthost does not accept our login ({error.smtp_code})", broken=True) from error
        except ssl.SSLError as error:
            raise DeliveryDeferred(f"TLS with the smarthost failed ({error.reason})", broken=True) from error
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryDeferred(f"no connection to {settings.host}:{settings.port} ({type(error).__name__})", broken=True) from error

    def _greet(self) -> _Smtp:
        settings = self._settings
        name, timeout = self._hostname, settings.timeout_seconds
        smtp: _Smtp
        if settings.security == "tls":
            smtp = _SmtpTls(settings.host, settings.port, local_hostname=name, timeout=timeout, context=ssl.create_default_context())
        else:
            smtp = _Smtp(settings.host, settings.port, local_hostname=name, timeout=timeout)
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
        if settings.user and settings.password:
            smtp.login(settings.user, settings.password.get_secret_value())
        return smtp


def _expect(reply: tuple[int, bytes], *codes: int) -> None:
    if reply[0] not in codes:
        raise smtplib.SMTPResponseException(*reply)
