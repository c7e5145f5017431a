"""From a plan to an accelerator, and to Verilog that is the same on every run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen.engine import module_name
from gen.engine.assemble import Assembly, Edge, assemble
from gen.engine.header import header
from gen.engine.module_name import TOP
from gen.engine.module_notes import notes
from gen.engine.plan_check import check_plan
from gen.plan.lower import lower
from gen.plan.plan import Plan
from gen.support.errors import PlanError
from gen.support.verilog import verilog
from model.spec import Network
from model.store import content_hash


@dataclass(frozen=True)
class LayerProbe:
    """A layer's output, in the top module as wires `<prefix>_valid`, `_ready` and `_payload`.

    node: the network node whose values it carries, `lanes` channels a word, each `bits` wide.
    """

    node: str
    prefix: str
    lanes: int
    bits: int
    signed: bool


@dataclass(frozen=True)
class Accelerator:
    """Generated hardware of one network: Verilog text, and what a test bench must know of it.

    bytes_in, bytes_out: of an image and of its answer. word_in, word_out: bytes of a word at the
    ports. cycles_latency: of one image, as planned. header: comment that says how to use the
    module; it is delivered, and neither hashed nor built.
    """

    verilog: str
    top: str
    network_hash: str
    plan_hash: str
    bytes_in: int
    bytes_out: int
    cycles_latency: int
    probes: tuple[LayerProbe, ...]
    word_in: int = 1
    word_out: int = 1
    header: str = ""

    @property
    def hash(self) -> str:
        """Content hash of the Verilog."""
        return hashlib.sha256(self.verilog.encode()).hexdigest()


class Top(wiring.Component):
    """All blocks of a network behind AXI-Stream ports of whole bytes, one unless planned wider.

    An image is height·width·channels bytes, one value a byte, channels innermost; the answer is a
    frame of scores and the winning class, see rtl.classifier_output. A word holds the first byte in
    its lowest bits. Images are counted, `s_axis_tlast` is accepted but not needed. `rst` is
    synchronous.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        super().__init__(
            {
                "clk": In(1),
                "rst": In(1),
                "s_axis_tdata": In(8 * assembly.word_in),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(8 * assembly.word_out),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.clk), ResetSignal().eq(self.rst)]
        units: dict[str, wiring.Component] = {}
        for block in self.assembly.blocks:
            units[block.name] = block.description.component()
            m.submodules[block.name] = units[block.name]
        for block in self.assembly.blocks:
            for port, edge in block.sources.items():
                self._wire(m, units, edge, getattr(units[block.name], port))
        head = units[self.assembly.blocks[-1].name].o
        serial = self.assembly.word_out == 1
        m.d.comb += [
            self.m_axis_tdata.eq(head.payload.data if serial else head.payload),
            self.m_axis_tlast.eq(head.payload.last if serial else 1),
            self.m_axis_tvalid.eq(head.valid),
            head.ready.eq(self.m_axis_tready),
        ]
        for name, edge in self.assembly.layers.items():
            if edge.block:
                self._probe(m, name, getattr(units[edge.block], edge.port))
        return m

    def _wire(self, m: Module, units: dict[str, wiring.Component], edge: Edge, port: Any) -> None:
        if not edge.block:
            bits = edge.shape.width
            values = [self.s_axis_tdata.word_select(k, 8)[:bits] for k in range(edge.lanes)]
            m.d.comb += [
                port.payload.eq(Cat(*values)),
                port.valid.eq(self.s_axis_tvalid),
                self.s_axis_tready.eq(port.ready),
            ]
            return
        wiring.connect(m, getattr(units[edge.block], edge.port), port)

    def _probe(self, m: Module, name: str, port: Any) -> None:
        width = len(port.payload.as_value())
        for part, value in (
            ("valid", port.valid),
            ("ready", port.ready),
            ("payload", port.payload),
        ):
            wire = Signal(width if part == "payload" else 1, name=f"{name}_{part}")
            m.d.comb += wire.eq(value)


def answers(scores: np.ndarray, bytes_out: int) -> np.ndarray:
    """What an accelerator sends for integer `scores` (N, classes): bytes (N, bytes_out).

    As rtl.classifier_output does: scores in little-endian two's complement, the index of the first
    largest.
    """
    size, rest = divmod(bytes_out - 1, scores.shape[1])
    if rest or size < 1:
        raise ValueError(f"{bytes_out} bytes a frame: must be {scores.shape[1]} scores and a byte")
    parts = (scores[:, :, None] >> (8 * np.arange(size))) & 0xFF
    return np.concatenate([parts.reshape(len(scores), -1), scores.argmax(1)[:, None]], 1)


def elaborate(network: Network, plan: Plan, *, top: str = TOP) -> Accelerator:
    """The accelerator of `network` folded as `plan` says, as module `top`.

    Names of modules inside it begin with `top`, so that two of them live in one design. Raises
    PlanError when network and plan do not belong together, RequestError for a name that Verilog
    does not allow.
    """
    module_name.checked(top)
    digest = content_hash(network)
    if plan.network_hash != digest:
        raise PlanError(
            f"the plan was made for network {plan.network_hash[:12]}, this one is {digest[:12]}; "
            "compile the network again"
        )
    layers = lower(network)
    check_plan(plan, layers)
    folds = {s.name: s.fold for s in plan.stages}
    assembly = assemble(layers, folds, plan.fifos)
    return Accelerator(
        verilog=verilog(Top(assembly), top, notes(plan, assembly)),
        top=top,
        network_hash=digest,
        plan_hash=plan.hash,
        bytes_in=assembly.bytes_in,
        bytes_out=assembly.bytes_out,
        cycles_latency=plan.cycles_latency,
        probes=tuple(
            LayerProbe(name, name, e.lanes, e.shape.width, e.shape.signed)
            for name, e in assembly.layers.items()
            if e.block
        ),
        word_in=assembly.word_in,
        word_out=assembly.word_out,
        header=header(network, plan, assembly, top=top),
    )
