# amaranth: UnusedElaboratable=no
"""Our models of Gowin's block RAM and multipliers: a netlist with them does what Amaranth says."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gen.flow.synth import synthesise
from gen.recover import recover
from gen.support.cache import Cache
from gen.support.devices import device
from gen.support.verilog import verilog
from sim.verify.levels import with_models
from tests.support.netlist_bench import need_icarus

CYCLES = 3000
TARGET = device("tang-nano-9k")


class Ram(wiring.Component):
    """A memory whose ports are all pins. ports: "r" reads, "w" writes, "rw" does both at one
    address; mode: whether the last reads what it writes ("new"), what was there ("old"), nothing.
    """

    def __init__(self, width: int, depth: int, *ports: str, mode: str = "old", byte: int = 0):
        self.width, self.depth, self.ports, self.mode, self.byte = width, depth, ports, mode, byte
        self.lanes = width // byte if byte else 1
        pins = {"clk": In(1)}
        for i, port in enumerate(ports):
            pins |= {f"at{i}": In(range(depth)), f"en{i}": In(1)}
            if "r" in port:
                pins[f"q{i}"] = Out(width)
            if "w" in port:
                pins |= {f"d{i}": In(width), f"we{i}": In(self.lanes)}
        super().__init__(pins)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        rng = random.Random(self.width)
        words = [rng.getrandbits(self.width) for _ in range(self.depth)]
        m.submodules.memory = memory = Memory(shape=self.width, depth=self.depth, init=words)
        for i, port in enumerate(self.ports):
            at, en = getattr(self, f"at{i}"), getattr(self, f"en{i}")
            writes: tuple[Any, ...] = ()
            if "w" in port:
                w = memory.write_port(granularity=self.byte or None)
                writing = getattr(self, f"we{i}")
                m.d.comb += [w.addr.eq(at), w.data.eq(getattr(self, f"d{i}"))]
                m.d.comb += w.en.eq(writing & en.replicate(self.lanes))
                writes = (w,) if self.mode == "new" else ()
            if "r" in port:
                r = memory.read_port(transparent_for=writes)
                nothing = port == "rw" and self.mode == "nothing"
                m.d.comb += [r.addr.eq(at), getattr(self, f"q{i}").eq(r.data)]
                m.d.comb += r.en.eq(en & ~writing.any() if nothing else en)
        return m


class Product(wiring.Component):
    """A product of two inputs."""

    def __init__(self, a: int, b: int, *, is_signed: bool):
        shape = signed if is_signed else unsigned
        super().__init__({"a": In(shape(a)), "b": In(shape(b)), "p": Out(shape(a + b))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.p.eq(self.a * self.b)
        return m


@dataclass(frozen=True)
class Pins:
    """Names and widths of a module's ports."""

    inputs: dict[str, int]
    outputs: dict[str, int]


def pins(component: wiring.Component) -> Pins:
    ports: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for path, member, value in component.signature.flatten(component):
        ports[member.flow is In]["__".join(map(str, path))] = len(Signal.cast(value))
    return Pins(ports[True], ports[False])


def bench(ports: Pins, depth: int) -> str:
    """Random inputs for both modules, every other address one of four. What was never read is not
    compared.
    """
    width = {n: w - 1 for n, w in (ports.inputs | ports.outputs).items()}
    regs = [f"reg [{width[n]}:0] {n} = 0;" for n in ports.inputs]
    wires = [f"wire [{width[n]}:0] a_{n}, b_{n};" for n in ports.outputs]
    inputs = ", ".join(f".{n}({n})" for n in ports.inputs)
    links = {
        side: ", ".join([inputs, *(f".{n}({side}_{n})" for n in ports.outputs)]) for side in "ab"
    }
    draws = [
        f"{n} = {{$random, $random, $random}};"
        + (f" if (n[8]) {n} = {n} & 3; {n} = {n} % {depth};" if n.startswith("at") else "")
        for n in ports.inputs
        if n != "clk"
    ]
    differs = " || ".join(f"a_{n} !== b_{n}" for n in ports.outputs)
    clock = ("#5 clk = 1;", "#5 clk = 0;") if "clk" in ports.inputs else ("#5;", "#5;")
    return f"""
module bench;
  {" ".join(regs)} {" ".join(wires)}
  integer n, wrong = 0;
  rtl left({links["a"]});
  top right({links["b"]});
  initial begin
    for (n = 0; n < {CYCLES}; n = n + 1) begin
      {" ".join(draws)}
      {clock[0]} #4 if (n > 20 && ({differs})) wrong = wrong + 1; #1 {clock[1]}
    end
    $display("wrong %0d", wrong);
    $finish;
  end
endmodule
"""


def differences(component: wiring.Component, block: str, folder: Path, broken: str = "") -> int:
    """Cycles in which the netlist of `component`, which must have a `block`, differs from it."""
    need_icarus()
    text, cache = verilog(component, "top"), Cache(folder)
    recovered = recover.netlist(synthesise(text, "top", TARGET, cache=cache), TARGET, cache=cache)
    assert block in recovered.blocks
    models = with_models(recovered)
    if broken:
        before, after = broken.split(" -> ")
        assert before in models
        models = models.replace(before, after)
    rtl = re.sub(r"\btop\b", "rtl", text)
    depth = getattr(component, "depth", 1)
    (folder / "all.v").write_text("\n".join([bench(pins(component), depth), rtl, models]))
    command = ["iverilog", "-g2012", "-sbench", f"-o{folder / 'a'}", str(folder / "all.v")]
    subprocess.run(command, check=True, capture_output=True)
    out = subprocess.run(["vvp", folder / "a"], check=True, capture_output=True, text=True).stdout
    return int(out.split("wrong ")[1].split()[0])


MEMORIES = {
    "SP 1": ("SP", Ram(1, 8192, "r")),
    "SP 4": ("SP", Ram(4, 4096, "r")),
    "SPX9 9": ("SPX9", Ram(9, 2048, "r")),
    "SPX9 18": ("SPX9", Ram(18, 1024, "r")),
    "SPX9 36": ("SPX9", Ram(36, 300, "r")),
    "SPX9 new": ("SPX9", Ram(18, 1024, "rw", mode="new")),
    "SPX9 old": ("SPX9", Ram(18, 1024, "rw", mode="old")),
    "SPX9 nothing": ("SPX9", Ram(36, 512, "rw", mode="nothing")),
    "SPX9 bytes": ("SPX9", Ram(36, 512, "rw", mode="nothing", byte=9)),
    "DPB 2": ("DPB", Ram(2, 8192, "r", "w")),
    "DPB 4 written": ("DPB", Ram(4, 4096, "r", "w")),
    "DPX9B 9": ("DPX9B", Ram(9, 2048, "r", "w")),
    "DPX9B 18 written": ("DPX9B", Ram(18, 700, "r", "w")),
    "SDPX9B 36": ("SDPX9B", Ram(36, 512, "r", "w")),
    "SDPX9B bytes": ("SDPX9B", Ram(36, 512, "r", "w", byte=9)),
    "DPB 4": ("DPB", Ram(4, 4096, "r", "r")),
    "DPX9B 18": ("DPX9B", Ram(18, 1024, "r", "r")),
    "DPX9B new": ("DPX9B", Ram(18, 1024, "rw", "r", mode="new")),
}


@pytest.mark.slow(sample=6)
@pytest.mark.parametrize("name", MEMORIES)
def test_memory(name: str, tmp_path: Path) -> None:
    block, component = MEMORIES[name]
    assert differences(component, block, tmp_path) == 0


@pytest.mark.slow(sample=3)
@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize(("bits", "block"), [(8, "MULT9X9"), (16, "MULT18X18"), (33, "MULT36X36")])
def test_product(bits: int, block: str, is_signed: bool, tmp_path: Path) -> None:
    component = Product(bits, bits - 2, is_signed=is_signed)
    assert differences(component, block, tmp_path) == 0


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("SPX9 nothing", "MODE_A != 0 -> MODE_A != 3"),
        ("SPX9 bytes", "k < width / 8 && a[k] -> k < width / 8"),
        ("DPB 4", "(a[2:0] & ~(width - 1)) -> 0"),
        ("DPX9B 18", "a[4] * 2 * BYTE -> 0"),
    ],
)
def test_a_broken_model_is_found_out(name: str, broken: str, tmp_path: Path) -> None:
    block, component = MEMORIES[name]
    assert differences(component, block, tmp_path, broken) > 0
