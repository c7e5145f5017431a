# amaranth: UnusedElaboratable=no
"""Claims about streams whose words change on their way: the residual join, the classifier's end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.classifier_output import ClassifierOutput
from rtl.classifier_word import ClassifierWord
from rtl.streams import Join
from sim.formal.proof import Property
from sim.formal.requantise import requantised
from sim.formal.streams import in_order, in_time, keeps


class Joined(Property):
    """The n-th word out is the requantised sum of the n-th words in, of one channel and lane."""

    def __init__(self, join: Join) -> None:
        self.join = join
        sizes = {n: words.lanes * words.shape.width for n, words in join.inputs.items()}
        members = {n: In(bits) for n, bits in sizes.items()}
        members |= {f"{n}_valid": In(1) for n in sizes}
        super().__init__({**members, "o_ready": In(1), "mark": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.join = dut = self.join.component()
        kept = [self._input(m, name, getattr(dut, name)) for name in ("i_a", "i_b")]
        m.d.comb += [dut.o.ready.eq(self.o_ready), self.given.eq(Cat(kept).all())]
        moved = [i.valid & i.ready for i in (dut.i_a, dut.i_b)]
        waiting, word = dut.i_a.valid & dut.i_b.valid, Value.cast(dut.o.payload)
        most, patience = self.join.latency + 2, self.join.latency + 1
        order, inside = in_order(
            m,
            arrives=moved[0],
            before=[self._wanted(m, dut)],
            leaves=dut.o.valid & self.o_ready,
            after=[word],
            mark=self.mark,
            lane=Const(0),
            most=most,
        )
        claims = [
            moved[0] == moved[1],
            order,
            keeps(m, dut.o.valid, self.o_ready, word, "o"),
            in_time(m, waiting & self.o_ready & ~moved[0], patience, "i"),
            in_time(m, (inside > 0) & self.o_ready & ~dut.o.valid, patience, "o"),
        ]
        m.d.comb += self.holds.eq(Cat(claims).all())
        return m

    def _input(self, m: Module, name: str, i: Any) -> Value:
        word = getattr(self, name)
        m.d.comb += [i.valid.eq(getattr(self, f"{name}_valid")), i.payload.eq(word)]
        return keeps(m, i.valid, i.ready, word, name)

    def _wanted(self, m: Module, dut: Any) -> Value:
        """What the two words on offer are to become."""
        requant = self.join.requant
        total = sum(
            (
                i.payload[0] << shift
                for i, shift in zip((dut.i_a, dut.i_b), self.join.shifts, strict=True)
            ),
            Const(0),
        )
        (factor,), (offset,) = requant.multipliers, requant.offsets
        ends = {"shift": requant.shift, "lo": requant.lo, "hi": requant.hi}
        wanted = Signal(requant.out_shape)
        m.d.comb += wanted.eq(requantised(m, total, factor, offset, **ends))
        return wanted.as_unsigned() if requant.out_signed else wanted


class Worded(Property):
    """The n-th word out holds the bytes of the n-th scores in and the first largest's index."""

    def __init__(self, head: ClassifierWord) -> None:
        self.head = head
        bits = head.classes * head.score_shape.width
        super().__init__({"scores": In(bits), "valid": In(1), "ready": In(1), "mark": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.head = dut = self.head.component()
        m.d.comb += [dut.i.valid.eq(self.valid), dut.i.payload.eq(self.scores)]
        m.d.comb += dut.o.ready.eq(self.ready)
        m.d.comb += self.given.eq(keeps(m, self.valid, dut.i.ready, self.scores, "i"))
        word, patience = Value.cast(dut.o.payload), self.head.latency + 1
        order, inside = in_order(
            m,
            arrives=self.valid & dut.i.ready,
            before=[self._wanted(m, dut)],
            leaves=dut.o.valid & self.ready,
            after=[word],
            mark=self.mark,
            lane=Const(0),
            most=patience + 1,
        )
        claims = [
            order,
            keeps(m, dut.o.valid, self.ready, word, "o"),
            in_time(m, self.valid & self.ready & ~dut.i.ready, patience, "i"),
            in_time(m, (inside > 0) & self.ready & ~dut.o.valid, patience, "o"),
        ]
        m.d.comb += self.holds.eq(Cat(claims).all())
        return m

    def _wanted(self, m: Module, dut: Any) -> Value:
        """The answer to the scores on offer."""
        scores = [dut.i.payload[k] for k in range(self.head.classes)]
        wide = Shape(8 * self.head.score_bytes, signed=self.head.score_shape.signed)
        fields = [Signal(wide, name=f"wanted{k}") for k in range(len(scores))]
        m.d.comb += [field.eq(score) for field, score in zip(fields, scores, strict=True)]
        index = Signal(8)
        m.d.comb += index.eq(first_largest(scores))
        return Cat(*fields, index)


class Headed(Property):
    """Bytes of the scores in order, then the index of the first largest, and so on for ever."""

    def __init__(self, head: ClassifierOutput) -> None:
        self.head = head
        super().__init__({"score": In(head.score_shape), "valid": In(1), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.head = dut = self.head.component()
        head = self.head
        m.d.comb += [dut.i.valid.eq(self.valid), dut.i.payload[0].eq(self.score)]
        m.d.comb += dut.o.ready.eq(self.ready)
        m.d.comb += self.given.eq(keeps(m, self.valid, dut.i.ready, self.score, "i"))
        byte, klass = Signal(range(head.score_bytes + 1)), Signal(range(head.classes + 1))
        closing, ending = klass == head.classes, byte == head.score_bytes - 1
        wide = Signal(Shape(8 * head.score_bytes, signed=head.score_shape.signed))
        m.d.comb += wide.eq(self.score)
        bytes_of = Array(wide[8 * k : 8 * k + 8] for k in range(head.score_bytes))
        moved = dut.o.valid & self.ready
        with m.If(moved):
            m.d.sync += byte.eq(Mux(ending | closing, 0, byte + 1))
            m.d.sync += klass.eq(Mux(closing, 0, klass + ending))
        right = dut.o.payload.data == Mux(closing, self._winner(m, klass, dut), bytes_of[byte])
        claims = [
            ~dut.o.valid | (right & (dut.o.payload.last == closing)),
            dut.o.valid == (closing | self.valid),
            (dut.i.ready & self.valid) == (moved & ~closing & ending),
            keeps(m, dut.o.valid, self.ready, Value.cast(dut.o.payload), "o"),
        ]
        m.d.comb += self.holds.eq(Cat(claims).all())
        return m

    def _winner(self, m: Module, klass: Value, dut: Any) -> Value:
        """Index of the first largest score of this image, from all of them."""
        count = self.head.classes
        scores = [Signal(self.head.score_shape, name=f"score{k}") for k in range(count)]
        with m.If(self.valid & dut.i.ready):
            for k, score in enumerate(scores):
                with m.If(klass == k):
                    m.d.sync += score.eq(self.score)
        return first_largest(scores)


def first_largest(scores: Sequence[Value]) -> Value:
    """Index of the first largest of `scores`, by comparing each with all others."""
    winner: Value = Const(0)
    for k in reversed(range(len(scores))):
        others = [scores[k] > s for s in scores[:k]] + [scores[k] >= s for s in scores[k + 1 :]]
        winner = Mux(Cat(*others, Const(1)).all(), k, winner)
    return winner


class Chain(wiring.Component):
    """Components with streams `i` and `o`, one behind another."""

    def __init__(self, links: list[Any]) -> None:
        self.links = links
        super().__init__(
            {"i": links[0].signature.members["i"], "o": links[-1].signature.members["o"]}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        source = wiring.flipped(self.i)
        for k, link in enumerate(self.links):
            m.submodules[f"link{k}"] = link
            wiring.connect(m, source, link.i)
            source = link.o
        wiring.connect(m, source, wiring.flipped(self.o))
        return m
