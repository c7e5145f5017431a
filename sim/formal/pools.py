# amaranth: UnusedElaboratable=no
"""The claim about a block pool: each word out is the maximum or the sum of its block of pixels."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib.wiring import In

from rtl.pool import BlockPool
from sim.formal.proof import Property
from sim.formal.requantise import requantised
from sim.formal.streams import in_order, in_time, keeps, lanes


class Pooled(Property):
    """The n-th word out belongs to the n-th block, row by row; of a word a pixel.

    The reference keeps a partial result for each block of a row and lane, in registers.
    """

    def __init__(self, pool: BlockPool) -> None:
        if pool.folds > 1:
            raise ValueError(f"a claim about a pool takes a word a pixel, not {pool.folds}")
        self.pool = pool
        members = {f"x{k}": In(pool.x_shape) for k in range(pool.lanes)}
        members |= {"valid": In(1), "o_ready": In(1), "mark": In(1)}
        super().__init__(members | {"lane": In(range(max(2, pool.lanes)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pool = dut = self.pool.component()
        given = Cat(getattr(self, f"x{k}") for k in range(self.pool.lanes))
        m.d.comb += [
            dut.i.valid.eq(self.valid),
            Value.cast(dut.i.payload).eq(given),
            dut.o.ready.eq(self.o_ready),
            self.given.eq(keeps(m, self.valid, dut.i.ready, given, "i")),
        ]
        taken, word = dut.i.valid & dut.i.ready, Value.cast(dut.o.payload)
        finished, totals = self._block(m, taken)
        words, patience = self.pool.latency + 2, self.pool.latency + 1
        order, inside = in_order(
            m,
            arrives=taken & finished,
            before=[self._result(m, total, k) for k, total in enumerate(totals)],
            leaves=dut.o.valid & self.o_ready,
            after=lanes(self.pool.lanes)(word),
            mark=self.mark,
            lane=self.lane,
            most=self.pool.lanes * words,
        )
        claims = [
            order,
            keeps(m, dut.o.valid, self.o_ready, word, "o"),
            in_time(m, self.valid & self.o_ready & ~dut.i.ready, patience, "i"),
            in_time(m, (inside > 0) & self.o_ready & ~dut.o.valid, patience, "o"),
        ]
        m.d.comb += self.holds.eq(Cat(claims).all())
        return m

    def _block(self, m: Module, taken: Value) -> tuple[Value, list[Signal]]:
        """Whether this word ends its block, and what the block comes to with it, by lane."""
        pool, (kh, kw) = self.pool, self.pool.kernel
        x, y = Signal(range(pool.width)), Signal(range(pool.height))
        with m.If(taken):
            m.d.sync += x.eq(Mux(x == pool.width - 1, 0, x + 1))
            with m.If(x == pool.width - 1):
                m.d.sync += y.eq(Mux(y == pool.height - 1, 0, y + 1))
        block = Array(k // kw for k in range(pool.width))[x]
        first = Array((k % kw == 0) for k in range(pool.width))[x]
        first &= Array((k % kh == 0) for k in range(pool.height))[y]
        last = Array(k % kw == kw - 1 for k in range(pool.width))[x]
        last &= Array(k % kh == kh - 1 for k in range(pool.height))[y]
        inside = (x < pool.width // kw * kw) & (y < pool.height // kh * kh)
        totals = [self._total(m, k, taken & inside, first, block) for k in range(pool.lanes)]
        return last & inside, totals

    def _total(self, m: Module, lane: int, kept: Value, first: Value, block: Value) -> Signal:
        """What lane `lane` of the block comes to with this word; held if the word is `kept`."""
        pool, x = self.pool, getattr(self, f"x{lane}")
        shape = Shape(pool.acc_bits, signed=pool.x_shape.signed)
        partial = Array(
            Signal(shape, name=f"partial{k}_{lane}")
            for k in range(pool.width // pool.kernel[1] + 1)
        )
        before = partial[block]
        merged = Mux(x > before, x, before) if pool.op == "max" else before + x
        total = Signal(shape, name=f"total{lane}")
        m.d.comb += total.eq(Mux(first, x, merged))
        with m.If(kept):
            m.d.sync += before.eq(total)
        return total

    def _result(self, m: Module, total: Signal, lane: int) -> Value:
        """What leaves for lane `lane` of a block that comes to `total`."""
        requant = self.pool.requant
        if requant is None:
            return total
        factor, offset = requant.multipliers[lane], requant.offsets[lane]
        ends = {"shift": requant.shift, "lo": requant.lo, "hi": requant.hi}
        result = Signal(requant.out_shape, name=f"result{lane}")
        m.d.comb += result.eq(requantised(m, total, factor, offset, **ends))
        return result
