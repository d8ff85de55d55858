"""The answers of each kind in English, as Ana reads them."""

from mailflow.model.answer import AnswerKind

COUNTED = """\
Hello,

Thank you. Your e-mail has arrived, and your endorsement of “Keep the Heron Marsh Wet” (1 September 2026) is counted.

This is how you appear on the public list:

    Ana Duarte
    Dr, Institute of Reeds
    Aveiro, Portugal
    “I learned to row there.
    Keep it wet.”

Your e-mail address is never published.

You can change this at any time. Just reply to this e-mail, in your own words and in your own language:

- If something is wrong, tell us what it should say.
- If you do not want to be named, tell us so. You will then only be counted.
- If you want to withdraw your endorsement, tell us so. You need not give a reason.

If you did not write to us, reply and tell us. We will then take the endorsement away.

What happens to your data

We publish your name, title, affiliation, place and country.

We keep your e-mail for six months after the letter closes.

Responsible for your data: Heron Marsh Trust, 4 Quay Street, Little Fenning, privacy@heron-marsh.example

--\x20
Statement: “Keep the Heron Marsh Wet”, 1 September 2026, version VERSION
Data notice: version 3
A program sent this e-mail, once, to the address that your e-mail came from.
"""

WITHDRAWN = """\
Hello,

We have withdrawn your endorsement of “Keep the Heron Marsh Wet” (1 September 2026), as you asked. \
You are no longer counted, and you are no longer on our public list.

If others copied the list before today, their copies may still show you. We cannot change those.

If you did not ask for this, or if you would like to endorse again, just reply to this e-mail.

Responsible for your data: Heron Marsh Trust, 4 Quay Street, Little Fenning, privacy@heron-marsh.example

--\x20
Statement: “Keep the Heron Marsh Wet”, 1 September 2026, version VERSION
Data notice: version 3
A program sent this e-mail, once, to the address that your e-mail came from.
"""

CLOSED = """\
Hello,

Thank you for wanting to endorse “Keep the Heron Marsh Wet” (1 September 2026). It takes no more endorsements, \
so this e-mail of yours could not be counted.

You are not counted, and you are not on the public list. You need not do anything.

If you have a question, reply to this e-mail.

Responsible for your data: Heron Marsh Trust, 4 Quay Street, Little Fenning, privacy@heron-marsh.example

--\x20
Statement: “Keep the Heron Marsh Wet”, 1 September 2026, version VERSION
Data notice: version 3
A program sent this e-mail, once, to the address that your e-mail came from.
"""

THANKS = "Thank you. Your e-mail has arrived, and your endorsement of “Keep the Heron Marsh Wet” (1 September 2026) is counted."
WHOLE = [
    (AnswerKind.COUNTED, "Thank you: your endorsement of Keep the Heron Marsh Wet", COUNTED),
    (
        AnswerKind.UPDATED,
        "Changed: your endorsement of Keep the Heron Marsh Wet",
        COUNTED.replace(
            THANKS,
            "Thank you for writing again. Your endorsement of “Keep the Heron Marsh Wet” (1 September 2026) has been changed. "
            "You are still counted once.",
        ),
    ),
    (
        AnswerKind.ALREADY,
        "Already counted: your endorsement of Keep the Heron Marsh Wet",
        COUNTED.replace(
            THANKS,
            "Thank you for writing again. Your endorsement of “Keep the Heron Marsh Wet” (1 September 2026) was already counted, "
            "and it still is. Nothing has changed.",
        ),
    ),
    (
        AnswerKind.CORRECTED,
        "Corrected: your endorsement of Keep the Heron Marsh Wet",
        COUNTED.replace(THANKS, "We have corrected your endorsement of “Keep the Heron Marsh Wet” (1 September 2026), as you asked."),
    ),
    (AnswerKind.WITHDRAWN, "Withdrawn: your endorsement of Keep the Heron Marsh Wet", WITHDRAWN),
    (AnswerKind.CLOSED, "Closed: Keep the Heron Marsh Wet takes no more endorsements", CLOSED),
]
