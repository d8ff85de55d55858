"""The SMTP and LMTP doors as a process: listeners, keeper, stop sign."""

import asyncio
import shutil
from collections.abc import Callable

from mailflow.config.load import Config
from mailflow.config.settings import LmtpSettings
from mailflow.decide import identity
from mailflow.intake.keep import Keeper
from mailflow.intake.listener import loop_factory, serve
from mailflow.jobs.supervisor import StopSign
from mailflow.model.outside import Now
from mailflow.store.engine import Store


def run_intake(config: Config, store: Callable[[], Store], now: Now, stop: StopSign) -> None:
    """Listens until ``stop()``; what was accepted by then is kept. A failure under a commit sets ``stop``."""
    keeper = Keeper(store, on_lost=stop.set)
    try:
        with asyncio.Runner(loop_factory=loop_factory(config.settings.smtp)) as runner:
            runner.run(_listen(config, keeper, now, stop))
    finally:
        keeper.close()


async def _listen(config: Config, keeper: Keeper, now: Now, stop: StopSign) -> None:
    spool = config.root / config.settings.store.spool
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    ending = asyncio.Event()
    watcher = asyncio.create_task(_watch(stop, ending))
    try:
        await serve(
            config.settings.smtp,
            {identity(address): slug for address, slug in config.by_address().items()},
            keeper,
            now,
            free_bytes=lambda: shutil.disk_usage(spool).free,
            free_floor=config.settings.store.free_bytes_floor,
            spool=spool,
            limits=config.settings.limits,
            stop=ending,
            lmtp=_placed(config),
        )
    finally:
        watcher.cancel()


def _placed(config: Config) -> LmtpSettings:
    """The LMTP settings; a relative path of the socket starts where all paths of the settings do."""
    lmtp = config.settings.lmtp
    return lmtp.model_copy(update={"listen": f"unix:{config.root / lmtp.unix_path}"}) if lmtp.unix_path else lmtp


async def _watch(stop: StopSign, ending: asyncio.Event) -> None:
    while not stop():
        await asyncio.sleep(0.1)
    ending.set()
