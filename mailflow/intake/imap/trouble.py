"""What can go wrong with a mailbox, and what the server may answer without our believing it."""

import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from mailflow.model.errors import Temporary


class MailboxTrouble(Temporary):
    """The connection, the folder or an answer is not what it must be: hang up, wait, try anew. The text quotes no mail."""


class LoginRefused(MailboxTrouble):
    """The server does not want us; trying often would lock the account."""


_MADE_OF_GARBAGE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError)


@contextmanager
def troubles(doing: str) -> Iterator[None]:
    """Turns whatever a broken connection or a strange answer makes of the libraries into MailboxTrouble.

    imaplib and IMAPClient parse what the server says with little suspicion: garbage comes out as ValueError, KeyError and
    their like. The text of an answer is not repeated: it may quote a mail.
    """
    try:
        yield
    except MailboxTrouble:
        raise
    except (OSError, imaplib.IMAP4.error, *_MADE_OF_GARBAGE) as error:
        raise MailboxTrouble(f"{doing}: {explained(error)}") from error


def explained(error: Exception) -> str:
    """A failure in plain words, without what the server said."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate is not good ({error.verify_message}); name the host as in it, or set pin_sha256"
        case ssl.SSLError():
            return 'no TLS here; for port 143 set security = "starttls", for 993 "tls"'
        case socket.gaierror():
            return "the host is not to be found in DNS"
        case ConnectionRefusedError():
            return "the connection is refused: nobody listens there"
        case TimeoutError():
            return "no answer in time"
        case imaplib.IMAP4.abort() | ConnectionError():
            return "the server hung up"
        case imaplib.IMAP4.error():
            return "the server says no"
        case OSError():
            return f"the connection broke ({error.strerror or type(error).__name__})"
    return f"the answer makes no sense ({type(error).__name__})"
