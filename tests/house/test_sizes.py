"""Files, functions and docstrings keep to the sizes of the house."""

import ast
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "mailflow").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def functions(path: Path) -> list[tuple[str, int]]:
    """Where each function of a file stands and how many lines of code it has, its docstring not counted."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", length(node))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the last one, without the docstring's."""
    first = node.body[0]
    says = ast.get_docstring(node) is not None and isinstance(first, ast.Expr)
    doc = (first.end_lineno or 0) - first.lineno + 1 if says else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - doc


def test_there_is_something_to_measure() -> None:
    assert len(MODULES) > 100
    assert len(TESTS) > 20


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in (*MODULES, *TESTS)}
    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    assert [(name, lines) for path in (*MODULES, *TESTS) for name, lines in functions(path) if lines > 50] == []


def test_the_middle_function_has_at_most_8_lines() -> None:
    assert median(lines for path in MODULES for _, lines in functions(path)) <= 8


def test_every_module_says_in_one_line_what_it_is() -> None:
    docs = {
        str(path.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in (*MODULES, *TESTS)
    }
    # The map of the whole stands in the package's own docstring; a package may say more of what is in it.
    assert [path for path, doc in docs.items() if not doc.partition("\n")[0].strip()] == []
    assert [path for path, doc in docs.items() if "\n" in doc and not path.endswith("__init__.py")] == []
