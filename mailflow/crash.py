"""Kill points: where the tests pull the plug. Without MAILFLOW_CRASH_AT each is one dictionary look-up."""

import os

POINTS = {
    "data.partial": "K01",
    "data.complete.before_write": "K02",
    "raw.tmp_written": "K03",
    "raw.fsynced.before_insert": "K04",
    "raw.insert.before_commit": "K05",
    "raw.commit.before_250": "K06",
    "250.sent.before_notify": "K07",
    "parse.claimed": "K08",
    "parse.child_killed": "K09",
    "auth.dns_in_flight": "K10",
    "effect.before_commit": "K11",
    "effect.after_commit.before_lease_release": "K12",
    "outbox.claimed": "K13",
    "outbox.before_data": "K14",
    "outbox.after_final_dot.before_reply": "K15",
    "outbox.after_250.before_mark": "K16",
    "digest.window_opened": "K17",
    "digest.composed.before_commit": "K18",
    "digest.sent.before_mark": "K19",
    "imap.fetched.before_commit": "K26",
    "imap.commit.before_flag": "K27",
    "imap.moved.before_record": "K28",
}
"""Name in the code -> number in docs/guarantees.md; a test holds the two against each other."""


def point(name: str) -> None:
    """Die here, as from SIGKILL, if ``MAILFLOW_CRASH_AT`` names this point (``NAME`` or ``NAME:n`` for the n-th pass).

    Raises KeyError for a name that is not in POINTS, so that no point can be forgotten in the table.
    """
    armed = _ARMED
    if armed is None:
        return
    POINTS[name]
    if armed.name == name and armed.hit():
        os._exit(137)


class _Armed:
    """The point that was asked for, and how many passes it still lets by."""

    def __init__(self, spec: str) -> None:
        self.name, _, count = spec.partition(":")
        self.left = int(count or 1)

    def hit(self) -> bool:
        self.left -= 1
        return self.left == 0


_SPEC = os.environ.get("MAILFLOW_CRASH_AT")
_ARMED = _Armed(_SPEC) if _SPEC else None
