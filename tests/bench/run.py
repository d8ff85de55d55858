"""`make bench`: runs the benchmarks of this folder, writes build/bench.json and prints it as a table."""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "build" / "bench.json"
FIELDS = ("name", "value", "unit", "median_of", "peer", "peer_value", "ratio", "note")

Result = dict[str, Any]
Bench = Callable[[], Result | None]


def collect(folder: Path = HERE) -> dict[str, Bench]:
    """The benchmarks in ``folder``: whatever the dict BENCHES of each of its modules names, in the order of their files.

    Raises ValueError where two modules have one name.
    """
    found: dict[str, Bench] = {}
    for path in sorted(folder.glob("*.py")):
        if path.name == Path(__file__).name:
            continue
        benches = getattr(_module(path), "BENCHES", {})
        if twice := found.keys() & benches.keys():
            raise ValueError(f"{path.name}: {', '.join(sorted(twice))} stands in another file too")
        found |= benches
    return found


def _module(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    # Benchmarks that start processes need to be found again by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def complete(name: str, result: Result) -> Result:
    """A result with every field, in the promised order; what a benchmark did not say is null, its note empty.

    Raises ValueError for a field that nobody promised, and for a ratio under a name that compares nothing (or none where it does).
    """
    whole = {**dict.fromkeys(FIELDS), "note": "", **result, "name": name}
    if odd := whole.keys() - set(FIELDS):
        raise ValueError(f"{name}: unknown fields {', '.join(sorted(odd))}")
    if (whole["ratio"] is None) == ("_vs_" in name):
        raise ValueError(f"{name}: a ratio belongs to names with _vs_, and to those only")
    return whole


def measure(benches: dict[str, Bench], say: Callable[[str], None]) -> list[Result]:
    """Runs each; one whose peer is missing says so and leaves no result."""
    results = []
    for name, bench in benches.items():
        say(f"{name} ...")
        result = bench()
        if result is None:
            say(f"{name}: NOT MEASURED, its peer is not on this machine")
        else:
            results.append(complete(name, result))
    return results


def merged(before: list[Result], now: list[Result]) -> list[Result]:
    """Earlier results with those of this run in their places, new ones at the end."""
    fresh = {result["name"]: result for result in now}
    kept = [fresh.pop(result["name"], result) for result in before]
    return [*kept, *fresh.values()]


def show(results: list[Result], console: Console) -> None:
    """The results as a table."""
    table = Table(*FIELDS)
    for result in results:
        table.add_row(*("" if result[field] is None else _plain(result[field]) for field in FIELDS))
    console.print(table)


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main(arguments: list[str], out: Path = OUT, folder: Path = HERE) -> int:
    """Exit 0; 2 for a name that is no benchmark."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="run these and leave the other results as they stand")
    only = [name for name in parser.parse_args(arguments).only.split(",") if name]
    benches = collect(folder)
    if unknown := set(only) - benches.keys():
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(benches)}", file=sys.stderr)
        return 2
    chosen = {name: benches[name] for name in only} if only else benches
    results = measure(chosen, lambda line: print(line, file=sys.stderr, flush=True))
    before = json.loads(out.read_text(encoding="utf-8")) if only and out.exists() else []
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(merged(before, results), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    show(results, Console(width=160))
    return 0


if __name__ == "__main__":
    # Where this file stands, and what tests share.
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    sys.exit(main(sys.argv[1:]))
