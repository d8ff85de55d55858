"""Where the log goes when whatever we print may be shown to a sender."""

import logging
from logging.handlers import SysLogHandler
from pathlib import Path


def log_quietly(config: Path) -> None:
    """Under an MTA, whatever we print may be shown to the sender: the log goes to syslog and to a file instead."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    if Path("/dev/log").exists():
        root.addHandler(SysLogHandler("/dev/log"))
    folder = config.resolve().parent / "var"
    if folder.is_dir():
        file_handler = logging.FileHandler(folder / "ingest.log", encoding="utf-8", delay=True)
        file_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        root.addHandler(file_handler)
    if not root.handlers:
        root.addHandler(logging.NullHandler())
