"""What tests share lies in tests/support: no module of tests/ imports from a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT


def imported(source: str) -> Iterator[str]:
    """Dotted names of all that `source` imports, names taken out of modules included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_test(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "tests" and any(part.startswith("test_") for part in parts)


def offenders(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(folder.rglob("*.py"))
        for name in imported(path.read_text(encoding="utf-8"))
        if is_test(name)
    ]


def test_tests_share_through_support_only() -> None:
    assert not offenders(ROOT / "tests")


def test_every_form_of_import_is_seen() -> None:
    source = "from tests.gen.test_report import x\nfrom tests.gen import test_report\n"
    names = list(imported(source + "def f():\n    import tests.gen.test_report\n"))
    assert len(names) == 3
    assert all(map(is_test, names))
    assert not is_test("tests.support.networks.residual_network")
