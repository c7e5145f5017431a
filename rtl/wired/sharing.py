"""Sums of many terms, with what they have in common added once.

Greedy elimination of common sums of two terms (R. Hartley, Subexpression sharing in filters using
canonic signed digit multipliers, 1996), by the bits of adders that each saves, and within a limit
to the depth of every sum. What is left of a sum is added as a tree, the shallow and narrow first.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Range

MIDDLE = 1 << 9
"""In a pattern's number: the distance of shifts 0."""
ADDER = 4
"""Bits that an adder counts beyond the overlap. Without, a dense layer of 4-bit weights takes 0.3 %
more, and 1.6 % more if the whole width of the adder counts."""
MOST_PAIRS = 1 << 21
"""Pairs of terms in all sums beyond which nothing is shared, as that would take minutes."""
Row = dict[int, dict[int, bool]]
"""Terms of a sum: by node and shift, whether it is negative."""


def shared_sums(
    graph: AdderGraph,
    sums: Sequence[Sequence[GraphTerm]],
    *,
    offsets: Sequence[int] | None = None,
    bounds: Sequence[Range] | None = None,
    slack: int = 0,
) -> list[GraphTerm]:
    """Each sum, with its constant offset, as one term; terms of a sum differ in node or shift.

    bounds: known ranges of the sums. slack: levels beyond those of the deepest sum by itself.
    """
    left = [list(row) for row in sums]
    if may_share(sums):
        sharing = Sharing(graph, sums, slack)
        sharing.run()
        left = [list(terms(row)) for row in sharing.rows]
    added = [constant_term(graph, offset) for offset in offsets or [0] * len(sums)]
    ranges: Sequence[Range | None] = bounds or [None] * len(sums)
    rows = zip(left, added, ranges, strict=True)
    return [tree(graph, [*row, *extra], within) for row, extra, within in rows]


def may_share(sums: Sequence[Sequence[GraphTerm]]) -> bool:
    """Whether some node occurs twice, so that there can be a common sum, and all are few enough."""
    nodes = [term.node for row in sums for term in row]
    return len(set(nodes)) < len(nodes) and pairs(map(len, sums)) <= MOST_PAIRS


def pairs(counts: Iterable[int]) -> int:
    """Pairs of terms in sums of so many terms."""
    return sum(n * (n - 1) // 2 for n in counts)


def constant_term(graph: AdderGraph, value: int) -> list[GraphTerm]:
    """A constant as a term of a sum: none if it is 0."""
    if value == 0:
        return []
    places = (value & -value).bit_length() - 1
    return [GraphTerm(graph.constant(abs(value) >> places), places, value < 0)]


def terms(row: Row) -> Iterator[GraphTerm]:
    for node, shifts in row.items():
        for shift, negative in shifts.items():
            yield GraphTerm(node, shift, negative)


def tree(graph: AdderGraph, left: list[GraphTerm], within: Range | None = None) -> GraphTerm:
    """The sum of terms, by the least depth, and with the sign + if any term has it."""
    if not left:
        return GraphTerm(graph.constant(0))

    def cost(term: GraphTerm) -> tuple[int, int, int, int]:
        lo, hi = graph.bounds[term.node]
        end = term.shift + max(hi, ~lo).bit_length()
        return graph.levels[term.node], end, term.shift, term.node

    heap = [(cost(term), term) for term in left]
    heapq.heapify(heap)
    while len(heap) > 1:
        a, b = heapq.heappop(heap)[1], heapq.heappop(heap)[1]
        last = all(term.negative for _, term in heap)
        merged = graph.add(a, b, None if heap else within, positive=last)
        heapq.heappush(heap, (cost(merged), merged))
    return heap[0][1]


class Sharing:
    """Rows of terms, the patterns of two terms in them, and how often each occurs.

    A pattern is two nodes, the distance of their shifts, and whether their signs differ, packed
    into one integer, since there are many.
    """

    def __init__(self, graph: AdderGraph, sums: Sequence[Sequence[GraphTerm]], slack: int) -> None:
        self.graph = graph
        self.rows: list[Row] = []
        self.counts: dict[int, int] = {}
        self.heap: list[tuple[int, int, int]] = []
        self.raised: set[int] = set()
        self.done: set[int] = set()
        self.weights: list[int] = []
        for row in sums:
            self.rows.append({})
            self.weights.append(0)
            for term in row:
                self._insert(len(self.rows) - 1, term)
        most = max(self.weights, default=1)
        self.limit = 1 << (max(most - 1, 0).bit_length() + slack)

    def run(self) -> None:
        """Makes nodes of patterns, the most useful first, while one occurs twice."""
        self._queue()
        while self.heap:
            score, _, pattern = heapq.heappop(self.heap)
            if pattern in self.done or self.counts.get(pattern, 0) < 2:
                continue
            if -score > self._score(pattern):
                self._push(pattern)
                continue
            self.done.add(pattern)
            places = [(r, p) for r in range(len(self.rows)) for p in self._places(r, pattern)]
            if len(places) > 1:
                for row, (a, b) in places:
                    self._replace(row, a, b)
                self._queue()

    def _score(self, pattern: int) -> int:
        """What it saves: of each adder the bits in which its operands overlap, and ADDER more."""
        a, b, distance, _ = _unpack(pattern)
        low, high = (b, a) if distance < 0 else (a, b)
        overlap = min(self._bits(low) - abs(distance), self._bits(high))
        return (self.counts[pattern] - 1) * (max(overlap, 0) + ADDER)

    def _bits(self, node: int) -> int:
        lo, hi = self.graph.bounds[node]
        return max(hi, ~lo).bit_length() + (lo < 0)

    def _queue(self) -> None:
        for pattern in sorted(self.raised):
            if self.counts.get(pattern, 0) > 1 and pattern not in self.done:
                self._push(pattern)
        self.raised.clear()

    def _push(self, pattern: int) -> None:
        a, b, _, _ = _unpack(pattern)
        level = max(self.graph.levels[a], self.graph.levels[b])
        heapq.heappush(self.heap, (-self._score(pattern), level, pattern))

    def _places(self, index: int, pattern: int) -> list[tuple[GraphTerm, GraphTerm]]:
        """Pairs of terms of a row that are the pattern and share no term, within the limit."""
        a, b, distance, differ = _unpack(pattern)
        row = self.rows[index]
        if a not in row or b not in row:
            return []
        places: list[tuple[GraphTerm, GraphTerm]] = []
        used: set[tuple[int, int]] = set()
        levels = self.graph.levels
        grows = (2 << max(levels[a], levels[b])) - (1 << levels[a]) - (1 << levels[b])
        room = (self.limit - self.weights[index]) // grows if grows else len(row[a])
        for shift, negative in row[a].items():
            other = row[b].get(shift + distance)
            if other is None or (other != negative) != differ or len(places) == room:
                continue
            pair = (a, shift), (b, shift + distance)
            if used.isdisjoint(pair):
                used.update(pair)
                places.append((GraphTerm(*pair[0], negative), GraphTerm(*pair[1], other)))
        return places

    def _replace(self, row: int, a: GraphTerm, b: GraphTerm) -> None:
        merged = self.graph.add(a, b)
        self._remove(row, a)
        self._remove(row, b)
        self._insert(row, merged)

    def _insert(self, index: int, term: GraphTerm) -> None:
        row = self.rows[index]
        for pattern in _patterns(row, term):
            self.counts[pattern] = self.counts.get(pattern, 0) + 1
            self.raised.add(pattern)
        shifts = row.setdefault(term.node, {})
        if term.shift in shifts:
            raise ValueError(f"node {term.node} is twice in a sum at shift {term.shift}")
        shifts[term.shift] = term.negative
        self.weights[index] += 1 << self.graph.levels[term.node]

    def _remove(self, index: int, term: GraphTerm) -> None:
        row = self.rows[index]
        del row[term.node][term.shift]
        if not row[term.node]:
            del row[term.node]
        for pattern in _patterns(row, term):
            self.counts[pattern] -= 1
        self.weights[index] -= 1 << self.graph.levels[term.node]


def _patterns(row: Row, term: GraphTerm) -> Iterator[int]:
    """Of a term with each term of a row."""
    node, shift, negative = term.node, term.shift, term.negative
    for other, shifts in row.items():
        for at, sign in shifts.items():
            if other > node or (other == node and at > shift):
                pair, distance = node << 32 | other << 11, at - shift
            else:
                pair, distance = other << 32 | node << 11, shift - at
            yield pair | (distance + MIDDLE) << 1 | (sign != negative)


def _unpack(pattern: int) -> tuple[int, int, int, bool]:
    """The nodes, the shift of the second beyond the first, and whether their signs differ."""
    distance = (pattern >> 1 & 0x3FF) - MIDDLE
    return pattern >> 32, pattern >> 11 & 0x1FFFFF, distance, bool(pattern & 1)
