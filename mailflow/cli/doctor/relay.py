"""The smarthost: connect, EHLO, STARTTLS, AUTH, QUIT."""

import smtplib
import socket
import ssl
from collections.abc import Iterator

from mailflow.cli.doctor.finding import Finding, error, ok
from mailflow.config.section import is_loopback
from mailflow.config.settings import SmarthostSettings

_LONGEST = 10.0
_ABOUT = "smarthost"


def smarthost_findings(settings: SmarthostSettings, hostname: str) -> Iterator[Finding]:
    """Log in as the sender will, and hang up. Sends nothing."""
    where = f"{settings.host} port {settings.port}"
    try:
        smtp = _connected(settings, settings.hostname or hostname)
        with smtp:
            _secure_and_log_in(smtp, settings)
    except (OSError, smtplib.SMTPException) as trouble:
        text, mend = _explained(trouble, settings)
        yield error(_ABOUT, f"{where} {text}", mend)
    else:
        login = f", accepts {settings.user}" if settings.user else ", without login"
        yield ok(_ABOUT, f"{where} answers ({settings.security}{login})")


def _connected(settings: SmarthostSettings, hostname: str) -> smtplib.SMTP:
    timeout = min(settings.timeout_seconds, _LONGEST)
    if settings.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.host, settings.port, local_hostname=hostname, timeout=timeout, context=context)
    return smtplib.SMTP(settings.host, settings.port, local_hostname=hostname, timeout=timeout)


def _secure_and_log_in(smtp: smtplib.SMTP, settings: SmarthostSettings) -> None:
    smtp.ehlo_or_helo_if_needed()
    if settings.security == "starttls":
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo()
    if settings.user is not None and settings.password is not None:
        smtp.login(settings.user, settings.password.get_secret_value())


def _explained(trouble: Exception, settings: SmarthostSettings) -> tuple[str, str]:
    """What went wrong and how to mend it; the server's own text may repeat what we sent, so only its code is kept."""
    match trouble:
        case socket.gaierror():
            return "is not to be found in DNS", "see smarthost.host"
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            # smtplib calls it a disconnect when an answer does not come in time.
            return "does not answer", "many networks block port 25: try 587 with starttls or 465 with tls"
        case ConnectionRefusedError():
            return "refuses the connection: nobody listens there", "see smarthost.host and smarthost.port; does the relay run?"
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that is not good: {trouble.verify_message}", "name the host as in its certificate, or renew that"
        case ssl.SSLError():
            return "does not speak TLS here", 'for port 587 or 25 set security = "starttls", for port 465 "tls"'
        case smtplib.SMTPNotSupportedError() if "AUTH" in str(trouble):
            return "offers no AUTH", 'take out user and password, or set security = "starttls": many offer AUTH only under TLS'
        case smtplib.SMTPNotSupportedError():
            return "offers no STARTTLS", _without_starttls(settings)
        case smtplib.SMTPAuthenticationError():
            return f"does not accept the login ({trouble.smtp_code})", "see smarthost.user and password; some want an app password"
        case smtplib.SMTPServerDisconnected():
            return "hangs up", 'for port 465 set security = "tls"'
        case smtplib.SMTPResponseException():
            return f"refuses us ({trouble.smtp_code})", "see its log, and smarthost.hostname, the name we say in EHLO"
    return f"cannot be used ({type(trouble).__name__})", "see smarthost.host and smarthost.port"


def _without_starttls(settings: SmarthostSettings) -> str:
    return 'set security = "none", it is on this machine' if is_loopback(settings.host) else 'use port 465 with security = "tls"'
