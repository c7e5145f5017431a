"""The sending half of the link: requests become frames of answers, in the order of the requests."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.cobs import FRAME
from rtl.protocol import ANSWER, CHECK, FAULTS, REQUEST, TIMES, Op
from rtl.timing import ram

COUNTERS_BYTES = (TIMES.size + 32 + FAULTS.size) // 8


class Payload(wiring.Component):
    """What an answer of `code` carries, a byte a cycle while `run` is high; `last` at its end.

    scores: answers of the accelerator, `answered` as the last byte of one is taken. identity: of
    IDENTIFY. expected: each of the `rounds` answers of a self-test; the last one is sent, and
    behind it a byte, 1 if all were right.
    """

    def __init__(self, *, identity: bytes, expected: bytes, rounds: int) -> None:
        if not identity or not expected:
            raise ValueError("the identity and the expected answer must not be empty")
        self.identity, self.expected, self.rounds = identity, expected, rounds
        super().__init__(
            {
                "run": In(1),
                "code": In(8),
                "scores": In(stream.Signature(8)),
                "times": In(TIMES),
                "faults": In(FAULTS),
                "o": Out(stream.Signature(FRAME)),
                "answered": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        at = Signal(range(max(len(self.identity), len(self.expected), COUNTERS_BYTES)))
        following, step = Signal.like(at), Signal()
        m.d.sync += at.eq(following)
        with m.If(self.run):
            m.d.comb += following.eq(at + step)
        identify = self.code == ANSWER + Op.IDENTIFY
        stored = self._stored(m, following, identify)
        counters = self._counters(m)
        o = self.o.payload
        with m.If(identify):
            m.d.comb += o.data.eq(stored)
            self._give(m, step, at == len(self.identity) - 1)
        with m.Elif(self.code == ANSWER + Op.COUNTERS):
            m.d.comb += o.data.eq(counters.word_select(at, 8))
            self._give(m, step, at == COUNTERS_BYTES - 1)
        with m.Else():
            self._scores(m, at, following, step, stored)
        return m

    def _stored(self, m: Module, at: Signal, identify: Value) -> Value:
        """Byte `at` of the cycle before, of the identity or of the expected answer."""
        half = 1 << ceil_log2(max(len(self.identity), len(self.expected)))
        init = self.expected.ljust(half, b"\0") + self.identity
        m.submodules.stored = stored = memory.Memory(
            shape=8, depth=len(init), init=list(init), attrs=ram("block")
        )
        port = stored.read_port()
        m.d.comb += port.addr.eq(Cat(at[: ceil_log2(half)], identify))
        return port.data

    def _give(self, m: Module, step: Signal, last: Value) -> None:
        m.d.comb += [
            self.o.valid.eq(self.run),
            self.o.payload.last.eq(last),
            step.eq(self.o.ready),
        ]

    def _counters(self, m: Module) -> Value:
        """All counters; those that may move meanwhile are held."""
        inferences, held = Signal(32), Signal(FAULTS)
        with m.If(~self.run):
            m.d.sync += held.eq(self.faults)
        with m.If(self.answered & (self.code == ANSWER + Op.INFER)):
            m.d.sync += inferences.eq(inferences + 1)
        return Cat(self.times.as_value(), inferences, held.as_value())

    def _scores(
        self, m: Module, at: Signal, following: Signal, step: Signal, stored: Value
    ) -> None:
        """The answer of one inference, or those of a self-test and their verdict."""
        test = self.code == ANSWER + Op.SELF_TEST
        done, passed = Signal(range(self.rounds)), Signal()
        verdict, last = Signal(), at == len(self.expected) - 1
        shown = ~test | (done == self.rounds - 1)
        m.d.comb += [
            self.o.valid.eq(self.run & ((self.scores.valid & shown) | verdict)),
            self.o.payload.data.eq(self.scores.payload),
            self.o.payload.last.eq(verdict | (~test & last)),
            self.scores.ready.eq(self.run & ~verdict & (self.o.ready | ~shown)),
            step.eq(self.scores.valid & self.scores.ready),
            self.answered.eq(step & last),
        ]
        with m.If(verdict):
            m.d.comb += self.o.payload.data.eq(passed)
        with m.If(self.answered):
            m.d.comb += following.eq(0)
            m.d.sync += [done.eq(done + 1), verdict.eq(test & (done == self.rounds - 1))]
        with m.If(step & (self.scores.payload != stored)):
            m.d.sync += passed.eq(0)
        with m.If(~self.run):
            m.d.sync += [done.eq(0), passed.eq(1), verdict.eq(0)]


class Answers(wiring.Component):
    """One frame an answer: id, code, payload and CRC, a byte a cycle.

    The streams and parameters are those of Payload. idle: no answer is under way.
    """

    def __init__(self, *, identity: bytes, expected: bytes, rounds: int) -> None:
        self.payload = Payload(identity=identity, expected=expected, rounds=rounds)
        super().__init__(
            {
                "i": In(stream.Signature(REQUEST)),
                "scores": In(stream.Signature(8)),
                "times": In(TIMES),
                "faults": In(FAULTS),
                "o": Out(stream.Signature(FRAME)),
                "idle": Out(1),
                "answered": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.check = check = CHECK(data_width=8).create()
        m.submodules.payload = payload = self.payload
        o, at, step = self.o, Signal(2), Signal()
        for name in ("times", "faults"):
            m.d.comb += getattr(payload, name).eq(getattr(self, name))
        wiring.connect(m, wiring.flipped(self.scores), payload.scores)
        m.d.comb += [
            payload.code.eq(self.i.payload.code),
            self.answered.eq(payload.answered),
            step.eq(o.valid & o.ready),
            check.data.eq(o.payload.data),
            check.valid.eq(step),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.comb += check.start.eq(1)
                m.d.sync += at.eq(0)
                with m.If(self.i.valid):
                    m.next = "HEADER"
            with m.State("HEADER"):
                word = self.i.payload.as_value().word_select(at[0], 8)
                m.d.comb += [o.valid.eq(1), o.payload.data.eq(word)]
                with m.If(step):
                    m.d.sync += at.eq(at + 1)
                with m.If(step & at[0]):
                    m.d.sync += at.eq(0)
                    m.next = "CHECK"
                    with m.If(self.i.payload.code <= ANSWER + max(Op)):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [
                    payload.run.eq(1),
                    o.valid.eq(payload.o.valid),
                    o.payload.data.eq(payload.o.payload.data),
                    payload.o.ready.eq(o.ready),
                ]
                with m.If(step & payload.o.payload.last):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += [
                    o.valid.eq(1),
                    o.payload.data.eq(check.crc.word_select(at, 8)),
                    o.payload.last.eq(at.all()),
                    check.valid.eq(0),
                    self.i.ready.eq(step & at.all()),
                ]
                with m.If(step):
                    m.d.sync += at.eq(at + 1)
                    with m.If(at.all()):
                        m.next = "IDLE"
        return m
