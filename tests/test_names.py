"""Names mean one thing: no class name stands in two files, and no local is called `found`."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

ROOMS = ("shiftadd", "search", "sim", "gen", "rtl", "model")


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the rooms, by its path."""
    for room in ROOMS:
        for path in sorted(Path(ROOT, room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_every_class_name_stands_in_one_file() -> None:
    files: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                files[node.name].add(path)
    assert {name: paths for name, paths in files.items() if len(paths) > 1} == {}


def test_locals_are_named_for_what_they_hold() -> None:
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "found" and isinstance(node.ctx, ast.Store)
    ]
    assert wrong == []
