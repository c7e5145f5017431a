"""What runs inside the simulator: the clock, until the harness says that it is done.

Leaves the wall-clock seconds of the run, without start-up, in the file `seconds`; meanwhile the
file `beat`, touched every CYCLES, shows that the simulator is alive (sim.bench.runners).
"""

from __future__ import annotations

import time
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject, LogicObject
from cocotb.triggers import ClockCycles, First, RisingEdge

CYCLES = 1024


@cocotb.test()
async def run(bench: HierarchyObject) -> None:
    """Clock `bench` until its `done` rises; the harness has a time-out of its own."""
    start = time.perf_counter()
    clk, done = bench.clk, bench.done
    assert isinstance(clk, LogicObject)
    assert isinstance(done, LogicObject)
    Clock(clk, 2, "ns", impl="gpi").start()
    while str(done.value) != "1":  # x before the first clock
        Path("beat").touch()
        await First(RisingEdge(done), ClockCycles(clk, CYCLES))
    await ClockCycles(clk, 2)  # for the probes to note how it ended
    Path("seconds").write_text(str(time.perf_counter() - start), encoding="utf-8")
