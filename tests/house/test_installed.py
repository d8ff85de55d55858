"""The wheel is whole: installed into an empty environment it works from anywhere, and every command says how it is used."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
import typer.main

import mailflow
from mailflow.cli import build

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(typer.main.get_command(build()).commands)  # type: ignore[attr-defined]

MAIL = b"From: Ann Heron <ann@marsh.example>\r\nTo: endorse@delta.example\r\nSubject: yes\r\nMessage-ID: <1@marsh.example>\r\n\r\nI endorse.\r\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built by the locked builder."""
    out = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(out)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = out.glob("mailflow-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel in it; what mailflow depends on is looked up in the one that runs the tests."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(home / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    own = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    # After the installation: pip must not take a mailflow over there for one that is here. A line of a .pth file goes behind what is here.
    (own / "neighbours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def run(installed: Path, cwd: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """A program out of ``installed``, started in another folder, as a user would."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAILFLOW_CONFIG")}
    program = [str(installed / "bin" / command[0]), *command[1:]]
    return subprocess.run(program, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False)


def test_the_wheel_holds_the_package_its_data_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        licence = next(name for name in names if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
    data = "mailflow/_data/"
    here = {str(path.relative_to(ROOT)) for folder in ("templates", "config") for path in (ROOT / folder).rglob("*") if path.is_file()}
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "mailflow").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {name.removeprefix(data) for name in names if name.startswith(data)} == here
    assert {name for name in names if name.startswith("mailflow/") and not name.startswith(data)} == code
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"mailflow"}


def test_it_starts_from_another_folder(installed: Path, tmp_path: Path) -> None:
    found = run(installed, tmp_path, "mailflow", "--help")
    assert found.returncode == 0, found.stderr
    assert "mailflow" in found.stdout


def test_it_is_the_installed_one_that_starts_with_its_own_data(installed: Path, tmp_path: Path) -> None:
    where = "from mailflow.packaged import packaged; print(packaged('templates')); print(packaged('config'))"
    found = run(installed, tmp_path, "python", "-c", where)
    assert [Path(line).parents[2].name for line in found.stdout.split()] == ["site-packages"] * 2, found.stderr
    assert all(Path(line).is_relative_to(installed) for line in found.stdout.split())


def test_it_explains_a_mail_with_no_configuration_about(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(MAIL)
    found = run(installed, tmp_path, "mailflow", "explain", "--assume-authenticated", "--json", "one.eml")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["intent"] == "endorse"


def test_it_writes_a_configuration_from_what_it_ships(installed: Path, tmp_path: Path) -> None:
    found = run(installed, tmp_path, "mailflow", "init", "new", "--yes")
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "new" / "mailflow.toml").exists() or (tmp_path / "new" / "config" / "mailflow.toml").exists()


def test_the_demo_plays_from_another_folder_and_its_books_balance(installed: Path, tmp_path: Path) -> None:
    found = run(installed, tmp_path, "mailflow", "demo", "--out", "out")
    assert found.returncode == 0, found.stderr
    assert list((tmp_path / "out" / "outgoing").glob("*.eml"))


@pytest.mark.skipif(not sys.flags.safe_path, reason="not started by make: which mailflow is tested depends on the folder")
def test_the_tests_of_make_see_the_installed_mailflow() -> None:
    assert not Path(mailflow.__file__).is_relative_to(ROOT / "mailflow")


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
