"""One mail to several campaigns: kept for each, and told kept only when all have it."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from smtpdoor import MAIL, listening

from mailflow.intake import Arrival, Keeping
from mailflow.model.errors import StoreUnavailable

LATER = "451 4.3.0 Try again later"
LARGE = MAIL + b"I have lived beside the delta for a long time.\r\n" * 2000


class Choosy:
    """A keeper that fails for one campaign while it is sick."""

    def __init__(self, real: Keeping, how: Callable[[], "Future[int]"], campaign: str) -> None:
        self._real = real
        self._how = how
        self._campaign = campaign
        self.well = False

    def keep(self, arrival: Arrival) -> "Future[int]":
        return self._how() if arrival.campaign == self._campaign and not self.well else self._real.keep(arrival)


def _failing() -> "Future[int]":
    future: Future[int] = Future()
    future.set_exception(StoreUnavailable("/secret/path"))
    return future


def _raising() -> "Future[int]":
    raise RuntimeError("/secret/path")


def test_a_mail_to_two_campaigns_is_kept_for_each_with_its_own_recipients(tmp_path: Path) -> None:
    with listening(tmp_path) as door, door.client() as client:
        client.greet().say("MAIL FROM:<ann@foo.example>")
        recipients = ["endorse@moor.example", "endorse@delta.example", "endorse+2@moor.example"]
        assert [client.say(f"RCPT TO:<{recipient}>") for recipient in recipients] == ["250 2.1.5 OK"] * 3
        client.say("DATA")
        client.send(MAIL + b".\r\nNOOP\r\n")
        assert [client.hear(), client.hear()] == ["250 2.0.0 Kept", "250 2.0.0 OK"]
        assert {row.campaign: row.recipients for row in door.rows()} == {"moor": [recipients[0], recipients[2]], "delta": [recipients[1]]}
        assert door.kept() == [MAIL, MAIL]


def test_a_mistyped_recipient_is_routed_to_the_nearest_campaign(tmp_path: Path) -> None:
    with listening(tmp_path) as door, door.client() as client:
        client.greet().say("MAIL FROM:<ann@foo.example>")
        assert client.say("RCPT TO:<endorce@moor.example>") == "250 2.1.5 OK"
        client.say("DATA")
        client.send(MAIL + b".\r\n")
        assert client.hear() == "250 2.0.0 Kept"
        assert {row.campaign: row.recipients for row in door.rows()} == {"moor": ["endorce@moor.example"]}


@pytest.mark.fault("db-gone")
@pytest.mark.parametrize("how", [_failing, _raising, Future], ids=["unavailable", "raises", "never-answers"])
@pytest.mark.parametrize("campaign", ["delta", "moor"])
@pytest.mark.parametrize("raw", [MAIL, LARGE], ids=["small", "spooled"])
def test_a_mail_to_two_campaigns_is_told_kept_only_when_both_have_it(
    tmp_path: Path, how: Callable[[], "Future[int]"], campaign: str, raw: bytes
) -> None:
    choosy: list[Choosy] = []

    def behind(real: Keeping) -> Keeping:
        choosy.append(Choosy(real, how, campaign))
        return choosy[0]

    with listening(tmp_path, behind=behind, commit_seconds=0.5, spool_over=4096) as door, door.client() as client:
        client.greet()
        answers = []
        for _ in range(2):
            client.say("MAIL FROM:<ann@foo.example>")
            client.say("RCPT TO:<endorse@moor.example>")
            client.say("RCPT TO:<endorse@delta.example>")
            client.say("DATA")
            client.send(raw + b".\r\n")
            answers.append(client.hear())
            choosy[0].well = True
        assert answers == [LATER, "250 2.0.0 Kept"]
        assert client.say("NOOP") == "250 2.0.0 OK"
        # The one that was kept at first comes again: the copy is told apart by its content, as after any answer that was lost.
        assert sorted(row.campaign for row in door.rows()) == sorted(["delta", "moor", "moor" if campaign == "delta" else "delta"])
