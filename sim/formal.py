"""Proofs: a claim about a component, for all inputs, by yosys' SAT solver and abc's PDR.

Both come with pyosys. A `Property` is a component whose output `holds` is to be 1 while its output
`given` has been 1 in every cycle; its inputs are free. Three ways to prove one:

    holds_after   from every state, reachable or not, `cycles` cycles later: pipelines
    holds_always  from reset, in every cycle for ever (property directed reachability): streams
    stands_still  no register changes while an enable is low: the pattern of the enable is no matter
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Module, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen import tools

TIMEOUT = 300.0
"""Seconds for one proof."""
Trace = tuple[Mapping[str, int], ...]

_READ = ("read_rtlil top.il", "proc -norom", "pmuxtree", "flatten", "memory_map")
_FREE = ("setattr -unset init w:*",)
_PLAIN = ("opt -full", "dffunmap", "opt_clean")


class Property(wiring.Component):
    """A claim. members: its free inputs by name. `build` is given a module with a clock.

    holds : the claim, in each cycle
    given : what it takes for granted, in each cycle
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__({"clk": In(1), "holds": Out(1), "given": Out(1, init=1), **members})

    def build(self, m: Module) -> None:
        """Add the component and the claim to `m`."""
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # no reset: registers start with their first values, or with any
        m.domains.sync = domain = ClockDomain(reset_less=True)
        m.d.comb += domain.clk.eq(self.clk)
        self.build(m)
        return m


@dataclass(frozen=True)
class Verdict:
    """trace: inputs and outputs in each cycle up to the one in which the claim is wrong."""

    proven: bool
    seconds: float
    trace: Trace = ()
    reason: str = ""

    def __bool__(self) -> bool:
        return self.proven

    def __str__(self) -> str:
        if self.proven:
            return f"proven in {self.seconds:.1f} s"
        cycles = (
            " ".join(f"{name}={value}" for name, value in sorted(cycle.items()))
            for cycle in self.trace
        )
        lines = (f"  cycle {n}: {text}" for n, text in enumerate(cycles))
        return "\n".join([f"wrong: {self.reason}", *lines])


def holds_after(claim: Property, cycles: int, *, timeout: float = TIMEOUT) -> Verdict:
    """Whether `claim` holds `cycles` cycles after every state, for all inputs until then.

    Raises ToolError when it is not decided within `timeout` seconds.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shiftadd-") as name:
        folder = Path(name)
        _convert(claim, folder)
        passes = [*_READ, *_FREE, *_PLAIN]
        asked = f"-prove-skip {cycles} -prove holds 1 -set given 1"
        trace = _sat(claim, folder, passes, asked, cycles + 1, timeout)
    seconds = time.monotonic() - start
    return Verdict(trace is None, seconds, trace or (), f"in cycle {cycles} after some state")


def holds_always(claim: Property, *, timeout: float = TIMEOUT) -> Verdict:
    """Whether `claim` holds in every cycle after reset for all inputs, without a bound.

    Raises ToolError when it is not decided within `timeout` seconds.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shiftadd-") as name:
        folder = Path(name)
        watch = _Watch(claim)
        _convert(watch, folder)
        passes = [*_READ, *_PLAIN]
        blast = ["simplemap", "techmap", "opt", "aigmap", "opt_clean", "write_aiger -zinit top.aig"]
        _yosys(folder, [*passes, *blast], timeout)
        frame = _pdr(folder, timeout)
        seconds = time.monotonic() - start
        if frame is None:
            return Verdict(True, seconds)
        trace = _sat(
            watch, folder, passes, f"-prove-skip {frame} -prove wrong 0", frame + 1, timeout
        )
    return Verdict(False, seconds, trace or (), f"in cycle {frame} after reset")


def stands_still(component: wiring.Component, enable: str = "en") -> Verdict:
    """Whether no register of `component` ever changes while its port `enable` is low.

    Optimisation removes a register that can only keep its value; any that stays may change.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shiftadd-") as name:
        folder = Path(name)
        _convert(_Tied(component, enable), folder)
        registers = "t:*dff* %x:+[Q] w:* %i"
        # kept, or a register that reaches no output would be cleaned away and escape
        keep = f"setattr -set keep 1 {registers}"
        simple = ("opt_expr", "opt_clean", "opt_dff")
        passes = [*_READ, *_FREE, keep, *simple, *simple, f"select -write left {registers}"]
        _yosys(folder, passes, TIMEOUT)
        left = sorted(line.partition("/")[2] for line in (folder / "left").read_text().split())
    seconds = time.monotonic() - start
    return Verdict(not left, seconds, reason=f"may change while {enable} is low: {', '.join(left)}")


class _Watch(Property):
    """`wrong`: a claim does not hold although what it takes for granted always was."""

    def __init__(self, claim: Property) -> None:
        self.claim = claim
        skip = ("clk", "holds", "given")
        self.free = {n: f for n, f in claim.signature.members.items() if n not in skip}
        super().__init__({**self.free, "wrong": Out(1)})

    def build(self, m: Module) -> None:
        m.submodules.claim = claim = self.claim
        always = Signal(init=1)
        m.d.sync += always.eq(always & claim.given)
        m.d.comb += [getattr(claim, name).eq(getattr(self, name)) for name in self.free]
        m.d.comb += [claim.clk.eq(self.clk), self.wrong.eq(always & claim.given & ~claim.holds)]


class _Tied(Property):
    """A component with one input held low and the others free."""

    def __init__(self, component: wiring.Component, low: str) -> None:
        self.component, self.low = component, low
        super().__init__(component.signature.members)

    def build(self, m: Module) -> None:
        m.submodules.component = component = self.component
        for name, member in component.signature.members.items():
            inner, outer = getattr(component, name), getattr(self, name)
            if name == self.low:
                m.d.comb += inner.eq(0)
            else:
                m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)


def _convert(component: wiring.Component, folder: Path) -> None:
    (folder / "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))


def _yosys(folder: Path, passes: Sequence[str], timeout: float) -> str:
    (folder / "script.ys").write_text("\n".join(passes) + "\n")
    log = folder / "yosys.log"
    tools.run("yosys", ["script.ys"], step="formal", folder=folder, log=log, timeout=timeout)
    return log.read_text()


def _sat(
    claim: Property,
    folder: Path,
    passes: Sequence[str],
    asked: str,
    cycles: int,
    timeout: float,
) -> Trace | None:
    """Ask the SAT solver about `cycles` cycles; None if nothing goes against the claim."""
    command = f"sat -seq {cycles} {asked} -show-ports -dump_json trace.json top"
    said = _yosys(folder, [*passes, command], timeout)
    if "no model found: SUCCESS" in said:
        return None
    if "model found: FAIL" not in said:
        raise RuntimeError(f"formal: sat said neither yes nor no: {tools.reason(said)}")
    return _trace(json.loads((folder / "trace.json").read_text()), cycles, claim)


def _trace(waves: Mapping[str, Any], cycles: int, claim: Property) -> Trace:
    """Values in each cycle, from the waves that yosys writes: `.` repeats, = takes the next."""
    found: list[dict[str, int]] = [{} for _ in range(cycles)]
    ports = claim.signature.members.keys() - {"clk"}
    for signal in (s for s in waves["signal"] if s["name"] in ports):
        name, data = signal["name"], iter(signal.get("data", ()))
        bits = ""
        before = len(signal["wave"]) - cycles  # 1 if there is a column for the start, else 0
        for cycle, mark in enumerate(signal["wave"], -before):
            if mark != ".":
                bits = next(data) if "data" in signal else mark
            if cycle >= 0:
                found[cycle][name] = _number(bits, claim, name)
    return tuple(found)


def _number(bits: str, claim: Property, name: str) -> int:
    value = int(bits, 2)
    shape = Shape.cast(claim.signature.members[name].shape)
    return value - (1 << shape.width) if shape.signed and value >> (shape.width - 1) else value


def _pdr(folder: Path, timeout: float) -> int | None:
    """None if abc proves that the output of top.aig is never 1, else a cycle in which it is."""
    log = folder / "abc.log"
    script = f"read top.aig; pdr -T {max(1, int(timeout))}"
    tools.run("abc", ["-c", script], step="formal", folder=folder, log=log, timeout=timeout + 10)
    said = log.read_text()
    if "Property proved." in said:
        return None
    if found := re.search(r"was asserted in frame (\d+)", said):
        return int(found[1])
    raise tools.ToolError("formal", "abc", f"undecided after {timeout:g} s", log)
