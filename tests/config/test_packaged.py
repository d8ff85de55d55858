"""The shipped folders are found in the package, else in the checkout."""

from pathlib import Path

import pytest

from mailflow import packaged
from mailflow.model.errors import BadConfig


def test_the_checkouts_folders_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    top = Path(__file__).parents[2]
    monkeypatch.setattr(packaged, "__file__", str(top / "mailflow" / "packaged.py"))
    assert packaged.packaged("templates") == top / "templates"
    assert packaged.packaged("config") == top / "config"


def test_the_packaged_copy_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "site/mailflow/_data/config"
    copy.mkdir(parents=True)
    (tmp_path / "site/config").mkdir()
    monkeypatch.setattr(packaged, "__file__", str(tmp_path / "site/mailflow/packaged.py"))
    assert packaged.packaged("config") == copy


def test_a_broken_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "__file__", str(tmp_path / "mailflow/packaged.py"))
    with pytest.raises(BadConfig, match="install it again"):
        packaged.packaged("templates")
