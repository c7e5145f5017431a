# amaranth: UnusedElaboratable=no
"""The layer engine: window reader, weight memory, processing elements, drain, requantiser.

    i ─► WindowReader ─┬─► PE × SIMD ─► accumulators ─► drain ─► Requantiser ─► o
         weight memory ┘

One pipeline with one enable, a register: it advances unless two finished words wait at the output.
There are no FIFOs inside and no handshake between the stages, so every cycle in which a window is
available does work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from rtl.block import BlockDescription, BlockUnit, Words
from rtl.block_ram import part_rows
from rtl.clamp import clamp, clamped_bits, pays
from rtl.delay import delayed, ram
from rtl.direct import DirectReader, DirectWindow
from rtl.geometry import Geometry
from rtl.pe.element import PE, Multiplier, pe, sums_of
from rtl.shared import Shared
from rtl.stage import Outlet, Requant, requantise
from rtl.window import SlidingWindow, WindowReader
from rtl.wired.unit import Wired, WiredLayer, WiredSums


@dataclass(frozen=True, kw_only=True, eq=False)
class Engine(BlockDescription):
    """What one layer engine is made of, and its timing; `LayerEngine` is the hardware.

    weights: integers (out, kh, kw, in), or (channels, kh, kw, 1) when depthwise, or None for the
    weightless kinds `max` and `sum` of pooling. pe: output channels in parallel; when depthwise,
    the geometry's lanes. out_lanes: channels of one output word; divides pe, and pe / out_lanes
    may not exceed the slots of one sum. multiplier: what multiplies in the elements, but for the
    last logic_pe of the PE, which are made of LUTs; `packed` are two PE an element. staged: of the
    elements, see rtl.pe.element.PE. weight_style, line_buffer_style: where weights and activations
    are kept, see rtl.delay.ram. wired: in place of weights, elements and requantiser, a graph whose
    weights are wiring: a whole window a cycle.
    """

    kind: str
    geometry: Geometry
    weights: np.ndarray | None
    w_bits: int
    w_signed: bool = True
    x_bits: int
    x_signed: bool
    acc_bits: int
    pe: int
    out_lanes: int
    requant: Requant | None
    multiplier: Multiplier = "dsp"
    logic_pe: int = 0
    staged: bool = False
    weight_style: str = "block"
    line_buffer_style: str = "block"
    wired: WiredSums | WiredLayer | None = None

    def __post_init__(self) -> None:
        g = self.geometry
        if self.pe % self.out_lanes or self.pe // self.out_lanes > g.slots_per_sum:
            raise ValueError(
                f"out_lanes {self.out_lanes} must divide {self.pe} PE, and "
                f"{self.pe}/{self.out_lanes} words must leave within the "
                f"{g.slots_per_sum} cycles of one sum"
            )
        if self.multiplier == "packed" and (g.depthwise or (self.pe - self.logic_pe) % 2):
            raise ValueError(
                "packed: two PE that are not made of LUTs share their inputs, "
                f"which {self.pe - self.logic_pe} PE cannot, nor depthwise ones"
            )
        if g.depthwise and self.pe != g.lanes:
            raise ValueError(f"depthwise: PE must be the {g.lanes} lanes of a word, not {self.pe}")
        inside = self.weights is not None or self.requant is not None
        if self.wired and (inside or g.slots_per_window > 1):
            raise ValueError("a wired layer has its constants inside, and takes a window a cycle")

    @property
    def simd(self) -> int:
        """Inputs of one PE in one cycle."""
        g = self.geometry
        return g.taps * (1 if g.depthwise else g.lanes)

    @property
    def words_per_sum(self) -> int:
        """Output words that leave for one finished sum of all PE."""
        return self.pe // self.out_lanes

    @cached_property
    def latency(self) -> int:
        """Enabled cycles from the issue of a sum's last slot to its first word at the outlet.

        The word leaves `o` in the cycle after, see rtl.stage.Outlet.
        """
        drain = 0 if self.words_per_sum == 1 else 1
        requant = 0
        if self.requant:
            requant = self.requant.unit(lanes=self.out_lanes, x_bits=self.acc_bits).latency
        excess = int(self.lane_bits < self.x_bits)
        return self.window.latency + self.sums_latency + drain + excess + requant

    @cached_property
    def clamped_bits(self) -> int:
        """Bits of an input that is clamped to the range of the weights, see rtl.clamp."""
        if self.weights is None or not pe(self.kind).CLAMPS or self.geometry.depthwise:
            return self.x_bits
        return clamped_bits(self.weights, self.x_bits, self.x_signed)

    @cached_property
    def lane_bits(self) -> int:
        """Bits of an input of the elements: it is clamped where that pays."""
        worth = pays(
            saved=self.x_bits - self.clamped_bits, x_bits=self.x_bits, acc_bits=self.acc_bits,
            simd=self.simd, pe=self.pe, out_lanes=self.out_lanes,
        )  # fmt: skip
        return self.clamped_bits if worth else self.x_bits

    @property
    def sums_latency(self) -> int:
        """Enabled cycles from inputs to the sums that include them."""
        if self.wired:
            return self.wired.latency
        return sums_depth(
            self.kind, simd=self.simd, w_bits=self.w_bits, multiplier=self.multiplier,
            logic_pe=self.logic_pe, registered=self.registered, staged=self.staged,
        )  # fmt: skip

    @property
    def x_shape(self) -> Shape:
        return signed(self.x_bits) if self.x_signed else unsigned(self.x_bits)

    @property
    def out_shape(self) -> Shape:
        if isinstance(self.wired, WiredLayer):
            return self.wired.out_shape
        return self.requant.out_shape if self.requant else self.x_shape

    @property
    def window(self) -> SlidingWindow | DirectWindow:
        """What reads its windows. A row buffer is left out where words are read as they come."""
        if self.geometry.in_order:
            return DirectWindow(geometry=self.geometry, x_shape=self.x_shape)
        return SlidingWindow(
            geometry=self.geometry, x_shape=self.x_shape, style=self.line_buffer_style
        )

    @property
    def registered(self) -> bool:
        """Weights in parts come far, and through a choice: elements register them."""
        return self.weight_style == "parts"

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": Words(self.x_shape, self.geometry.lanes)}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": Words(self.out_shape, self.out_lanes)}

    def component(self) -> LayerEngine:
        return LayerEngine(self)

    def elements(self) -> list[PE]:
        """The processing elements in the order of the PE; one that is packed is two of these."""
        first = (self.pe - self.logic_pe) // sums_of(self.multiplier)
        styles = [self.multiplier] * first + ["lut"] * self.logic_pe
        return [self._element(style) for style in styles]

    def _element(self, multiplier: Multiplier) -> PE:
        return pe(self.kind)(
            simd=self.simd,
            x_bits=self.lane_bits,
            x_signed=self.x_signed,
            w_bits=self.w_bits,
            w_signed=self.w_signed,
            acc_bits=self.acc_bits,
            multiplier=multiplier,
            registered=self.registered,
            symmetric=multiplier == "packed" and symmetric(self.weights, self.w_bits),
            staged=self.staged,
        )

    def weight_words(self) -> list[int]:
        """Contents of the weight memory in the order of reading: one word a slot, PE 0 lowest."""
        assert self.weights is not None
        g, elements = self.geometry, self.elements()
        width = self.simd * self.w_bits
        words = []
        for repeat in range(g.repeats):
            for slot in range(g.slots_per_window // g.repeats):
                taps = g.lanes_of_slot(slot)
                word = p = 0
                for element in elements:
                    rows = [self._row(taps, repeat, p + k) for k in range(element.sums)]
                    word |= element.pack(*rows) << (p * width)
                    p += element.sums
                words.append(word)
        return words

    @cached_property
    def weight_memory(self) -> tuple[list[int], int]:
        """Rows of the weight memory as it is built, and the bits of a row: those of a word or, of a
        memory in parts, of several, the first one lowest."""
        words, width = self.weight_words(), self.pe * self.simd * self.w_bits
        count = len(words)
        rows = part_rows(count, width) if self.weight_style == "parts" else count
        beside = [words[row::rows] for row in range(min(rows, count))]
        packed = [sum(word << k * width for k, word in enumerate(row)) for row in beside]
        return packed, width * len(beside[0])

    @property
    def constant_bits(self) -> int:
        """Bits that are the same in all rows of the weight memory: synthesis leaves them out."""
        rows, width = self.weight_memory
        unlike = reduce(or_, (row ^ rows[0] for row in rows))
        return width - unlike.bit_count()

    def _row(self, taps: list[tuple[int, int, int]], repeat: int, p: int) -> list[int]:
        """Weights that PE p uses for one read."""
        assert self.weights is not None
        if self.geometry.depthwise:
            mine = taps[p :: self.geometry.lanes]
            return [int(self.weights[c, ky, kx, 0]) for ky, kx, c in mine]
        return [int(self.weights[repeat * self.pe + p, ky, kx, c]) for ky, kx, c in taps]


def sums_depth(
    kind: str, *, simd: int, w_bits: int, multiplier: Multiplier, logic_pe: int, registered: bool,
    staged: bool = False,
) -> int:  # fmt: skip
    """Enabled cycles from inputs to the sums of all elements of a layer that is not wired."""
    made = dict.fromkeys([multiplier, "lut"] if logic_pe else [multiplier])
    return max(
        pe(kind).depth(
            simd=simd, w_bits=w_bits, multiplier=by, registered=registered, staged=staged
        )
        for by in made
    )


def symmetric(weights: np.ndarray | None, bits: int) -> bool:
    """Whether none of these weights is the least of so many bits, see rtl.pe.element.PE."""
    return weights is not None and int(weights.min()) > -(1 << (bits - 1))


class LayerEngine(BlockUnit[Engine]):
    """Hardware of an :class:`Engine`.

    Ports
    -----
    i : stream of words of the geometry's lanes
    o : stream of words of `out_lanes` channels

    Protocol
    --------
    `i.ready`, `o.valid` and `o.payload` come from registers. Initiation interval:
    `geometry.cycles`.

    Latency
    -------
    `latency` enabled cycles, and one through the outlet.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        e = self.block
        outlet = Outlet(m, self.o)
        en = outlet.en
        window = e.window.component()
        m.submodules.window = Shared(window)
        wiring.connect(m, wiring.flipped(self.i), window.i)
        m.d.comb += [window.en.eq(en), window.halt.eq(outlet.halt)]
        weights = self._weights(m, window, outlet) if e.weights is not None else None
        if e.wired:
            accs, done = self._wired(m, e.wired, window, en)
        else:
            accs, done = self._elements(m, window, weights, en)
        words, valid = self._drain(m, accs, done, en)
        if e.lane_bits < e.x_bits:
            words, valid = self._less_excess(m, words, valid, done, en)
        if e.requant is None:
            outlet.put(Cat(w[: Shape.cast(e.out_shape).width] for w in words), valid)
        else:
            requantise(m, e.requant, words, valid, outlet)
        return m

    def _weights(self, m: Module, window: WindowReader | DirectReader, outlet: Outlet) -> Value:
        """The weight word of the slot that the window reader gives, in step with it."""
        e, en = self.block, outlet.en
        rows, width = e.weight_memory
        if len(rows) == 1:
            return Const(rows[0], width)
        parts = width // (e.pe * e.simd * e.w_bits)
        m.submodules.weights = rom = Memory(
            shape=unsigned(width), depth=len(rows), init=rows, attrs=ram(e.weight_style)
        )
        read, at = rom.read_port(), Signal(range(e.geometry.slots_per_window))
        # a block's slow output wants a register of its own
        cycles = 1 if e.weight_style == "logic" else 2
        ahead = window.block.latency - cycles
        asked, ends = (delayed(m, flag, ahead, en) for flag in (window.issue, window.ends))
        with m.If(asked & ~outlet.halt):
            m.d.sync += at.eq(Mux(ends, 0, at + 1))
        m.d.comb += [read.addr.eq(at), read.en.eq(en)]
        if cycles == 1:
            return read.data
        word = Signal(width, reset_less=True)
        with m.If(en):
            m.d.sync += word.eq(read.data)
        return self._part(m, word, at[len(read.addr) :], parts, en) if parts > 1 else word

    def _part(self, m: Module, word: Signal, part: Value, parts: int, en: Signal) -> Value:
        """The part of a memory word that `part` named two enabled cycles ago.

        Chosen behind the register, which the block has inside: left to synthesis, the choice would
        lie between the two and cost a third of the clock of an ECP5.
        """
        width = len(word) // parts
        asked = Signal(len(part), reset_less=True)
        chosen = Signal(len(part), reset_less=True)
        with m.If(en):
            m.d.sync += [asked.eq(part), chosen.eq(asked)]
        chosen_part = Signal(width)
        with m.Switch(chosen):
            for k in range(parts):
                with m.Case(k) if k < parts - 1 else m.Default():
                    m.d.comb += chosen_part.eq(word.word_select(k, width))
        return chosen_part

    def _wired(
        self, m: Module, graph: Wired, window: WindowReader | DirectReader, en: Signal
    ) -> tuple[list[Any], Signal]:
        """The same of a graph: its results are the sums, or what these are requantised to."""
        m.submodules.graph = unit = graph.component()
        m.d.comb += [unit.en.eq(en), unit.x.eq(window.x)]
        done = delayed(m, window.valid, graph.latency, en)
        return list(getattr(unit, graph.port)), done

    def _elements(
        self, m: Module, window: WindowReader | DirectReader, weights: Value | None, en: Signal
    ) -> tuple[list[Any], Signal]:
        """Accumulators, and a flag that is high in the cycle in which they hold finished sums."""
        e = self.block
        latency = e.sums_latency
        done = delayed(m, window.valid & window.last, latency, en)
        elements = e.elements()
        restarts = {
            after: delayed(m, window.first, after, en)
            for after in dict.fromkeys(element.restart_delay for element in elements)
        }
        width = e.simd * e.w_bits
        inputs = list(window.x)
        if e.lane_bits < e.x_bits:
            inputs = self._clamped(m, inputs, restarts[elements[0].restart_delay], en)
        accs: list[Any] = []
        for element in elements:
            p = len(accs)
            m.submodules[f"pe{p}"] = Shared(element)
            lanes = inputs[p :: e.pe] if e.geometry.depthwise else inputs
            m.d.comb += [
                element.en.eq(en),
                element.restart.eq(restarts[element.restart_delay]),
                element.x.eq(Cat(*lanes)),
            ]
            if weights is not None:
                m.d.comb += element.w.eq(weights[p * width :][: element.sums * width])
            accs += [self._later(m, acc, latency - element.latency, en) for acc in element.accs]
        return accs, done

    def _later(self, m: Module, acc: Signal, cycles: int, en: Signal) -> Signal:
        """`acc` so many enabled cycles later: elements of LUTs and on multipliers differ."""
        for _ in range(cycles):
            held = Signal.like(acc, name="later", reset_less=True)
            with m.If(en):
                m.d.sync += held.eq(acc)
            acc = held
        return acc

    def _clamped(self, m: Module, inputs: list[Any], restart: Signal, en: Signal) -> list[Any]:
        """The inputs clamped to what the weights reach; `excess` sums up what that takes off, in
        step with the elements."""
        e = self.block
        pairs = [clamp(m, x, e.lane_bits) for x in inputs]
        m.submodules.excess = total = pe("sum")(
            simd=e.simd, x_bits=e.x_bits, x_signed=False, w_bits=0, acc_bits=e.acc_bits,
            registered=e.registered,
        )  # fmt: skip
        m.d.comb += [
            total.en.eq(en),
            total.restart.eq(restart),
            total.x.eq(Cat(excess for _, excess in pairs)),
        ]
        self.excess = total.acc
        return [clamped for clamped, _ in pairs]

    def _less_excess(
        self, m: Module, words: list[Any], valid: Signal, done: Signal, en: Signal
    ) -> tuple[list[Any], Signal]:
        """Words of sums without the excess of their windows, an enabled cycle later."""
        e, excess = self.block, self.excess
        if e.words_per_sum > 1:
            excess = Signal.like(self.excess, name="held_excess", reset_less=True)
            with m.If(en & done):
                m.d.sync += excess.eq(self.excess)
        sums = []
        for word in words:
            less = Signal(signed(e.acc_bits), reset_less=True)
            with m.If(en):
                m.d.sync += less.eq(word - excess)
            sums.append(less)
        return sums, delayed(m, valid, 1, en)

    def _drain(
        self, m: Module, accs: list[Any], done: Signal, en: Signal
    ) -> tuple[list[Any], Signal]:
        """Hands over `out_lanes` accumulators a cycle, so that few requantisers serve many PE."""
        e = self.block
        if e.words_per_sum == 1:
            return accs, done
        held = [Signal(signed(e.acc_bits), reset_less=True, name=f"held{p}") for p in range(e.pe)]
        waiting = Signal(e.words_per_sum)
        with m.If(en):
            m.d.sync += waiting.eq(waiting >> 1)
            m.d.sync += [a.eq(b) for a, b in zip(held, held[e.out_lanes :], strict=False)]
            with m.If(done):
                m.d.sync += waiting.eq(~0)
                m.d.sync += [h.eq(a) for h, a in zip(held, accs, strict=True)]
        return held[: e.out_lanes], waiting[0]
