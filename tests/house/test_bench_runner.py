"""`make bench` writes what was measured, in the promised shape, and nothing that was not."""

import json
from pathlib import Path

import pytest
import run

BENCHES = """
def fast(): return {"value": 1.5, "unit": "ms", "median_of": 5}
def versus(): return {"value": 2.0, "unit": "mails/s", "median_of": 5, "peer": "postfix", "peer_value": 1.0, "ratio": 2.0, "note": "on loopback"}
def alone(): return None
BENCHES = {"read_ms": fast, "accept_vs_postfix": versus, "drain_vs_fetchmail": alone}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "some.py").write_text(BENCHES)
    (tmp_path / "shared.py").write_text("NOTHING = 1\n")
    return tmp_path


def test_each_result_has_every_field_in_order(folder: Path) -> None:
    assert run.main([], folder / "build" / "bench.json", folder) == 0
    first, second = json.loads((folder / "build" / "bench.json").read_text())
    assert list(first) == list(second) == list(run.FIELDS)
    assert first == {
        "name": "read_ms",
        "value": 1.5,
        "unit": "ms",
        "median_of": 5,
        "peer": None,
        "peer_value": None,
        "ratio": None,
        "note": "",
    }
    assert (second["peer"], second["ratio"]) == ("postfix", 2.0)


def test_a_missing_peer_is_said_and_not_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run.main(["--only", "drain_vs_fetchmail"], folder / "bench.json", folder)
    assert json.loads((folder / "bench.json").read_text()) == []
    assert "drain_vs_fetchmail: NOT MEASURED" in capsys.readouterr().err


def test_some_leave_the_others_as_they_stand(folder: Path) -> None:
    out = folder / "bench.json"
    run.main([], out, folder)
    (folder / "some.py").write_text(BENCHES.replace("1.5", "1.25"))
    run.main(["--only", "read_ms"], out, folder)
    assert [(one["name"], one["value"]) for one in json.loads(out.read_text())] == [("read_ms", 1.25), ("accept_vs_postfix", 2.0)]


def test_a_name_that_is_none_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--only", "read_ms,reed_ms"], folder / "bench.json", folder) == 2
    assert "no benchmark reed_ms" in capsys.readouterr().err
    assert not (folder / "bench.json").exists()


def test_one_name_in_two_files_is_refused(folder: Path) -> None:
    (folder / "more.py").write_text(BENCHES)
    with pytest.raises(ValueError, match="stands in another file too"):
        run.collect(folder)


@pytest.mark.parametrize(
    ("name", "result"),
    [("a_vs_b", {"value": 1}), ("a", {"value": 1, "ratio": 2.0}), ("a", {"valeu": 1})],
    ids=["no ratio where one is due", "a ratio of nothing", "a field nobody promised"],
)
def test_a_result_of_the_wrong_shape_is_refused(name: str, result: run.Result) -> None:
    with pytest.raises(ValueError, match=name):
        run.complete(name, result)


def test_the_benchmarks_of_the_house_can_be_collected() -> None:
    assert all(callable(bench) for bench in run.collect().values())
