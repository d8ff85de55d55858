"""Finds the folders that ship with the program: templates/ and config/."""

from pathlib import Path
from typing import Literal

from mailflow.model.errors import BadConfig

Shipped = Literal["templates", "config"]


def packaged(folder: Shipped) -> Path:
    """The folder inside the installed package, else the one at the top of the checkout.

    Raises BadConfig where neither is there (a broken installation).
    """
    here = Path(__file__).parent
    for candidate in (here / "_data" / folder, here.parent / folder):
        if candidate.is_dir():
            return candidate
    raise BadConfig(f"the installation of mailflow lacks its folder {folder}/; install it again (pip install --force-reinstall mailflow)")
