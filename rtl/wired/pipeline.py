"""When each node of a graph has its value, with the fewest bits of registers.

A node has a time, counted in levels: inputs 0, and each operation at least its levels after its
operands. Registers lie behind every so many levels, and a value that is used later than in the
cycle of its making is delayed in one line, from which all users take it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rtl.wired.graph import AdderGraph
from rtl.wired.operations import Counts, shape_of

ROUNDS = 6
"""Passes over the graph, after which hardly any node moves."""


def live_nodes(graph: AdderGraph, outputs: Sequence[int]) -> list[int]:
    """All nodes that `outputs` depend on, operands first."""
    live, todo = set(outputs), list(outputs)
    while todo:
        operation = graph.operations.get(todo.pop())
        fresh = set(operation.operands) - live if operation else set()
        live |= fresh
        todo += fresh
    return sorted(live)


class GraphPipeline:
    """cycle: by node, in which it has its value. last: of a value, the cycle of its last use.

    latency: the cycle in which all outputs are there, from registers.
    """

    def __init__(self, graph: AdderGraph, outputs: Sequence[int], levels: int) -> None:
        self.graph, self.levels = graph, levels
        self.outputs = set(outputs)
        self.nodes = live_nodes(graph, outputs)
        self.operations = {n: graph.operations[n] for n in self.nodes if n in graph.operations}
        self.users: dict[int, list[int]] = {n: [] for n in self.nodes}
        for node, operation in self.operations.items():
            for operand in operation.operands:
                self.users[operand].append(node)
        self.time = {n: graph.levels[n] for n in self.nodes}
        self.end = max((self.time[n] for n in outputs), default=0)
        self.latency = self._cycle(self.end) + 1
        for turn in range(ROUNDS):
            if not self._move(
                reversed(self.operations) if turn % 2 == 0 else iter(self.operations)
            ):
                break
        self.cycle = {n: self._cycle(t) for n, t in self.time.items()}
        self.last = {n: self._last(n) for n in self.nodes}

    @property
    def counts(self) -> Counts:
        """Of the whole graph, with its registers."""
        shapes = {n: shape_of(self.graph.bounds[n]) for n in self.nodes}
        total = Counts()
        for node, operation in self.operations.items():
            total += operation.counts(shapes[node], *(shapes[o] for o in operation.operands))
        bits = sum(
            shapes[n].width * (self.last[n] - self.cycle[n])
            for n in self.nodes
            if n not in self.graph.constants
        )
        return total + Counts(register_bits=bits)

    def _cycle(self, time: int) -> int:
        return max(time - 1, 0) // self.levels

    def _last(self, node: int, without: int | None = None) -> int:
        """The cycle of the last use of a node, but for one user."""
        uses = [self._cycle(self.time[u]) for u in self.users[node] if u != without]
        ends = [self.latency] if node in self.outputs else []
        return max([*uses, *ends, self._cycle(self.time[node])])

    def _move(self, nodes: Iterator[int]) -> bool:
        """Gives each node its best time while all others keep theirs; whether any moved."""
        moved = False
        for node in nodes:
            best = self._best(node)
            if best != self.time[node]:
                self.time[node], moved = best, True
        return moved

    def _best(self, node: int) -> int:
        """The time of fewest register bits: of several, the present one or else the earliest."""
        operation = self.operations[node]
        operands = [o for o in operation.operands if o not in self.graph.constants]
        first = max((self.time[o] for o in operands), default=0) + operation.levels
        users = [self.time[u] - self.operations[u].levels for u in self.users[node]]
        final = min([*users, self.end] if node in self.outputs else users)
        if first >= final:
            return self.time[node]
        own, until = self._bits(node), self._last(node)
        lines = [(self._bits(o), self._last(o, node)) for o in operands]

        def cost(time: int) -> tuple[int, bool, int]:
            cycle = self._cycle(time)
            bits = own * (until - cycle) + sum(b * max(last, cycle) for b, last in lines)
            return bits, time != self.time[node], time

        return min(range(first, final + 1), key=cost)

    def _bits(self, node: int) -> int:
        width: int = shape_of(self.graph.bounds[node]).width
        return width
