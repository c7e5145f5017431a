"""What a command makes of other files in the repository is what lies there."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import api, fuzz, pictures, results, timing
from tests.fuzz.subjects import SUBJECTS
from tests.fuzz.worker import FAULTS
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_WORDS = 700


def test_readme_is_short() -> None:
    assert len(README.split()) <= MOST_WORDS


def test_readme_has_what_one_types_in_a_fresh_clone() -> None:
    """`make demo` and `make test`, as commands under a heading, and no target that is not there."""
    section = README.partition("## Try it from a fresh clone\n")[2].partition("\n## ")[0]
    typed = re.findall(r"^    make (\w+)", section, re.MULTILINE)
    assert typed == ["demo", "test"]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake (\w+)`", README)) | set(typed) <= set(targets)


def test_figures_of_the_readme_are_results() -> None:
    """Every row of its table, word for word."""
    page = results.PAGE.read_text(encoding="utf-8")
    rows = [line for line in README.splitlines() if re.match(r"\| [A-Za-z]", line)]
    assert len(rows) == 6
    assert [row for row in rows if row not in page] == []
    assert "3304 weights of all three kinds" in page
    assert "99.2 % of the 360 test images" in page


def test_results_are_what_their_command_writes() -> None:
    made = results.page(json.loads(results.SOURCE.read_text(encoding="utf-8")))
    assert results.PAGE.read_text(encoding="utf-8") == made


def test_fuzz_table_is_what_its_command_writes() -> None:
    lies = fuzz.PAGE.read_text(encoding="utf-8")
    made = json.loads(fuzz.SOURCE.read_text(encoding="utf-8"))
    assert fuzz.page(lies, made) == lies
    assert set(made["kinds"]) == {subject.name for subject in SUBJECTS}
    assert made["inputs"] == sum(kind["inputs"] for kind in made["kinds"].values()) == 20_000
    assert fuzz.FAULTS == FAULTS
    assert not any(kind[fault] for kind in made["kinds"].values() for fault in FAULTS)


def test_results_hold_figures_as_numbers() -> None:
    read = json.loads(results.SOURCE.read_text(encoding="utf-8"))
    tables = [b["table"] for s in read["sections"] for b in s["blocks"] if "table" in b]
    assert len(tables) == 16
    numbers = [c for t in tables for row in t["rows"] for c in row if isinstance(c, int | float)]
    assert len(numbers) > 300


def test_units_and_decimals_of_a_table() -> None:
    columns = [{"title": "a"}, {"title": "b", "unit": "%"}, {"title": "c", "decimals": 4}]
    block = {"table": {"columns": columns, "rows": [["x", -2.0, 0.089], [None, 1234, "–"]]}}
    page = results.page({"sections": [{"title": "t", "blocks": [block]}]})
    assert page.endswith("## t\n\n| a | b | c |\n|---|---|---|\n| x | −2.0 % | 0.0890 |\n"
                         "| | 1,234 % | – |\n")  # fmt: skip


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_pictures_are_what_their_command_draws(name: str) -> None:
    lies = (pictures.FOLDER / name).read_text(encoding="utf-8")
    assert lies == pictures.PICTURES[name]()


def test_front_of_the_picture_is_the_front_of_the_table() -> None:
    points = [(100.0, 50.0, "add"), (200.0, 40.0, "mult"), (300.0, 60.0, "mixed")]
    assert list(pictures.best_so_far(points)) == [(100.0, 50.0), (300.0, 60.0)]


def test_timing_is_that_of_the_simulated_hardware() -> None:
    cycles = timing.simulated()
    assert timing.PICTURE.read_text(encoding="utf-8") == timing.picture(cycles) + "\n"
    taken = [c["m_axis_tdata"] for c in cycles if c["m_axis_tvalid"] and c["m_axis_tready"]]
    (first, second) = [(4, 1), (5, 3)]  # of FIRST and SECOND, by the weights
    assert taken == [*first, 0, *second, 0]


def test_words_beside_the_timing_are_its_cycles() -> None:
    page = (ROOT / "docs" / "integrating.md").read_text(encoding="utf-8")
    cycles = timing.simulated()
    pause = [i for i, c in enumerate(cycles[:6]) if i and not c["s_axis_tvalid"]]
    held = [i for i, c in enumerate(cycles) if c["s_axis_tvalid"] and not c["s_axis_tready"]]
    first = next(i for i, c in enumerate(cycles) if c["m_axis_tvalid"] and c["m_axis_tready"])
    text = " ".join(page.split())
    assert f"has a pause in cycle {pause[0]}" in text
    assert f"waits in cycles {held[0]} to {held[-1]}" in text
    assert f"until cycle {first}:" in text


def test_reference_is_what_docstrings_say() -> None:
    assert api.PAGE.read_text(encoding="utf-8") == api.page()


def literals(room: str) -> Iterator[str]:
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_errors_in_troubleshooting_are_those_of_the_code() -> None:
    """Every piece between the parts that differ is in some text of the source, or the
    system's own."""
    texts = [t for room in ("shiftadd", "model", "gen", "sim", "search") for t in literals(room)]
    texts += [f": {os.strerror(number)}" for number in errno.errorcode]
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([^`]*…[^`]*)` \|", page, re.MULTILINE)
    assert len(lines) > 25
    pieces = {piece for line in lines for piece in map(str.strip, line.split("…")) if piece}
    words = {piece for piece in pieces if re.search(r"[a-z]{3}", piece)}
    assert {piece for piece in words if not any(piece in text for text in texts)} == set()


def test_scripts_of_pictures_import_from_the_repository() -> None:
    assert Path(timing.__file__).parent == ROOT / "docs"
