# amaranth: UnusedElaboratable=no
"""Claims about streams: no element lost, doubled, changed or out of order, under any handshakes.

One element that went in, any one, is followed: how many are ahead of it, and what it is. When none
is, it has to come out. So the n-th out is the n-th in, for every n; nothing comes out that has not
gone in; words on offer stay until they are taken; and nothing waits for ever (`patience`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In

from sim.formal.proof import Property

Elements = Callable[[Value], list[Value]]


def lanes(count: int) -> Elements:
    """The elements of a word of `count` equal lanes, first lowest."""

    def split(word: Value) -> list[Value]:
        width = len(word) // count
        return [word[k * width : (k + 1) * width] for k in range(count)]

    return split


def past(m: Module, value: Value, name: str) -> Signal:
    """`value` a cycle ago, 0 at first."""
    held = Signal(len(value), name=f"past_{name}")
    m.d.sync += held.eq(value)
    return held


def keeps(m: Module, valid: Value, ready: Value, payload: Value, name: str) -> Value:
    """What was on offer and not taken is on offer still."""
    waited = past(m, valid & ~ready, f"wait_{name}")
    return ~waited | (valid & (payload == past(m, payload, name)))


def in_time(m: Module, waits: Value, patience: int, name: str) -> Value:
    """`waits` is never high for more than `patience` cycles in a row."""
    count = Signal(range(patience + 2), name=f"waits_{name}")
    m.d.sync += count.eq(Mux(waits, count + 1, 0))
    return ~waits | (count < patience)


def in_order(
    m: Module,
    *,
    arrives: Value,
    before: Sequence[Value],
    leaves: Value,
    after: Sequence[Value],
    mark: Value,
    lane: Value,
    most: int,
    name: str = "",
) -> tuple[Value, Value]:
    """Elements `after`, when a word `leaves`, are those `before` of words that arrived, in order.

    mark, lane: free; which element to follow. most: elements inside at one time at most.
    Returns whether that holds, and the number of elements inside.
    """
    inside = Signal(range(2 * most + 1), name=f"inside_{name}")
    ahead = Signal(range(2 * most + 1), name=f"ahead_{name}")
    followed = Signal(name=f"followed_{name}")
    what = Signal(len(before[0]), name=f"what_{name}")
    now, place, busy, wanted = (Signal.like(s) for s in (inside, ahead, followed, what))
    start = arrives & mark & ~followed & (lane < len(before))
    m.d.comb += [
        now.eq(inside + Mux(arrives, len(before), 0)),
        busy.eq(followed | start),
        place.eq(Mux(start, inside + lane, ahead)),
        wanted.eq(Mux(start, Array(before)[lane], what)),
    ]
    out = leaves & busy & (place < len(after))
    m.d.sync += [
        inside.eq(now - Mux(leaves, len(after), 0)),
        ahead.eq(place - Mux(leaves, len(after), 0)),
        followed.eq(busy & ~out),
        what.eq(wanted),
    ]
    right = ~out | (Array(after)[place] == wanted)
    enough = ~leaves | (now >= len(after))
    return right & enough & (now <= most), now


class Streams(Property):
    """A component whose streams `outputs` carry the elements of its stream `i`.

    split: the elements of a word, by port. most: elements that fit inside, with the word on offer.
    patience: cycles after which a word moves at the latest while all outputs are taken.
    """

    def __init__(
        self, component: Any, split: Mapping[str, Elements], *, most: int, patience: int
    ) -> None:
        self.component, self.split = component, split
        self.most, self.patience = most, patience
        self.outputs = [port for port in split if port != "i"]
        count = len(split["i"](Value.cast(component.i.payload)))
        members = {"i_valid": In(1), "i": In(len(Value.cast(component.i.payload)))}
        members |= {f"{port}_ready": In(1) for port in self.outputs}
        super().__init__({**members, "mark": In(1), "lane": In(range(max(2, count)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.component = dut = self.component
        i, word = dut.i, Signal(len(self.i))
        m.d.comb += [i.valid.eq(self.i_valid), i.payload.eq(self.i), word.eq(self.i)]
        m.d.comb += self.given.eq(keeps(m, i.valid, i.ready, word, "i"))
        # a word counts from its first cycle on offer: a fork gives it away before it is taken
        arrives = i.valid & ~past(m, i.valid & ~i.ready, "offered")
        ready = [getattr(self, f"{port}_ready") for port in self.outputs]
        willing = Cat(ready).all()
        claims = [in_time(m, i.valid & willing & ~i.ready, self.patience, "i")]
        for port in self.outputs:
            claims += self._output(m, port, arrives, self.split["i"](word), willing)
        m.d.comb += self.holds.eq(Cat(claims).all())
        return m

    def _output(
        self, m: Module, port: str, arrives: Value, before: list[Value], willing: Value
    ) -> list[Value]:
        o, ready = getattr(self.component, port), getattr(self, f"{port}_ready")
        m.d.comb += o.ready.eq(ready)
        word = Value.cast(o.payload)
        after = self.split[port](word)
        order, inside = in_order(
            m,
            arrives=arrives,
            before=before,
            leaves=o.valid & ready,
            after=after,
            mark=self.mark,
            lane=self.lane,
            most=self.most,
            name=port,
        )
        waits = (inside >= len(after)) & willing & ~o.valid
        moves = in_time(m, waits, self.patience, port)
        return [order, moves, keeps(m, o.valid, ready, word, port)]
