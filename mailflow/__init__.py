"""mailflow takes endorsements by e-mail.

The map, in the order a mail meets it:

    pipeline        receive(mail) and apply(decision): the whole path on one screen
    model           frozen values: mail, endorsement, decision, errors
    intake          how mails come in: smtp, files; keep commits them before anybody answers "kept"
    parse           raw bytes -> ParsedMail; never raises
    authenticate    who really sent it: DKIM, Authentication-Results, alignment
    decide          the table of rules; which addresses are one person
    acknowledge     decision -> answer: what may be said, to whom, in which thread
    store           mails, endorsements, events, outbox: SQLite or PostgreSQL
    deliver         one outbox row -> the smarthost; retry or give up
    digest          which window is due for whom; events -> summary
    listing         accepted endorsements -> public entries
    resolver        DNS, passed in as an argument
    render          templates -> text, passed in as an argument
    clock           time and chance, passed in as arguments
    jobs            the loops: take in, work, send, tick
    config          settings and campaigns
    wiring          puts the pieces together
    packaged        where templates and the default config lie, in a wheel or a checkout
    crash           the kill points that tests pull
    cli             the commands
    demo            the bundled campaign, played from end to end on loopback
"""

__version__ = "0.1.0"
