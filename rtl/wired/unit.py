"""Sums whose weights are wiring, all outputs at once: the description, and its hardware."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Const, Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.wired.connections import Connections, builder
from rtl.wired.graph import Graph, Term
from rtl.wired.operations import Counts, Range, shape_of
from rtl.wired.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class WiredSums:
    """acc[o] = offsets[o] + sum of term(x[i], w) over the pairs (i, w) of connections[o].

    kind: what a term is: `mult`, `shift`, `add`, or the weightless `sum` and `max`. An input that
    is absent from an output's pairs has no term there. x_bits, x_signed: of each of `inputs`
    inputs. acc_bits: hold every sum. levels: of operations between two registers.
    """

    kind: str
    connections: Connections
    offsets: tuple[int, ...]
    inputs: int
    x_bits: int
    x_signed: bool
    acc_bits: int
    levels: int = 1

    def __post_init__(self) -> None:
        if len(self.connections) != len(self.offsets) or not self.offsets:
            raise ValueError(
                f"{len(self.connections)} rows of connections and {len(self.offsets)} offsets: "
                "one of each an output"
            )
        for name, value, lo, hi in (
            ("x_bits", self.x_bits, 1, 16), ("acc_bits", self.acc_bits, 2, 64),
            ("levels", self.levels, 1, 64),
        ):  # fmt: skip
            if not lo <= value <= hi:
                raise ValueError(f"{name} must be {lo} to {hi}, not {value}")
        for output, row in enumerate(self.connections):
            taken = [i for i, _ in row]
            if (
                not row
                or len(set(taken)) < len(taken)
                or not 0 <= min(taken) <= max(taken) < self.inputs
            ):
                raise ValueError(
                    f"output {output}: its inputs must be different ones of 0 to "
                    f"{self.inputs - 1}, not {taken}"
                )

    @property
    def x_shape(self) -> Shape:
        return signed(self.x_bits) if self.x_signed else unsigned(self.x_bits)

    @property
    def x_range(self) -> Range:
        """Smallest and largest input."""
        top = 1 << (self.x_bits - self.x_signed)
        return (-top if self.x_signed else 0), top - 1

    @cached_property
    def built(self) -> tuple[Graph, list[Term]]:
        """The graph, and of each output the term that is its sum."""
        graph = Graph([self.x_range] * self.inputs)
        end = 1 << (self.acc_bits - 1)
        sums = builder(self.kind)(graph, self.connections, self.offsets, (-end, end - 1))
        zero = Term(graph.constant(0))
        return graph, [graph.add(zero, t, (-end, end - 1)) if t.negative else t for t in sums]

    @cached_property
    def pipeline(self) -> Pipeline:
        graph, sums = self.built
        return Pipeline(graph, [term.node for term in sums], self.levels)

    @property
    def latency(self) -> int:
        """Enabled cycles from x to its sums at acc."""
        return self.pipeline.latency

    @property
    def counts(self) -> Counts:
        """What it is made of, from the graph."""
        return self.pipeline.counts

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Sums (N, outputs) of inputs (N, inputs), int64, as the graph computes them."""
        graph, sums = self.built
        nodes = graph.evaluate(x, [term.node for term in sums])
        shifted: np.ndarray = nodes << np.array([term.shift for term in sums])
        return shifted

    def component(self) -> WiredSumsUnit:
        """Its hardware, anew with each call."""
        return WiredSumsUnit(self)


class WiredSumsUnit(wiring.Component):
    """Hardware of :class:`WiredSums`, sums of one set of inputs an enabled cycle.

    Ports
    -----
    en : the whole unit stands still while it is low
    x : inputs
    acc : sums, from registers

    Latency
    -------
    `latency` enabled cycles from x to acc.
    """

    def __init__(self, block: WiredSums) -> None:
        self.block = block
        super().__init__(
            {
                "en": In(1),
                "x": In(data.ArrayLayout(block.x_shape, block.inputs)),
                "acc": Out(data.ArrayLayout(signed(block.acc_bits), len(block.offsets))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        graph, sums = self.block.built
        lines = wires(m, graph, self.block.pipeline, list(self.x), self.en)
        for acc, term in zip(self.acc, sums, strict=True):
            m.d.comb += acc.eq(lines[term.node][-1] << term.shift)
        return m


def wires(
    m: Module, graph: Graph, pipeline: Pipeline, inputs: list[Value], en: Value
) -> dict[int, list[Value]]:
    """Hardware of a graph: of each node its value in the cycle of its making, and in each after.

    Constants are the same in all of them.
    """
    lines: dict[int, list[Value]] = {}
    shifts = []
    for node in pipeline.nodes:
        if node in graph.constants:
            value = graph.constants[node]
            lines[node] = [Const(value, shape_of((value, value)))]
            continue
        first = inputs[node] if node < graph.inputs else _made(m, graph, pipeline, lines, node)
        line = [first]
        for k in range(pipeline.last[node] - pipeline.cycle[node]):
            line.append(Signal(first.shape(), name=f"n{node}_{k}", reset_less=True))
            shifts.append(line[-1].eq(line[-2]))
        lines[node] = line
    with m.If(en):
        m.d.sync += shifts
    return lines


def _made(
    m: Module, graph: Graph, pipeline: Pipeline, lines: dict[int, list[Value]], node: int
) -> Signal:
    """The result of an operation on its operands of the same cycle."""
    operation, cycle = graph.operations[node], pipeline.cycle[node]
    operands = [
        lines[o][0] if o in graph.constants else lines[o][cycle - pipeline.cycle[o]]
        for o in operation.operands
    ]
    result = Signal(shape_of(graph.bounds[node]), name=f"n{node}")
    operation.build(m, result, *operands)
    return result
