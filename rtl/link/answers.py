"""The sending half of the link: requests become frames of answers, in the order of the requests."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.delay import ram
from rtl.link.cobs import FRAME
from rtl.link.protocol import CHECK, FAULTS, REQUEST, TIMES, Op

COUNTERS_BYTES = (TIMES.size + 32 + FAULTS.size) // 8


class Payload(wiring.Component):
    """What an answer of one code carries.

    Parameters
    ----------
    identity : payload of IDENTIFY
    expected : each of the answers of a self-test
    rounds : of a self-test

    Ports
    -----
    run : high while the payload is wanted
    code : of the answer
    scores : stream of the accelerator's answers
    times, faults : what COUNTERS carries
    o : stream of bytes with `last`
    answered : high as the last byte of an answer of the accelerator is taken

    Protocol
    --------
    Of a self-test the last answer is sent, and behind it a byte, 1 if all were right.

    Latency
    -------
    A byte a cycle; identity and counters take two cycles a byte, one to fetch it.
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
        identify = self.code[:3] == Op.IDENTIFY
        stored, counted = Signal(8, reset_less=True), Signal(8, reset_less=True)
        settled = Signal()
        m.d.sync += [
            stored.eq(self._stored(m, following, identify)),
            counted.eq(self._counters(m).word_select(at, 8)),
            settled.eq(self.run & ~step),
        ]
        o = self.o.payload
        with m.If(identify):
            m.d.comb += o.data.eq(stored)
            self._give(m, step, at == len(self.identity) - 1, settled)
        with m.Elif(self.code[:3] == Op.COUNTERS):
            m.d.comb += o.data.eq(counted)
            self._give(m, step, at == COUNTERS_BYTES - 1, settled)
        with m.Else():
            self._scores(m, at, following, step, stored)
        return m

    def _stored(self, m: Module, at: Signal, identify: Value) -> Value:
        """Byte `at` of the identity or of the expected answer, a cycle later."""
        half = 1 << ceil_log2(max(len(self.identity), len(self.expected)))
        init = self.expected.ljust(half, b"\0") + self.identity
        m.submodules.stored = stored = memory.Memory(
            shape=8, depth=len(init), init=list(init), attrs=ram("block")
        )
        port = stored.read_port()
        m.d.comb += port.addr.eq(Cat(at[: ceil_log2(half)], identify))
        return port.data

    def _give(self, m: Module, step: Signal, last: Value, settled: Value) -> None:
        m.d.comb += [
            self.o.valid.eq(self.run & settled),
            self.o.payload.last.eq(last),
            step.eq(self.o.valid & self.o.ready),
        ]

    def _counters(self, m: Module) -> Value:
        """All counters; those that may move meanwhile are held."""
        inferences, held = Signal(32), Signal(FAULTS)
        with m.If(~self.run):
            m.d.sync += held.eq(self.faults)
        with m.If(self.answered & (self.code[:3] == Op.INFER)):
            m.d.sync += inferences.eq(inferences + 1)
        return Cat(self.times.as_value(), inferences, held.as_value())

    def _scores(
        self, m: Module, at: Signal, following: Signal, step: Signal, stored: Value
    ) -> None:
        """The answer of one inference, or those of a self-test and their verdict."""
        test, last = self.code[:3] == Op.SELF_TEST, at == len(self.expected) - 1
        done, closing, verdict = Signal(range(self.rounds)), Signal(), Signal()
        passed = self._compare(m, step, stored)
        shown = ~test | (done == self.rounds - 1)
        m.d.comb += [
            self.o.valid.eq(self.run & ((self.scores.valid & shown) | verdict)),
            self.o.payload.data.eq(self.scores.payload),
            self.o.payload.last.eq(verdict | (~test & last)),
            self.scores.ready.eq(self.run & ~closing & ~verdict & (self.o.ready | ~shown)),
            step.eq(self.scores.valid & self.scores.ready),
            self.answered.eq(step & last),
        ]
        with m.If(verdict):
            m.d.comb += self.o.payload.data.eq(passed)
        with m.If(closing):  # the comparison of the last byte is still under way
            m.d.sync += [closing.eq(0), verdict.eq(1)]
        with m.If(self.answered):
            m.d.comb += following.eq(0)
            m.d.sync += [done.eq(done + 1), closing.eq(test & shown)]
        with m.If(~self.run):
            m.d.sync += [done.eq(0), verdict.eq(0)]

    def _compare(self, m: Module, step: Signal, stored: Value) -> Signal:
        """Whether all bytes taken since `run` rose were the expected ones; two cycles late."""
        got, both, passed = Signal(8, reset_less=True), Signal(), Signal()
        m.d.sync += [got.eq(self.scores.payload), both.eq(step)]
        with m.If(~self.run):
            m.d.sync += passed.eq(1)
        with m.Elif(both & (got != stored)):
            m.d.sync += passed.eq(0)
        return passed


class Appender(wiring.Component):
    """Frames with their CRC behind them, low byte first.

    Ports
    -----
    i, o : streams of bytes with `last`

    Latency
    -------
    0 cycles; four cycles more for a frame.
    """

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(FRAME)), "o": Out(stream.Signature(FRAME))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.check = check = CHECK(data_width=8).create()
        at, closing = Signal(2), Signal()
        step, i, o = Signal(), self.i.payload, self.o.payload
        m.d.comb += [
            step.eq(self.o.valid & self.o.ready),
            check.data.eq(i.data),
            check.valid.eq(step & ~closing),
        ]
        with m.If(closing):
            m.d.comb += [
                self.o.valid.eq(1),
                o.data.eq(check.crc.word_select(at, 8)),
                o.last.eq(at.all()),
                check.start.eq(step & o.last),
            ]
            with m.If(step):
                m.d.sync += [at.eq(at + 1), closing.eq(~o.last)]
        with m.Else():
            m.d.comb += [
                self.o.valid.eq(self.i.valid),
                o.data.eq(i.data),
                self.i.ready.eq(self.o.ready),
            ]
            m.d.sync += closing.eq(step & i.last)
        return m


class Answers(wiring.Component):
    """One frame an answer, without its CRC: id, code and payload.

    Parameters
    ----------
    identity, expected, rounds : as of Payload

    Ports
    -----
    i : stream of requests
    scores, times, faults : as of Payload
    o : stream of bytes with `last`
    idle : no answer is under way

    Protocol
    --------
    Answers leave in the order of the requests.

    Latency
    -------
    A byte a cycle.
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
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.payload = payload = self.payload
        o, request = self.o, Signal(REQUEST, reset_less=True)
        for name in ("times", "faults"):
            m.d.comb += getattr(payload, name).eq(getattr(self, name))
        wiring.connect(m, wiring.flipped(self.scores), payload.scores)
        m.d.comb += payload.code.eq(request.code)
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += request.eq(self.i.payload)
                with m.If(self.i.valid):
                    m.next = "ID"
            with m.State("ID"):
                m.d.comb += [o.valid.eq(1), o.payload.data.eq(request.id)]
                with m.If(o.ready):
                    m.next = "CODE"
            with m.State("CODE"):
                refused = request.code[6]
                m.d.comb += [o.valid.eq(1), o.payload.data.eq(request.code)]
                m.d.comb += o.payload.last.eq(refused)
                with m.If(o.ready):
                    m.next = "PAYLOAD"
                    with m.If(refused):
                        m.next = "IDLE"
            with m.State("PAYLOAD"):
                m.d.comb += payload.run.eq(1)
                wiring.connect(m, payload.o, wiring.flipped(o))
                with m.If(o.valid & o.ready & o.payload.last):
                    m.next = "IDLE"
        return m
