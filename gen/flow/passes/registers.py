"""Registers beside ECP5 block RAM and multipliers, moved into the registers of these blocks.

yosys never uses those. nextpnr 0.11.1 counts, at speed grade 6: block RAM to its data 5.83 ns
without and 0.96 ns with the output register; registers around a multiplier in fabric 136 MHz, its
own output register 180 MHz, input and output registers 322 MHz. And flip-flops of the fabric become
free.

Only registers that behave the same there move: same clock and enable, no reset, initially 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from gen.flow.netlist import Bit, Cell, bit_of, last_net, loads_of

UNUSED = ("0", "x")
CONSTANTS = ("0", "1", "x")


@dataclass(frozen=True)
class _Control:
    """Clock and enable of a register; inverted: counts falling edges."""

    clock: Bit
    inverted: bool
    enable: Bit


def absorb(module: dict[str, Any]) -> int:
    """Moves registers of a flat module of a yosys JSON netlist, in place; number of flip-flops."""
    return Absorber(module).run()


class Absorber:
    """Moves registers within one flat module of a yosys JSON netlist, in place."""

    def __init__(self, module: dict[str, Any]) -> None:
        self.cells: dict[str, Cell] = module["cells"]
        self.loads = loads_of(module)
        self.free = last_net(module)
        self.driver: dict[Bit, str] = {
            bit: name
            for name, cell in self.cells.items()
            for pin, bits in cell["connections"].items()
            if cell["port_directions"][pin] == "output"
            for bit in bits
        }

    def run(self) -> int:
        """Moves all that can be moved; returns the number of flip-flops that left the fabric."""
        before = len(self.cells)
        blocks = [(n, c) for n, c in self.cells.items() if c["type"] in ("DP16KD", "MULT18X18D")]
        for _, cell in blocks:
            if cell["type"] == "MULT18X18D":
                self._outputs(cell, [f"P{i}" for i in range(36)], _product)
            else:
                for data, clock in _read_ports(cell):
                    pins = [f"DO{letter}{i}" for letter in data for i in range(18)]
                    self._outputs(cell, pins, _OutputRegister(data, clock))
        for name, cell in blocks:
            if cell["type"] == "MULT18X18D":
                self._inputs(name, cell)
        return before - len(self.cells)

    def _outputs(self, cell: Cell, pins: Iterable[str], use: Any) -> None:
        """If each used pin feeds one flip-flop only, all of one control: moves these."""
        flops: dict[str, str] = {}
        for pin in pins:
            users = self.loads.get(bit_of(cell, pin), [])
            if not users:
                continue
            if len(users) > 1 or not self._is_flop(*users[0]):
                return
            flops[pin] = users[0][0]
        control = self._control(flops.values())
        if control and use(cell, control):
            for pin, name in flops.items():
                flop = self.cells.pop(name)
                cell["connections"][pin] = flop["connections"]["Q"]

    def _inputs(self, name: str, cell: Cell) -> None:
        """Moves both input registers, if each bit is constant or from a flip-flop of one control.

        Both operands or none: with one register alone, nextpnr counts the whole delay of the
        product before it. The register of a constant operand is always enabled; the first product
        is 0 as before. Beside an operand that begins with 0 under the same enable, the other one
        may begin with anything, and flip-flops that are set or reset under that enable get a LUT
        for this: yosys makes such of the columns of a ROM.
        """
        operands = {operand: self._drivers(cell, operand) for operand in "AB"}
        controls = {
            o: self._control(drivers.values()) for o, drivers in operands.items() if drivers
        }
        for operand, other in ("AB", "BA"):
            plain = controls.get(other)
            if plain and not controls.get(operand) and operands[operand]:
                under = all(self._under(flop, plain) for flop in operands[operand].values())
                controls[operand] = plain if under else None
        first = next(iter(controls.values()), None)
        if not first or not all(
            c and c.clock == first.clock and _fits(cell, c) for c in controls.values()
        ):
            return
        always = replace(first, enable="1")
        for operand, drivers in operands.items():
            _clock(cell, f"INPUT{operand}", controls.get(operand) or always)
            for pin, flop in drivers.items():
                self._bypass(name, cell, pin, flop)

    def _drivers(self, cell: Cell, operand: str) -> dict[str, str]:
        """The cells that drive an operand, by pin; an input of the module has none."""
        bits = {pin: bit_of(cell, pin) for pin in (f"{operand}{i}" for i in range(18))}
        return {p: self.driver.get(bit, "") for p, bit in bits.items() if bit not in CONSTANTS}

    def _bypass(self, name: str, cell: Cell, pin: str, flop: str) -> None:
        """Connects a pin to the input of a flip-flop, which is deleted with its last load."""
        old, new = bit_of(cell, pin), self._next(flop)
        cell["connections"][pin] = [new]
        self.loads[old].remove((name, pin))
        self.loads[new].append((name, pin))
        if not self.loads[old]:
            gone = self.cells.pop(flop)
            for port in ("DI", "LSR"):
                if (flop, port) in self.loads[bit_of(gone, port)]:
                    self.loads[bit_of(gone, port)].remove((flop, port))

    def _under(self, name: str, control: _Control) -> bool:
        """Whether a cell is a flip-flop of `control`, set or reset only while that enables it."""
        flop = self.cells.get(name, {})
        if flop.get("type") != "TRELLIS_FF" or flop["parameters"].get("SRMODE") == "ASYNC":
            return False
        enable = _enable(flop)
        inverted = flop["parameters"].get("LSRMUX", "LSR") != "LSR"
        if inverted or enable is None or _control_of(flop, enable) != control:
            return False
        reset = bit_of(flop, "LSR")
        return reset in UNUSED or control.enable == "1" or self._implies(reset, control.enable)

    def _implies(self, bit: Bit, enable: Bit) -> bool:
        """Whether `bit` comes from a LUT that has `enable` as an input, and is 0 while that is."""
        lut = self.cells.get(self.driver.get(bit, ""), {})
        if lut.get("type") != "LUT4":
            return False
        table = int(lut["parameters"]["INIT"], 2)
        pins = [k for k, pin in enumerate("ABCD") if bit_of(lut, pin) == enable]
        return any(not any(table >> i & 1 for i in range(16) if not i >> k & 1) for k in pins)

    def _next(self, name: str) -> Bit:
        """What a flip-flop takes when it is enabled: its input, or what a LUT makes of it and of
        its reset."""
        flop = self.cells[name]
        data, reset = bit_of(flop, "DI"), bit_of(flop, "LSR")
        if reset in UNUSED:
            return data
        lut = f"{name}_next"
        if lut in self.cells:  # of another pin
            return bit_of(self.cells[lut], "Z")
        self.free += 1
        table = 0xEEEE if flop["parameters"]["REGSET"] == "SET" else 0x2222
        self.cells[lut] = {
            "hide_name": 1,
            "type": "LUT4",
            "parameters": {"INIT": f"{table:016b}"},
            "attributes": {},
            "port_directions": dict.fromkeys("ABCD", "input") | {"Z": "output"},
            "connections": {"A": [data], "B": [reset], "C": ["0"], "D": ["0"], "Z": [self.free]},
        }
        self.loads[data].append((lut, "A"))
        self.loads[reset].append((lut, "B"))
        return self.free

    def _is_flop(self, name: str, pin: str) -> bool:
        return pin == "DI" and self.cells.get(name, {}).get("type") == "TRELLIS_FF"

    def _control(self, names: Iterable[str]) -> _Control | None:
        """The clock and enable of all these flip-flops; None when they differ or have a reset, or
        one is another cell."""
        cells = [self.cells.get(name, {}) for name in names]
        if any(cell.get("type") != "TRELLIS_FF" for cell in cells):
            return None
        controls = {_flop_control(cell) for cell in cells}
        return controls.pop() if len(controls) == 1 else None


@dataclass(frozen=True)
class _OutputRegister:
    """Output register of a read port of block RAM: letters of its data pins and of its clock."""

    data: str
    clock: str

    def __call__(self, cell: Cell, control: _Control) -> bool:
        inverted = cell["parameters"].get(f"CLK{self.clock}MUX") == "INV"
        if (bit_of(cell, f"CLK{self.clock}"), inverted) != (control.clock, control.inverted):
            return False
        if any(bit_of(cell, f"RST{letter}") not in UNUSED for letter in self.data):
            return False
        cell["connections"][f"OCE{self.clock}"] = [control.enable]
        for letter in self.data:
            cell["parameters"][f"REGMODE_{letter}"] = "OUTREG"
        return True


def _read_ports(cell: Cell) -> tuple[tuple[str, str], ...]:
    if int(cell["parameters"]["DATA_WIDTH_A"], 2) == 36:  # port B reads 36 bits, A writes
        return (("AB", "B"),)
    return ("A", "A"), ("B", "B")


def _product(cell: Cell, control: _Control) -> bool:
    return _clock(cell, "OUTPUT", control)


_ENABLES = {"OUTPUT": 0, "INPUTA": 1, "INPUTB": 2}


def _fits(cell: Cell, control: _Control) -> bool:
    """Whether a multiplier can have such a register: its registers share one clock."""
    return not control.inverted and bit_of(cell, "CLK0") in ("x", control.clock)


def _clock(cell: Cell, register: str, control: _Control) -> bool:
    """Enables a register of a multiplier; returns whether that is possible."""
    if not _fits(cell, control):
        return False
    n = _ENABLES[register]
    for pin, bit in (("CLK0", control.clock), (f"CE{n}", control.enable), ("RST0", "0")):
        cell["connections"][pin] = [bit]
        cell["port_directions"][pin] = "input"
    cell["parameters"] |= {
        f"REG_{register}_CLK": "CLK0",
        f"REG_{register}_CE": f"CE{n}",
        f"REG_{register}_RST": "RST0",
        "GSR": "DISABLED",
    }
    return True


def _enable(flop: Cell) -> Bit | None:
    """The enable of a flip-flop; None where it is inverted."""
    mux = flop["parameters"].get("CEMUX", "1").strip()
    return {"1": "1", "CE": bit_of(flop, "CE")}.get(mux)


def _control_of(flop: Cell, enable: Bit) -> _Control:
    return _Control(bit_of(flop, "CLK"), flop["parameters"].get("CLKMUX") == "INV", enable)


def _flop_control(flop: Cell) -> _Control | None:
    parameters, enable = flop["parameters"], _enable(flop)
    reset = bit_of(flop, "LSR") not in UNUSED or parameters.get("LSRMUX", "LSR") != "LSR"
    starts_at_0 = parameters.get("REGSET", "RESET") == "RESET"
    if reset or not starts_at_0 or enable is None or bit_of(flop, "M") != "x":
        return None
    return _control_of(flop, enable)
