"""Nested loop counters whose end flags are registers, so that no comparison lies in a long path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class LoopNest(wiring.Component):
    """Counters for nested loops, outermost first, all from 0 to trips − 1.

    Parameters
    ----------
    trips : of each loop by its name
    start : iteration in which the nest begins after reset

    Ports
    -----
    step : advances by one iteration of the innermost loop
    first, last : this is the first, the last iteration of the whole nest

    Members
    -------
    value[name] : counter of a loop
    first_of[name], last_of[name] : whether it is in its first, its last trip

    Latency
    -------
    All change in the cycle after `step`; end flags are registers.
    """

    def __init__(self, trips: dict[str, int], *, start: int = 0) -> None:
        for name, count in trips.items():
            if count < 1:
                raise ValueError(f"loop {name} must run at least once, not {count} times")
        self.trips = dict(trips)
        super().__init__({"step": In(1), "first": Out(1, init=start == 0), "last": Out(1)})
        self.value: dict[str, Value] = {}
        self.last_of: dict[str, Value] = {}
        self.first_of: dict[str, Value] = {}
        for name, count in reversed(trips.items()):
            start, at = divmod(start, count)
            if count == 1:
                self.value[name], flag = Const(0, 1), Const(1, 1)
                self.first_of[name] = self.last_of[name] = flag
                continue
            last = self.last_of[name] = Signal(name=f"{name}_last", init=at == count - 1)
            if count == 2:
                self.first_of[name], self.value[name] = ~last, last
                continue
            first = self.first_of[name] = Signal(name=f"{name}_first", init=at == 0)
            counter = Signal(range(count), name=name, init=at)
            self.value[name] = counter if count > 3 else Cat(~(first | last), last)

    def first_from(self, names: Iterable[str]) -> Value:
        """All of the loops `names` are in their first trip."""
        return _all(self.first_of[n] for n in names)

    def last_from(self, names: Iterable[str]) -> Value:
        """All of the loops `names` are in their last trip."""
        return _all(self.last_of[n] for n in names)

    def within(self, name: str, trips: Sequence[int]) -> Value:
        """A loop is in one of `trips`."""
        count = self.trips[name]
        if list(trips) == [0]:
            return self.first_of[name]
        if list(trips) == [count - 1]:
            return self.last_of[name]
        return reduce(or_, (self.value[name] == trip for trip in trips))

    def delta(self, m: Module, stride: dict[str, int], modulus: int) -> Signal:
        """What the next step adds to sum(value · stride), modulo `modulus`, unless the nest ends.

        stride: what one trip of each loop adds.
        """
        change = Signal(range(modulus))
        wrapped = 0
        inner: list[str] = []
        for name, count in reversed(self.trips.items()):
            if count == 1:
                continue
            with m.If(self.last_from(inner)):
                m.d.comb += change.eq((stride[name] - wrapped) % modulus)
            wrapped += (count - 1) * stride[name]
            inner.append(name)
        return change

    def elaborate(self, platform: object) -> Module:
        m = Module()
        names = list(self.trips)
        m.d.comb += self.last.eq(self.last_from(names))
        with m.If(self.step):
            m.d.sync += self.first.eq(self.last)
        for depth, (name, count) in enumerate(self.trips.items()):
            if count == 1:
                continue
            with m.If(self.step & self.last_from(names[depth + 1 :])):
                self._advance(m, name, count)
        return m

    def _advance(self, m: Module, name: str, count: int) -> None:
        """One trip of one loop. Up to three trips, the end flags are all of its state."""
        value, end = self.value[name], self.last_of[name]
        assert isinstance(end, Signal)
        if count == 2:
            m.d.sync += end.eq(~end)
            return
        before_end = value == count - 2 if count > 3 else ~(self.first_of[name] | end)
        m.d.sync += [end.eq(before_end), self.first_of[name].eq(end)]
        if count > 3:
            m.d.sync += value.eq(value + 1)
        if count > 3 and count & (count - 1):  # else it begins again by itself
            with m.If(end):
                m.d.sync += value.eq(0)


def _all(flags: Iterable[Value]) -> Value:
    moving = [f for f in flags if not isinstance(f, Const)]
    return reduce(and_, moving) if moving else Const(1, 1)
