# amaranth: UnusedElaboratable=no
"""The claim about a block pool: each word out is the maximum or the sum of its block of pixels."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In

from rtl.pool import BlockPool
from sim.formal.proof import Property
from sim.formal.requantise import requantised
from sim.formal.streams import in_order, in_time, keeps


class Pooled(Property):
    """The n-th word out belongs to the n-th block, row by row; of one channel and lane.

    The reference keeps a partial result for each block of a row, in registers.
    """

    def __init__(self, pool: BlockPool) -> None:
        self.pool = pool
        super().__init__({"x": In(pool.x_shape), "valid": In(1), "o_ready": In(1), "mark": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pool = dut = self.pool.component()
        m.d.comb += [
            dut.i.valid.eq(self.valid),
            dut.i.payload[0].eq(self.x),
            dut.o.ready.eq(self.o_ready),
            self.given.eq(keeps(m, self.valid, dut.i.ready, self.x, "i")),
        ]
        taken, word = dut.i.valid & dut.i.ready, Value.cast(dut.o.payload)
        finished, total = self._block(m, taken)
        most, patience = self.pool.latency + 2, self.pool.latency + 1
        order, inside = in_order(
            m,
            arrives=taken & finished,
            before=[self._result(m, total)],
            leaves=dut.o.valid & self.o_ready,
            after=[word],
            mark=self.mark,
            lane=Const(0),
            most=most,
        )
        claims = [
            order,
            keeps(m, dut.o.valid, self.o_ready, word, "o"),
            in_time(m, self.valid & self.o_ready & ~dut.i.ready, patience, "i"),
            in_time(m, (inside > 0) & self.o_ready & ~dut.o.valid, patience, "o"),
        ]
        m.d.comb += self.holds.eq(Cat(claims).all())
        return m

    def _block(self, m: Module, taken: Value) -> tuple[Value, Value]:
        """Whether this word ends its block, and what the block comes to with it."""
        pool, (kh, kw) = self.pool, self.pool.kernel
        x, y = Signal(range(pool.width)), Signal(range(pool.height))
        with m.If(taken):
            m.d.sync += x.eq(Mux(x == pool.width - 1, 0, x + 1))
            with m.If(x == pool.width - 1):
                m.d.sync += y.eq(Mux(y == pool.height - 1, 0, y + 1))
        column = [Const(k) for k in range(pool.width)]
        block = Array(k // kw for k in range(pool.width))[x]
        first = Array((k % kw == 0) for k in range(pool.width))[x]
        first &= Array((k % kh == 0) for k in range(pool.height))[y]
        last = Array(k % kw == kw - 1 for k in range(pool.width))[x]
        last &= Array(k % kh == kh - 1 for k in range(pool.height))[y]
        inside = (x < pool.width // kw * kw) & (y < pool.height // kh * kh)
        bits = pool.acc_bits
        partial = Array(Signal(bits, name=f"partial{k}") for k in range(len(column) // kw + 1))
        before = partial[block]
        merged = Mux(self.x > before, self.x, before) if pool.op == "max" else before + self.x
        total = Signal(bits)
        m.d.comb += total.eq(Mux(first, self.x, merged))
        with m.If(taken & inside):
            m.d.sync += partial[block].eq(total)
        return last & inside, total

    def _result(self, m: Module, total: Value) -> Value:
        """What leaves for a block that comes to `total`."""
        requant = self.pool.requant
        if requant is None:
            return total
        (factor,), (offset,) = requant.multipliers, requant.offsets
        ends = {"shift": requant.shift, "lo": requant.lo, "hi": requant.hi}
        result = Signal(requant.out_shape)
        m.d.comb += result.eq(requantised(m, total, factor, offset, **ends))
        return result
