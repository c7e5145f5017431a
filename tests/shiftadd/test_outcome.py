"""Results in a notebook and at the end of a command."""

from __future__ import annotations

import shlex
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

import shiftadd
from gen.boards import boards as known_boards
from model.confusion import confusion
from shiftadd import results as results_of
from shiftadd.cli import VERBS
from shiftadd.outcome import Outcome, next_command, table_as_html
from shiftadd.results import SimulateOutcome
from shiftadd.results import __all__ as names
from shiftadd.results.classes import class_lines
from sim.verify.levels import LeftOutLevel
from sim.verify.prove import Verification
from sim.verify.simulation_result import SimulationResult


def test_table_becomes_html_with_all_texts_escaped() -> None:
    table = Table(title="<i>", caption="a & b")
    table.add_column("<script>")
    table.add_column("n", justify="right")
    table.add_row("x[/bold]", Text("<td>"))
    assert table_as_html(table) == (
        "<p><b>&lt;i&gt;</b></p><table>"
        '<thead><tr><th style="text-align:left">&lt;script&gt;</th>'
        '<th style="text-align:right">n</th></tr></thead>'
        '<tbody><tr><td style="text-align:left">x[/bold]</td>'
        '<td style="text-align:right">&lt;td&gt;</td></tr></tbody></table><p>a &amp; b</p>'
    )


def test_every_verb_has_a_frozen_result() -> None:
    kinds: list[type] = [getattr(results_of, name) for name in names]
    results = [kind for kind in kinds if issubclass(kind, Outcome) and kind is not Outcome]
    assert len(results) == len(VERBS)
    for kind in results:
        assert vars(kind)["__dataclass_params__"].frozen
        assert kind.__doc__ is not None
        assert not kind.__doc__.startswith(f"{kind.__name__}("), "made by dataclass"
        assert vars(kind).keys() >= {"as_dict", "lines"}


def test_boards_are_a_table_with_a_next_command() -> None:
    made = shiftadd.boards()
    assert made.ok
    page: Any = made._repr_html_()
    assert page.count("<tr>") == 1 + len(known_boards())
    assert made.lines()[-1].startswith("next: shiftadd deploy NET --board ")
    with pytest.raises(FrozenInstanceError):
        made.boards = ()  # type: ignore[misc]


def test_next_command_can_be_pasted() -> None:
    line = next_command("compile", "my nets/$(x)", "--board", "up5k")
    assert line == "next: shiftadd compile 'my nets/$(x)' --board up5k"
    assert shlex.split(line)[3] == "my nets/$(x)"


RESULT = SimulationResult(
    level="rtl", simulator="verilator", images=4, mismatches=0, cycles_latency=84,
    cycles_interval=36, first_mismatch=None, stopped=None, unheld=0, seed=0, cycles=200,
    cycles_per_second=1e5, seconds=0.1,
)  # fmt: skip


def simulated(result: SimulationResult, said: list[int], net: str = "a net") -> SimulateOutcome:
    left = (LeftOutLevel("routed", "it is no ECP5"),)
    matrix = confusion(said, [0, 0, 1, 1], ("flat", "tall"))
    return SimulateOutcome(Verification("all", (result,), left, matrix), net, "up5k", Path("b"))


def test_simulate_ends_with_levels_left_out_classes_and_the_next_command() -> None:
    assert simulated(RESULT, [0, 0, 1, 1]).lines() == (
        "4 images equal to the golden model at level rtl (verilator, seed 0); latency 84, "
        "interval 36 cycles",
        "level routed was left out: it is no ECP5",
        "right: 100.00 % of 4",
        "next: shiftadd deploy 'a net' --board icebreaker --build b --virtual",
    )
    *_, by_class, mixed, _ = simulated(RESULT, [0, 0, 0, 1]).lines()
    assert by_class == (
        "right by class: tall: 50.0 % of 2, flat: 100.0 % of 2; 75.00 % if every class counts alike"
    )
    assert mixed == "most often taken: tall for flat (1)"
    differing = simulated(replace(RESULT, mismatches=1), [0, 0, 1, 1])
    assert not differing.ok
    assert differing.lines()[-1] == (
        "next: shiftadd simulate 'a net' --board up5k --build b --waves differ.vcd"
    )
    assert not any(line.startswith("next:") for line in simulated(RESULT, [0] * 4, "").lines())


def test_classes_that_do_alike_and_well_are_not_told() -> None:
    assert class_lines(confusion([0] * 9 + [1] * 11, [0] * 10 + [1] * 10, ("a", "b"))) == ()
    assert class_lines(confusion([0] * 30 + [1], [0] * 30 + [1], ("a", "b"))), "unbalanced"
