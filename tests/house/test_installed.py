"""The wheel is whole: put into an empty folder it works from anywhere, and every command says how it is used."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer.main

from mailflow.cli import build

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(typer.main.get_command(build()).commands)  # type: ignore[attr-defined]

MAIL = b"From: Ann Heron <ann@marsh.example>\r\nTo: endorse@delta.example\r\nSubject: yes\r\nMessage-ID: <1@marsh.example>\r\n\r\nI endorse.\r\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel holds and nothing else."""
    out = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(out)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = out.glob("mailflow-*.whl")
    target = tmp_path_factory.mktemp("target")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def run(installed: Path, cwd: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """The program out of ``installed``, started in another folder."""
    env = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-m", "mailflow", *args], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_wheel_holds_the_package_its_data_and_its_licence(installed: Path) -> None:
    shipped = {
        path.relative_to(installed / "mailflow" / "_data") for path in (installed / "mailflow" / "_data").rglob("*") if path.is_file()
    }
    here = {path.relative_to(ROOT) for folder in ("templates", "config") for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert shipped == here
    assert next(installed.glob("mailflow-*.dist-info/licenses/LICENSE")).read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {"mailflow"}


def test_it_starts_from_another_folder(installed: Path, tmp_path: Path) -> None:
    found = run(installed, tmp_path, "--help")
    assert found.returncode == 0, found.stderr
    assert "mailflow" in found.stdout


def test_it_is_the_installed_one_that_starts(installed: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(installed)}
    where = [sys.executable, "-c", "from mailflow.packaged import packaged; print(packaged('templates')); print(packaged('config'))"]
    found = subprocess.run(where, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(installed / "mailflow" / "_data" / name) for name in ("templates", "config")]


def test_it_explains_a_mail_with_no_configuration_about(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(MAIL)
    found = run(installed, tmp_path, "explain", "--assume-authenticated", "--json", "one.eml")
    assert found.returncode == 0, found.stderr
    assert '"intent": "endorse"' in found.stdout or '"intent":"endorse"' in found.stdout


def test_it_writes_a_configuration_from_what_it_ships(installed: Path, tmp_path: Path) -> None:
    found = run(installed, tmp_path, "init", "new", "--yes")
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "new" / "mailflow.toml").exists() or (tmp_path / "new" / "config" / "mailflow.toml").exists()


def leaves() -> list[tuple[str, ...]]:
    """Every command, and every command under a command."""
    found: list[tuple[str, ...]] = []
    for name, command in typer.main.get_command(build()).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", {})
        found += [(name, *rest) for rest in [(), *((one,) for one in inner)] if not command.hidden]
    return found


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_command_has_help_with_an_example(words: tuple[str, ...]) -> None:
    command = typer.main.get_command(build())
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]
    assert re.search(rf"Example: .*\bmailflow {' '.join(words)}\b", " ".join((command.help or "").split())), command.help


def documented() -> list[str]:
    """Each command of mailflow that README.md shows, in a shell block or within a line."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\s*```sh\n(.*?)^\s*```|`([^`\n]+)`", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block, code in shown for line in (block or code).splitlines()]
    return [match[1] for line in lines if (match := re.search(r"(?:^|[/|] ?)mailflow (?:--config \S+ )?([a-z]+)", line))]


def test_every_command_that_the_readme_shows_exists() -> None:
    assert len(documented()) > 5
    assert set(documented()) - set(COMMANDS) == set()


def test_every_target_that_the_readme_shows_exists() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    shown = re.findall(r"\bmake ([a-z]+)\b", "".join(re.findall(r"`[^`]+`|```.*?```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)))
    assert shown
    assert set(shown) - set(targets) == set()
