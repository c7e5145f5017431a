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
from gen.engine.core_options import PLAIN, CoreOptions
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
from rtl.frame_guard import FrameGuard, words


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
    synchronous. `options` change that; frames: images that a guard lets in at once.
    """

    def __init__(self, assembly: Assembly, options: CoreOptions = PLAIN, frames: int = 3) -> None:
        self.assembly, self.options, self.frames = assembly, options, frames
        words = {"s_axis_tdata": assembly.word_in, "m_axis_tdata": assembly.word_out}
        super().__init__(
            {
                name: (In if way == "input" else Out)(bits * words.get(name, 1))
                for name, way, bits, _ in options.ports
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        reset = getattr(self, self.options.reset)
        m.d.comb += [
            ClockSignal().eq(getattr(self, self.options.clock)),
            ResetSignal().eq(~reset if self.options.axi_names else reset),
        ]
        first, last = self._pins(m)
        if self.options.frame_guard:
            first, last = self._guarded(m, first, last)
        units: dict[str, wiring.Component] = {}
        for block in self.assembly.blocks:
            units[block.name] = block.description.component()
            m.submodules[block.name] = units[block.name]
        for block in self.assembly.blocks:
            for port, edge in block.sources.items():
                sink = getattr(units[block.name], port)
                if edge.block:
                    wiring.connect(m, getattr(units[edge.block], edge.port), sink)
                else:
                    self._feed(m, first, edge, sink)
        head = units[self.assembly.blocks[-1].name].o
        serial = self.assembly.word_out == 1
        m.d.comb += [
            last.payload.data.eq(head.payload.data if serial else head.payload),
            last.payload.last.eq(head.payload.last if serial else 1),
            last.valid.eq(head.valid),
            head.ready.eq(last.ready),
        ]
        for name, edge in self.assembly.layers.items():
            if edge.block:
                self._probe(m, name, getattr(units[edge.block], edge.port))
        return m

    def _pins(self, m: Module) -> tuple[Any, Any]:
        """Streams from and to the pins."""
        i = words(8 * self.assembly.word_in).create(path=("image",))
        o = words(8 * self.assembly.word_out).create(path=("answer",))
        m.d.comb += [
            i.payload.data.eq(self.s_axis_tdata),
            i.payload.last.eq(self.s_axis_tlast),
            i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(i.ready),
            self.m_axis_tdata.eq(o.payload.data),
            self.m_axis_tlast.eq(o.payload.last),
            self.m_axis_tvalid.eq(o.valid),
            o.ready.eq(self.m_axis_tready),
        ]
        return i, o

    def _guarded(self, m: Module, i: Any, o: Any) -> tuple[Any, Any]:
        """Streams from and to a frame guard, which is wired to those of the pins."""
        size = self.assembly
        m.submodules.frame_guard = guard = FrameGuard(
            words=size.bytes_in // size.word_in,
            bits_in=8 * size.word_in,
            bits_out=8 * size.word_out,
            frames=self.frames,
        ).component()
        wiring.connect(m, i, guard.i)
        wiring.connect(m, guard.o, wiring.flipped(o))
        m.d.comb += self.dropped.eq(guard.dropped)
        return guard.to_network, guard.from_network

    def _feed(self, m: Module, first: Any, edge: Edge, sink: Any) -> None:
        """Values of the first words into the block `sink`."""
        bits = edge.shape.width
        values = [first.payload.data.word_select(k, 8)[:bits] for k in range(edge.lanes)]
        m.d.comb += [
            sink.payload.eq(Cat(*values)),
            sink.valid.eq(first.valid),
            first.ready.eq(sink.ready),
        ]

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


def elaborate(
    network: Network, plan: Plan, *, top: str = TOP, options: CoreOptions = PLAIN
) -> Accelerator:
    """The accelerator of `network` folded as `plan` says, as module `top` with the ports of
    `options`.

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
    # as many as can be inside while answers are taken at once, and one that waits
    frames = -(-plan.cycles_latency // max(1, plan.cycles_interval)) + 1
    return Accelerator(
        verilog=verilog(Top(assembly, options, frames), top, notes(plan, assembly)),
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
        header=header(network, plan, assembly, top=top, options=options),
    )
