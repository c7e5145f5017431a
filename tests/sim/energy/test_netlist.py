"""Names, kinds and levels of the cells of a netlist."""

from __future__ import annotations

from typing import Any

from sim.energy.netlist import cell_kind, levels


def cell(kind: str, outs: dict[str, int], ins: dict[str, int]) -> dict[str, Any]:
    directions = dict.fromkeys(outs, "output") | dict.fromkeys(ins, "input")
    joined = {pin: [bit] for pin, bit in (outs | ins).items()}
    return {"type": kind, "parameters": {}, "port_directions": directions, "connections": joined}


def test_levels_are_the_luts_behind_a_register() -> None:
    cells = [
        cell("SB_LUT4", {"O": 13}, {"I0": 12, "I1": 11, "I3": 21}),
        cell("SB_LUT4", {"O": 12}, {"I0": 11}),
        cell("SB_LUT4", {"O": 11}, {"I0": 10, "I1": 1}),
        cell("SB_CARRY", {"CO": 20}, {"I0": 11, "CI": 1}),
        cell("SB_CARRY", {"CO": 21}, {"I0": 10, "CI": 20}),
        cell("SB_DFF", {"Q": 10}, {"D": 13, "C": 2}),
    ]
    assert levels(cells, "ice40") == {"n11": 1, "n12": 2, "n13": 3, "n20": 1, "n21": 1}


def test_a_chain_of_carries_is_no_level() -> None:
    cells = [
        cell("ALU", {"SUM": 5 + i, "COUT": 20 + i}, {"I0": 1, "I1": 2, "CIN": 19 + i})
        for i in range(4)
    ]
    made = levels(cells, "gowin")
    assert [made[f"n{5 + i}"] for i in range(4)] == [1, 1, 1, 1]
    assert {made[f"n{20 + i}"] for i in range(4)} == {1}


def test_a_multiplexer_of_a_slice_is_no_level() -> None:
    cells = [
        cell("LUT4", {"Z": 5}, {"A": 1}),
        cell("PFUMX", {"Z": 6}, {"ALUT": 5, "BLUT": 2, "C0": 3}),
    ]
    assert levels(cells, "ecp5") == {"n5": 1, "n6": 1}


def test_kinds_of_cells() -> None:
    assert cell_kind("SB_DFFESR", "ice40") == "ff"
    assert cell_kind("SB_RAM40_4K", "ice40") == "bram"
    assert cell_kind("CCU2C", "ecp5") == cell_kind("ALU", "gowin") == "lut"
    assert cell_kind("MULT18X18D", "ecp5") == cell_kind("MULT9X9", "gowin") == "dsp"
