"""A graph of integer operations on some inputs, built node by node.

Nodes are numbered in the order of their making, so operands precede what uses them, and equal
operations are one node. Each node knows a range of its value, hence its width: that of its operands
and, of sums, that of the inputs of which it is a sum, which is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rtl.wired.operations import Operation, Range, Recentre, SumNode

ONE = -1
"""In the form of a sum: what its constant counts."""
StaircaseForm = Mapping[int, int]
"""A number as a sum of nodes: factor by node, or by ONE."""


@dataclass(frozen=True)
class GraphTerm:
    """±node · 2^shift, − if `negative`."""

    node: int
    shift: int = 0
    negative: bool = False


class AdderGraph:
    """inputs: the ranges of nodes 0, 1, …

    operations: by node, of all but inputs and constants. bounds: ranges. levels: operations in
    succession, from the inputs, that are no mere wires.
    """

    def __init__(self, inputs: Sequence[Range]) -> None:
        self.inputs = len(inputs)
        self.bounds: list[Range] = list(inputs)
        self.levels: list[int] = [0] * self.inputs
        self.operations: dict[int, Operation] = {}
        self.constants: dict[int, int] = {}
        self.known: dict[Operation | int, int] = {}
        self.forms: list[StaircaseForm] = [{node: 1} for node in range(self.inputs)]

    def __len__(self) -> int:
        return len(self.bounds)

    def constant(self, value: int) -> int:
        """The node that is always `value`."""
        if value not in self.known:
            self.known[value] = len(self)
            self.constants[len(self)] = value
            self._append((value, value), 0, {ONE: value})
        return self.known[value]

    def node(self, operation: Operation, within: Range | None = None) -> int:
        """The node of an operation; `within`: a range that its value is known to keep."""
        if operation in self.known:
            return self.known[operation]
        node = self.known[operation] = len(self)
        self.operations[node] = operation
        lo, hi = operation.bounds(*(self.bounds[o] for o in operation.operands))
        form = self._form(operation)
        for other in (self._range(form) if form else (lo, hi), within or (lo, hi)):
            lo, hi = max(lo, other[0]), min(hi, other[1])
        level = max(self.levels[o] for o in operation.operands) + operation.levels
        self._append((lo, hi), level, form or {node: 1})
        return node

    def add(
        self, a: GraphTerm, b: GraphTerm, within: Range | None = None, *, positive: bool = False
    ) -> GraphTerm:
        """a + b; its sign is that of the lower of the two, for then nothing need be negated.

        positive: the sign is + if one of the two has it; a lower one with − is negated for it, in
        an adder as much wider.
        """
        if (b.shift, b.negative, b.node) < (a.shift, a.negative, a.node):
            a, b = b, a
        distance, subtract = b.shift - a.shift, a.negative != b.negative
        turned = positive and subtract and a.negative
        negative = a.negative and not turned
        if within:
            lo, hi = (-within[1], -within[0]) if negative else within
            within = -(-lo >> a.shift), hi >> a.shift
        if turned:
            a, b = b, a
        operation = SumNode((a.node, b.node), (distance, 0) if turned else (0, distance), subtract)
        return GraphTerm(self.node(operation, within), min(a.shift, b.shift), negative)

    def evaluate(self, x: np.ndarray, outputs: Sequence[int]) -> np.ndarray:
        """Values (N, outputs) of nodes for inputs (N, inputs), int64."""
        values: dict[int, np.ndarray] = {k: x[:, k].astype(np.int64) for k in range(self.inputs)}
        for node in range(self.inputs, len(self)):
            if node in self.constants:
                values[node] = np.full(len(x), self.constants[node])
            else:
                operation = self.operations[node]
                values[node] = operation.value(*(values[o] for o in operation.operands))
        return np.stack([values[node] for node in outputs], 1)

    def _append(self, bounds: Range, level: int, form: StaircaseForm) -> None:
        self.bounds.append(bounds)
        self.levels.append(level)
        self.forms.append(form)

    def _form(self, operation: Operation) -> StaircaseForm | None:
        """Of a sum, in terms of what is none."""
        if isinstance(operation, Recentre):
            (a,) = (dict(self.forms[o]) for o in operation.operands)
            return a | {ONE: a.get(ONE, 0) + operation.least}
        if not isinstance(operation, SumNode):
            return None
        total: dict[int, int] = {}
        signs = 1, -1 if operation.subtract else 1
        for o, shift, sign in zip(operation.operands, operation.shifts, signs, strict=True):
            for base, factor in self.forms[o].items():
                total[base] = total.get(base, 0) + sign * (factor << shift)
        return total

    def _range(self, form: StaircaseForm) -> Range:
        """Of a sum of nodes that may each have any value of their range."""
        lo = hi = 0
        for base, factor in form.items():
            ends = [factor * end for end in ((1, 1) if base == ONE else self.bounds[base])]
            lo, hi = lo + min(ends), hi + max(ends)
        return lo, hi
