"""`make cases` says of a case only what its tests have shown."""

from pathlib import Path

import pytest
from cases import CASES, KILLS, Outcome, table, verdict

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.case(17)
def test_good(): pass

@pytest.mark.case(18)
@pytest.mark.case(19)
@pytest.mark.parametrize("n", [1, 2])
def test_half(n): assert n == 1

@pytest.mark.case(20)
def test_there(): pass

@pytest.mark.case(20)
def test_missing(): pytest.skip("no server")

@pytest.mark.case(21)
@pytest.mark.xfail
def test_expected(): assert False

@pytest.mark.case(22)
def test_broken(nothing_of_the_kind): pass

@pytest.mark.case(23)
@pytest.mark.long
def test_long(): pass

@pytest.mark.kill("K06")
def test_killed(): pass

def test_of_nothing(): assert False
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makeini("[pytest]\nmarkers = case(n): x\n kill(n): x\n long: x\n")
    pytester.makepyfile(test_it=TESTS)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    return pytester


@pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_each_case_is_told_by_its_tests(project: pytest.Pytester, how: tuple[str, ...]) -> None:
    result = project.runpytest_subprocess("-p", "cases", "--cases", "-q", *how)
    expected = {
        "1": "none",
        "17": "pass",
        "18": "fail",
        "19": "fail",
        "20": "skip",
        "21": "fail",
        "22": "fail",
        "23": "pass",
        "K06": "pass",
    }
    for name, word in expected.items():
        assert f"case {name} {word}" in result.outlines
    assert "cases: 2 pass, 4 fail, 1 skip, 143 none" in result.outlines
    assert "kill points: 1 pass, 0 fail, 0 skip, 31 none" in result.outlines
    assert result.ret == 1
    assert "test_of_nothing" not in result.stdout.str()


def test_a_mark_that_names_no_case_stops_the_run(project: pytest.Pytester) -> None:
    project.makepyfile(test_odd='import pytest\n\n@pytest.mark.kill("K33")\ndef test_odd(): pass\n')
    result = project.runpytest_subprocess("-p", "cases")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no case or kill point 'K33'" in result.stderr.str()


def test_every_case_and_kill_point_has_its_line_and_none_has_two() -> None:
    lines = table({})[:-2]
    assert lines == [f"case {name} none" for name in (*CASES, *KILLS)]
    assert len(lines) == 182


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [((), "none"), (["passed"], "pass"), (["passed", "skipped"], "skip"), (["skipped", "failed"], "fail"), (["passed", "failed"], "fail")],
)
def test_the_worst_test_speaks_for_the_case(outcomes: list[Outcome], word: str) -> None:
    assert verdict(outcomes) == word
