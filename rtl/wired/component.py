"""Hardware of a graph in a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import Const, Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import shape_of
from rtl.wired.pipeline import GraphPipeline


class WiredUnit(wiring.Component):
    """Results of one set of inputs an enabled cycle.

    Ports
    -----
    en : the whole unit stands still while it is low
    x : inputs
    acc, or y : results, from registers; called `port`

    Latency
    -------
    `pipeline.latency` enabled cycles from x to its results.
    """

    def __init__(
        self,
        graph: AdderGraph,
        terms: Sequence[GraphTerm],
        pipeline: GraphPipeline,
        *,
        port: str,
        x_shape: Shape,
        shape: Shape,
    ) -> None:
        self.graph, self.terms, self.pipeline, self.port = graph, terms, pipeline, port
        self.lines: dict[int, list[Value]] = {}
        super().__init__(
            {
                "en": In(1),
                "x": In(data.ArrayLayout(x_shape, graph.inputs)),
                port: Out(data.ArrayLayout(shape, len(terms))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for node in self.pipeline.nodes:
            self.lines[node] = self._line(m, node)
        with m.If(self.en):
            for line in self.lines.values():
                m.d.sync += [after.eq(value) for value, after in pairwise(line)]
        for result, term in zip(getattr(self, self.port), self.terms, strict=True):
            m.d.comb += result.eq(self.lines[term.node][-1] << term.shift)
        return m

    def _line(self, m: Module, node: int) -> list[Value]:
        """A node's value in the cycle of its making and in each up to that of its last use; of a
        constant, one for all."""
        pipeline = self.pipeline
        if node in self.graph.constants:
            value = self.graph.constants[node]
            return [Const(value, shape_of((value, value)))]
        made = self.x[node] if node < self.graph.inputs else self._made(m, node)
        cycles = range(pipeline.cycle[node] + 1, pipeline.last[node] + 1)
        held = [Signal(made.shape(), name=f"n{node}_{k}", reset_less=True) for k in cycles]
        return [made, *held]

    def _made(self, m: Module, node: int) -> Signal:
        """The result of an operation on its operands of the same cycle."""
        operation, cycle = self.graph.operations[node], self.pipeline.cycle[node]
        operands = [
            self.lines[o][0 if o in self.graph.constants else cycle - self.pipeline.cycle[o]]
            for o in operation.operands
        ]
        result = Signal(shape_of(self.graph.bounds[node]), name=f"n{node}")
        operation.build(m, result, *operands)
        return result
