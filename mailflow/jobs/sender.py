"""The loop that sends what the outbox holds."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mailflow.config.settings import SmarthostSettings
from mailflow.deliver.sending import send_batch
from mailflow.deliver.smarthost import Smarthost
from mailflow.model.errors import StoreUnavailable
from mailflow.model.outside import Now
from mailflow.store import outbox
from mailflow.store.engine import Store

log = logging.getLogger("mailflow.sender")

IDLE_SECONDS = 0.25
OUTAGE_SECONDS = 1.0


@dataclass(frozen=True)
class Sender:
    """One sender; its connection to the smarthost is used again and again."""

    store: Store
    settings: SmarthostSettings
    hostname: str
    owner: str
    now: Now
    jitter: Callable[[], float] = field(default=random.random)

    def run(self, stop: Callable[[], bool], *, until_idle: bool = False) -> int:
        """Sends until ``stop()``, or until nothing is due; returns how many mails were tried."""
        tried = 0
        with Smarthost(self.settings, self.hostname) as smarthost:
            while not stop():
                try:
                    count = self._round(smarthost)
                except StoreUnavailable as error:
                    log.warning("waiting for the store: %s", error)
                    time.sleep(OUTAGE_SECONDS)
                    continue
                tried += count
                if count == 0:
                    if until_idle:
                        return tried
                    smarthost.close_when_idle()
                    time.sleep(IDLE_SECONDS)
        return tried

    def _round(self, smarthost: Smarthost) -> int:
        """One batch; at a limited rate, one mail and the pause that the rate asks for."""
        with self.store.read() as tx:
            due = outbox.next_due(tx)
        if due is None or due > self.now():
            return 0
        per_minute = self.settings.per_minute
        count = send_batch(self.store, smarthost, self.owner, self.now, self.jitter, **({"limit": 1} if per_minute else {}))
        if per_minute and count:
            time.sleep(60 / per_minute)
        return count
