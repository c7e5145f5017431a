"""A kind is added by adding files, in a folder of one's own, and by nothing else."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gen.plan import lower as lowering
from model import store
from model.kinds import KindError, kind, kind_names, part_of, plain_kind
from tests.kinds import toy
from tests.support.paths import DIGITS_HYBRID

ROOT = Path(__file__).parents[2]
ROOMS = ("shiftadd", "search", "sim", "gen", "rtl", "model")


def work(
    folder: Path, simulator: str, *leave_out: str, epochs: int = 1
) -> subprocess.CompletedProcess[str]:
    """Runs tests.kinds.work with the files of the toy kind in a folder of their own."""
    for name, text in toy.FILES.items():
        if name not in leave_out:
            path = folder / "kinds" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    env = os.environ | {
        "SHIFTADD_KINDS": str(folder / "kinds"), "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.kinds.work", simulator, str(folder), str(epochs)]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_toy_kind_goes_all_the_way(quick_simulator: str, tmp_path: Path) -> None:
    run = work(tmp_path, quick_simulator, epochs=6)
    assert run.returncode == 0, run.stdout + run.stderr
    said = json.loads(run.stdout)
    assert said["kinds"] == ["add", toy.NAME, "mult", "shift"]
    assert said["weights"] == [toy.NAME, "mult"]
    assert said["accuracy"] > 0.3, "it learns: chance is 0.1"
    assert said["lut"] > 0
    assert said["energy"] > 0
    assert (said["ok"], said["mismatches"]) == (True, 0)
    assert said["proven"]


def test_a_kind_without_a_cost_is_trained_and_then_refused_in_a_line(tmp_path: Path) -> None:
    run = work(tmp_path, "icarus", toy.LANE)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stdout.startswith("kind 'least' has no gen/cost/lane_least.py; docs/kinds.md says")
    assert run.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "prefix", "path"),
    [
        ("model", "ops_", "model/ops_least.py"),
        ("gen.cost", "lane_", "gen/cost/lane_least.py"),
        ("sim.formal", "reference_", "sim/formal/reference_least.py"),
    ],
)
def test_missing_part_is_named(package: str, prefix: str, path: str) -> None:
    with pytest.raises(KindError, match=f"kind 'least' has no {path}; docs/kinds.md says"):
        part_of(package, prefix, "least")


def test_a_kind_without_an_element_is_refused_when_it_is_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lowering, "elements", lambda: ("add", "mult"))
    with pytest.raises(KindError, match=r"layer \w+: kind 'shift' has no rtl/pe/shift\.py; docs/"):
        lowering.lower(store.load(DIGITS_HYBRID))


def test_unknown_kind_lists_the_known() -> None:
    with pytest.raises(KindError, match="unknown kind 'div': choose one of add, mult, shift"):
        kind("div")


def test_one_kind_is_plain() -> None:
    assert [name for name in kind_names() if kind(name).plain] == [plain_kind()]


def test_nothing_outside_of_a_kind_compares_its_name() -> None:
    """Names are in built-in architectures and in a kind's own files; nowhere are they asked for."""
    names = set(kind_names())
    wrong = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Compare):
                    parts = [node.left, *node.comparators]
                elif isinstance(node, ast.Tuple | ast.List | ast.Set):
                    parts = [node] if len(_strings(node) & names) > 1 else []
                elif isinstance(node, ast.Dict):
                    keys = {k.value for k in node.keys if isinstance(k, ast.Constant)}
                    parts = [k for k in node.keys if k] if len(keys & names) > 1 else []
                else:
                    continue
                if any(_strings(part) & names for part in parts):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def _strings(node: ast.expr) -> set[object]:
    elements = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {e.value for e in elements if isinstance(e, ast.Constant)}
