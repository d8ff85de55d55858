"""What became of each case and each kill point of docs/guarantees.md: a pytest plugin (`pytest --cases`), and `make cases`."""

import sys
from collections import defaultdict
from collections.abc import Generator, Iterable
from typing import Literal

import pytest

Outcome = Literal["passed", "failed", "skipped"]
Verdict = Literal["pass", "fail", "skip", "none"]

CASES = tuple(str(number) for number in range(1, 151))
KILLS = tuple(f"K{number:02}" for number in range(1, 33))
VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "skip", "none")


def covered(item: pytest.Item) -> list[str]:
    """The cases and kill points a test says it covers, in the order of its marks.

    Raises UsageError for a number or a name that docs/guarantees.md does not have.
    """
    found = [str(one) for kind in ("case", "kill") for mark in item.iter_markers(kind) for one in mark.args]
    for one in found:
        if one not in CASES and one not in KILLS:
            raise pytest.UsageError(f"{item.nodeid}: there is no case or kill point {one!r}; docs/guarantees.md lists them")
    return found


def outcome_of(report: pytest.TestReport) -> Outcome:
    """What a phase of a test came to; a failure that was expected is a failure all the same."""
    return "failed" if hasattr(report, "wasxfail") else report.outcome


def verdict(outcomes: Iterable[Outcome]) -> Verdict:
    """One word for all tests of a case: each test gives its worst phase."""
    seen = set(outcomes)
    if "failed" in seen:
        return "fail"
    if "skipped" in seen:
        return "skip"
    return "pass" if seen else "none"


def table(results: dict[str, list[Outcome]]) -> list[str]:
    """A line for each case and kill point, then two lines of totals."""
    verdicts = {name: verdict(results.get(name, [])) for name in (*CASES, *KILLS)}
    lines = [f"case {name} {found}" for name, found in verdicts.items()]
    for kind, names in (("cases", CASES), ("kill points", KILLS)):
        found = [verdicts[name] for name in names]
        lines.append(f"{kind}: " + ", ".join(f"{found.count(one)} {one}" for one in VERDICTS))
    return lines


class Cases:
    """Runs only tests that cover something, gathers what they came to, and prints the table. Works over pytest-xdist."""

    def __init__(self) -> None:
        self.worst: dict[str, Outcome] = {}
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        idle = [item for item in items if not covered(item)]
        config.hook.pytest_deselected(items=idle)
        items[:] = [item for item in items if covered(item)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        # The report travels from xdist's process to the one that prints; the item does not.
        report.user_properties += [("covers", name) for name in covered(item)]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rank: tuple[Outcome, ...] = ("passed", "skipped", "failed")
        before = self.worst.get(report.nodeid, "passed")
        self.worst[report.nodeid] = max(before, outcome_of(report), key=rank.index)
        for key, name in report.user_properties:
            if key == "covers":
                self.tests[str(name)].add(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("cases")
        for line in table({name: [self.worst[test] for test in tests] for name, tests in self.tests.items()}):
            terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --cases."""
    parser.addoption("--cases", action="store_true", help="run what covers a case or a kill point, and say what became of each")


def pytest_configure(config: pytest.Config) -> None:
    """Switches the gathering on, in each process."""
    if config.getoption("--cases"):
        config.pluginmanager.register(Cases(), "cases-table")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses marks that name nothing, in every run."""
    for item in items:
        covered(item)


if __name__ == "__main__":
    # A case that is hard to test takes long: the limit of `make test` is not for these.
    sys.exit(pytest.main(["--cases", "-q", "--timeout", "3600", *sys.argv[1:]]))
