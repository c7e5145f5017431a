"""Every public name has an example in its docstring, and the examples are true."""

from __future__ import annotations

import shutil
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, DocTest, DocTestFinder, DocTestRunner
from pathlib import Path

import pytest

import shiftadd
from gen.calibrate import characterise
from gen.cost.cost import PRICES
from tests.support.report_run import make_run
from tests.support.tiny_network import train_tiny

LONG = ("demo", "search", "DemoOutcome", "SearchOutcome")
"""Minutes each."""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network `net`, and the run of a search, `search`."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(train_tiny(folder).net, folder / "net")
    make_run(folder / "search", count=40, finalists=3)
    return folder


@pytest.fixture
def here(examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What an example may use, in that folder; measurements of layers are written elsewhere."""
    kept = shutil.copy(PRICES, tmp_path)
    assert characterise.characterise.__kwdefaults__ is not None
    monkeypatch.setitem(characterise.characterise.__kwdefaults__, "path", Path(kept))
    monkeypatch.chdir(examples)
    return {"shiftadd": shiftadd}


def example(name: str, names: dict[str, object]) -> DocTest:
    """That of a public name."""
    finder = DocTestFinder(recurse=False)
    (test,) = finder.find(getattr(shiftadd, name), f"shiftadd.{name}", globs=names)
    return test


def run(name: str, names: dict[str, object]) -> None:
    test, report = example(name, names), list[str]()
    assert test.examples, f"{name} has none"
    results = DocTestRunner(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE).run(
        test, out=report.append
    )
    assert results.failed == 0, "".join(report)


@pytest.mark.parametrize("name", [name for name in shiftadd.__all__ if name not in LONG])
def test_example_is_true(name: str, here: dict[str, object]) -> None:
    run(name, here)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_long_example_is_true(name: str, here: dict[str, object]) -> None:
    run(name, here)


@pytest.mark.parametrize("name", LONG)
def test_long_example_is_there(name: str) -> None:
    assert example(name, {}).examples
