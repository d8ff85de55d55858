"""Delivery reports name whom a mail did not reach."""

import pytest
from letters import mail, read_body, read_mail

from mailflow.model.mail import MailClass

DSN = """--b
Content-Type: text/plain

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.post.example

Final-Recipient: rfc822; Jo@Far.Example
Action: {action}
Status: 5.1.1

Original-Recipient: rfc822;kim@far.example
Final-Recipient: rfc822;kim@far.example
Action: delivered
Status: 2.0.0

--b
Content-Type: text/rfc822-headers

From: endorse@tamar-delta.example
To: jo@far.example

--b--
"""
REPORT = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\nReturn-Path: <>"
QMAIL = "Hi. This is the qmail-send program at post.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<jo@far.example>:\n192.0.2.1 does not like recipient.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <endorse@tamar-delta.example>\nTo: kim@far.example\n"
EXIM = "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  jo@far.example\n    all relevant MX records point to non-existent hosts\n\n------ This is a copy of the message, including all the headers. ------\n\nTo: kim@far.example\n"
EXCHANGE = "Delivery has failed to these recipients or groups:\n\nJo Far (jo@far.example)<mailto:jo@far.example>\nThe e-mail address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\nGenerating server: mx.far.example\n\nkim@far.example\n"
GMAIL = "** Address not found **\n\nYour message wasn't delivered to jo@far.example because the address couldn't be found, or is unable to receive mail.\n\nThe response was:\n550 5.1.1 no such user\n"


@pytest.mark.parametrize(("action", "bounced"), [("failed", ("Jo@far.example",)), ("delayed", ("Jo@far.example",)), ("relayed", ())])
def test_a_report_names_failed_and_delayed_recipients(action: str, bounced: tuple[str, ...]) -> None:
    read = read_mail(mail(DSN.format(action=action), address="mailer-daemon@mx.post.example", subject="Undelivered Mail", headers=REPORT))
    assert (read.mail_class, read.bounced) == (MailClass.BOUNCE, bounced)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("failure notice", QMAIL),
        ("Mail delivery failed: returning message to sender", EXIM),
        ("Undeliverable: Thank you", EXCHANGE),
        ("Delivery Status Notification (Failure)", GMAIL),
    ],
    ids=["qmail", "exim", "exchange", "gmail"],
)
def test_an_older_report_names_them_in_its_text(subject: str, body: str) -> None:
    read = read_body(body, "", subject, address="MAILER-DAEMON@mx.post.example", headers="Return-Path: <>")
    assert (read.mail_class, read.bounced) == (MailClass.BOUNCE, ("jo@far.example",))


def test_a_person_who_writes_of_a_bounce_is_a_person() -> None:
    read = read_body("My first mail came back as undeliverable, so again: I endorse the letter.", "Ann Lee", "Undeliverable mail")
    assert (read.mail_class, read.bounced) == (MailClass.HUMAN, ())
