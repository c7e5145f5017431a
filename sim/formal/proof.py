"""Proofs: a claim about a component, for all inputs, by yosys' SAT solver and abc's PDR.

Both come with pyosys. A `Property` is a component whose output `holds` is to be 1 while its output
`given` has been 1 in every cycle; its inputs are free. Ways to prove one:

    holds_after   from every state, reachable or not, some cycles later: pipelines
    holds_always  from reset, in every cycle for ever (property directed reachability): streams
    holds_until   from reset, in each of some cycles: what neither of them can decide
    stands_still  no register changes while an enable is low: the pattern of the enable is no matter
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Module, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen.support import tools
from gen.support.cache import Cache

TIMEOUT = 300.0
"""Seconds for one proof."""
CACHE = Cache(Path("build/formal"))
"""Proofs done before; a proof is known by its netlist, its question and the version of yosys."""
Trace = tuple[Mapping[str, int], ...]
_Answer = Callable[[Path], Trace | None]

_READ = (
    *("read_rtlil top.il", "proc -norom", "pmuxtree", "flatten", "memory_map"),
    "setundef -undriven -anyseq",  # what nothing drives may be anything, before x is taken for 0
)
_PLAIN = ("opt", "dffunmap", "opt_clean", "setundef -undriven -anyseq")
# not before `opt`, which takes a register that only keeps its unknown value for x
_FREE = ("setattr -unset init w:*",)
_AIGER = (
    *("simplemap", "techmap", "opt_clean", "aigmap", "opt_clean"),
    "write_aiger -zinit top.aig",
)
_REGISTERS = "t:*dff* %x:+[Q] w:* %i"


class Property(wiring.Component):
    """A claim; `elaborate` makes it and has the component that it is about for a submodule.

    members : free inputs by name
    holds : the claim, in each cycle
    given : what it takes for granted, in each cycle; 1 if nothing
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__({"holds": Out(1), "given": Out(1), **members})


@dataclass(frozen=True)
class Verdict:
    """trace: inputs and outputs in each cycle up to the one in which the claim is wrong."""

    proven: bool
    seconds: float
    trace: Trace = ()
    where: str = ""

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
        return "\n".join([f"wrong, {self.where}", *lines])


def holds_after(
    claim: Property, cycles: int, *, timeout: float = TIMEOUT, cache: Cache = CACHE
) -> Verdict:
    """Whether `claim` holds `cycles` cycles after every state, for all inputs until then.

    Raises ToolError when it is not decided within `timeout` seconds.
    """
    passes = (*_READ, *_PLAIN, *_FREE)
    asked = f"-prove-skip {cycles} -prove wrong 0"

    def answer(folder: Path) -> Trace | None:
        return _sat(claim, folder, passes, asked, cycles + 1, timeout)

    question = (*passes, asked)
    return _verdict(_rtlil(claim), question, answer, f"{cycles} cycles after some state", cache)


def holds_until(
    claim: Property, cycles: int, *, skip: int = 0, timeout: float = TIMEOUT, cache: Cache = CACHE
) -> Verdict:
    """Whether `claim` holds in the first `cycles` cycles after reset, for all inputs.

    skip: so many of them, the first, are not asked about.

    Raises ToolError when it is not decided within `timeout` seconds.
    """
    passes = (*_READ, *_PLAIN)
    asked = f"-prove-skip {skip} -prove wrong 0"

    def answer(folder: Path) -> Trace | None:
        return _sat(claim, folder, passes, asked, cycles, timeout)

    question = (*passes, asked, f"{cycles} cycles")
    return _verdict(_rtlil(claim), question, answer, f"within {cycles} cycles of reset", cache)


def holds_always(claim: Property, *, timeout: float = TIMEOUT, cache: Cache = CACHE) -> Verdict:
    """Whether `claim` holds in every cycle after reset for all inputs, without a bound.

    Raises ToolError when it is not decided within `timeout` seconds.
    """
    passes = (*_READ, *_PLAIN)

    def answer(folder: Path) -> Trace | None:
        _yosys(folder, [*passes, *_AIGER], timeout)
        frame = _pdr(folder, timeout)
        if frame is None:
            return None
        asked = f"-prove-skip {frame} -prove wrong 0"
        return _sat(claim, folder, passes, asked, frame + 1, timeout) or ()

    return _verdict(_rtlil(claim), (*passes, *_AIGER), answer, "after reset", cache)


def stands_still(
    component: wiring.Component, enable: str = "en", *, cache: Cache = CACHE
) -> Verdict:
    """Whether no register of `component` ever changes while its port `enable` is low.

    Optimisation removes a register that can only keep its value; any that stays may change.
    """
    # kept, or a register that reaches no output would be cleaned away and escape
    keep = f"setattr -set keep 1 {_REGISTERS}"
    simple = ("opt_expr", "opt_clean", "opt_dff")
    passes = (*_READ, *_FREE, keep, *simple, *simple, f"select -write left {_REGISTERS}")

    def answer(folder: Path) -> Trace | None:
        _yosys(folder, passes, TIMEOUT)
        left = (line.partition("/")[2] for line in (folder / "left").read_text().split())
        return tuple({name: 1} for name in sorted(left)) or None

    return _verdict(_rtlil(component, low=enable), passes, answer, f"{enable} low", cache)


class _Top(wiring.Component):
    """A component with a clock, no reset, and its ports free, but for one input that may be low.

    wrong : of a claim, that it does not hold although what it takes for granted always was given.
    """

    def __init__(self, component: wiring.Component, low: str = "") -> None:
        self.component, self.low = component, low
        inner = ("holds", "given") if isinstance(component, Property) else ()
        self.ports = {n: p for n, p in component.signature.members.items() if n not in inner}
        super().__init__({"clk": In(1), "wrong": Out(1), **self.ports})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain("sync", reset_less=True)
        m.d.comb += domain.clk.eq(self.clk)
        m.submodules.component = component = self.component
        for name, port in self.ports.items():
            inner, outer = getattr(component, name), getattr(self, name)
            if port.flow == Out:
                m.d.comb += outer.eq(inner)
            elif name != self.low:
                m.d.comb += inner.eq(outer)
        if isinstance(component, Property):
            always = Signal(init=1)
            m.d.sync += always.eq(always & component.given)
            m.d.comb += self.wrong.eq(always & component.given & ~component.holds)
        return m


def _rtlil(component: wiring.Component, low: str = "") -> str:
    text: str = rtlil.convert(_Top(component, low), name="top", emit_src=False)
    return text


def _verdict(
    text: str, question: Sequence[str], answer: _Answer, where: str, cache: Cache
) -> Verdict:
    """What `answer` finds out about the netlist `text`: a trace that is wrong, or None."""

    def make(folder: Path) -> float:
        start = time.monotonic()
        (folder / "top.il").write_text(text)
        trace = answer(folder)
        (folder / "trace.json").write_text(json.dumps(trace))
        return time.monotonic() - start

    inputs = {"rtlil": text, "question": question, "yosys": tools.version("yosys")}
    entry = cache.step("proof", inputs, make)
    trace = json.loads((entry.folder / "trace.json").read_text())
    return Verdict(trace is None, entry.seconds, tuple(trace or ()), where)


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
    command = f"sat -seq {cycles} {asked} -show-ports -dump_json waves.json top"
    said = _yosys(folder, [*passes, command], timeout)
    if "no model found: SUCCESS" in said:
        return None
    if "model found: FAIL" not in said:
        raise RuntimeError(f"formal: sat said neither yes nor no: {tools.reason(said)}")
    return _trace(json.loads((folder / "waves.json").read_text()), cycles, claim)


def _trace(waves: Mapping[str, Any], cycles: int, claim: Property) -> Trace:
    """Values in each cycle, from the waves that yosys writes: `.` repeats, = takes the next."""
    steps: list[dict[str, int]] = [{} for _ in range(cycles)]
    ports = claim.signature.members.keys()
    for signal in (s for s in waves["signal"] if s["name"] in ports):
        name, data = signal["name"], iter(signal.get("data", ()))
        bits = ""
        before = len(signal["wave"]) - cycles  # 1 if there is a column for the start, else 0
        for cycle, mark in enumerate(signal["wave"], -before):
            if mark != ".":
                bits = next(data) if "data" in signal else mark
            if cycle >= 0:
                steps[cycle][name] = _number(bits, claim, name)
    return tuple(steps)


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
    if frame := re.search(r"was asserted in frame (\d+)", said):
        return int(frame[1])
    raise tools.ToolError("formal", "abc", f"undecided after {timeout:g} s", log)
