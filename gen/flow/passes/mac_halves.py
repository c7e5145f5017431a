"""Products of at most 8×8 bits in pairs, each pair in the two halves of one SB_MAC16 (iCE40 UP5K).

yosys takes a whole one, of 16×16 bits, for each. In mode 8×8 it multiplies A[7:0] by B[7:0] to
O[15:0], and A[15:8] by B[15:8] to O[31:16] (Lattice TN1295), with the registers that it has. Two
are paired where these, their clock and controls are alike, and the signs of their operands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from gen.flow.netlist import Bit, Cell, loads_of

HALF, WHOLE = 8, 16
PLAIN = {
    "MODE_8x8": 0, "NEG_TRIGGER": 0, "C_REG": 0, "D_REG": 0, "TOP_8x8_MULT_REG": 0,
    "BOT_8x8_MULT_REG": 0, "PIPELINE_16x16_MULT_REG1": 0, "PIPELINE_16x16_MULT_REG2": 0,
}  # fmt: skip
"""Parameters of a product as synthesis makes it, with registers at operands and output at most."""
ADDED = {
    "TOPADDSUB_LOWERINPUT": 2, "BOTADDSUB_LOWERINPUT": 2, "TOPADDSUB_UPPERINPUT": 1,
    "BOTADDSUB_UPPERINPUT": 1, "TOPADDSUB_CARRYSELECT": 3, "BOTADDSUB_CARRYSELECT": 0,
}  # fmt: skip
"""Those of an output register, which holds the product added to C and D."""
ZERO = ("C", "D", "ADDSUBTOP", "ADDSUBBOT", "OLOADTOP", "OLOADBOT")
REGISTERED, DIRECT, HALVES = 1, 3, 2
"""What an output is: a sum's register, the product of 16×16 bits, and those of 8×8."""


def pair(module: dict[str, Any]) -> int:
    """Pairs products of a flat module of a yosys JSON netlist, in place; number of pairs."""
    cells: dict[str, Cell] = module["cells"]
    loads = loads_of(module)
    alike: dict[Any, list[str]] = defaultdict(list)
    for name, cell in cells.items():
        if cell["type"] == "SB_MAC16" and _is_small(cell, loads):
            alike[_control(cell)].append(name)
    count = 0
    for names in alike.values():
        for low, high in _pairs(names, cells):
            _merge(cells[low], cells.pop(high))
            count += 1
    return count


def _pairs(names: list[str], cells: dict[str, Cell]) -> Iterator[tuple[str, str]]:
    """Of cells of one control, those whose operands have signs alike."""
    waiting: list[str] = []
    for name in names:
        for other in waiting:
            if all(_signs(cells[name], pin) & _signs(cells[other], pin) for pin in "AB"):
                waiting.remove(other)
                yield other, name
                break
        else:
            waiting.append(name)


def _is_small(cell: Cell, loads: dict[Bit, Any]) -> bool:
    """A plain product of operands of at most 8 bits, of which 16 bits are used at most."""
    value = {name: int(text, 2) for name, text in cell["parameters"].items()}
    pins = cell["connections"]
    outputs = value["TOPOUTPUT_SELECT"], value["BOTOUTPUT_SELECT"]
    registered = outputs == (REGISTERED, REGISTERED)
    expected = PLAIN | (ADDED if registered else {})
    return (
        (registered or outputs == (DIRECT, DIRECT))
        and all(value[name] == n for name, n in expected.items())
        and all(bit == "0" for pin in ZERO for bit in pins.get(pin, ()))
        and not any(loads.get(bit) for bit in pins["O"][WHOLE:])
        and all(_signs(cell, pin) for pin in "AB")
    )


def _signs(cell: Cell, pin: str) -> set[bool]:
    """Whether the operand is signed, if 8 bits hold it; both where it is so short as to be either,
    and none where 8 bits do not hold it."""
    bits, signed = cell["connections"][pin], int(cell["parameters"][f"{pin}_SIGNED"], 2)
    rest = set(bits[HALF:])
    fits = set()
    if rest == {"0"} or (not signed and rest <= {"0", "x"}):
        fits.add(False)
    if rest == {bits[HALF - 1]} and (signed or rest == {"0"}):
        fits.add(True)
    return fits


def _control(cell: Cell) -> Any:
    """What two must have alike: clock, enables, resets and registers."""
    data = ("A", "B", "C", "D", "O", "ACCUMCO", "CO", "SIGNEXTOUT")
    pins = {pin: tuple(bits) for pin, bits in cell["connections"].items() if pin not in data}
    parameters = {k: v for k, v in cell["parameters"].items() if not k.endswith("_SIGNED")}
    return tuple(sorted(pins.items())), tuple(sorted(parameters.items()))


def _merge(low: Cell, high: Cell) -> None:
    """Puts the product of `high` into the upper half of `low`."""
    signs = {pin: max(_signs(low, pin) & _signs(high, pin)) for pin in "AB"}
    for pin, width in (("A", HALF), ("B", HALF), ("O", WHOLE)):
        low["connections"][pin] = low["connections"][pin][:width] + high["connections"][pin][:width]
    registered = int(low["parameters"]["TOPOUTPUT_SELECT"], 2) == REGISTERED
    output = REGISTERED if registered else HALVES
    changed = {
        "MODE_8x8": 1, "TOPOUTPUT_SELECT": output, "BOTOUTPUT_SELECT": output,
        "TOPADDSUB_LOWERINPUT": 1, "BOTADDSUB_LOWERINPUT": 1, "TOPADDSUB_CARRYSELECT": 0,
    } | {f"{pin}_SIGNED": int(sign) for pin, sign in signs.items()}  # fmt: skip
    for name, n in changed.items():
        low["parameters"][name] = f"{n:0{len(low['parameters'][name])}b}"
