"""A serial link in front of an accelerator: requests come in frames, answers go out in frames.

docs/link.md describes the protocol. From line to line:

    rx ─► Receiver ─► Decoder ─► Requests ─► Feeder ─► accelerator ─► Answers ─► Encoder ─► tx
"""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.link.answers import Answers, Appender
from rtl.link.cobs import DECODED, FRAME, Decoder, Encoder
from rtl.link.feeder import Feeder
from rtl.link.requests import Requests, buffer_bytes
from rtl.link.stopwatch import Stopwatch
from rtl.link.uart import Receiver, Transmitter, divisor
from rtl.skid import Skid

ROUNDS = 8
"""Images of a self-test, back to back, so that its interval is that of a full pipeline."""


def slots(image_bytes: int) -> int:
    """Images that can wait for the accelerator: the window that a host must keep."""
    return buffer_bytes(image_bytes) // image_bytes


class Link(wiring.Component):
    """Serves an accelerator over a UART.

    Parameters
    ----------
    clock_hz : cycles a second
    baud : bits a second
    image_bytes, score_bytes : of an image and of its answer
    identity : payload of the answer to `identify`
    self_test : a built-in image, and its right answer

    Ports
    -----
    rx, tx : the serial line
    s_axis, m_axis : streams to and from the accelerator
    busy : something is being answered, before which no image enters the accelerator and after which
        none is in it
    error : the last frame was damaged

    Protocol
    --------
    docs/link.md. A frame acts only after its CRC was right, and the accelerator is given whole
    images only, so that nothing on the line can put it out of step.

    Latency
    -------
    An inference costs no cycle beside those of the line; `Stopwatch` counts what the accelerator
    alone takes.

    Raises ValueError where the parameters do not fit each other.
    """

    def __init__(
        self,
        *,
        clock_hz: int,
        baud: int,
        image_bytes: int,
        score_bytes: int,
        identity: bytes,
        self_test: tuple[bytes, bytes],
    ) -> None:
        image, answer = self_test
        for what, value, size in (
            ("image", image, image_bytes),
            ("answer", answer, score_bytes),
        ):
            if len(value) != size:
                raise ValueError(f"self-test {what} of {len(value)} bytes: must have {size}")
        self.divisor = divisor(clock_hz, baud)
        self.image_bytes, self.identity, self.self_test = image_bytes, identity, self_test
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "busy": Out(1),
                "error": Out(1),
                "s_axis_tdata": Out(8),
                "s_axis_tvalid": Out(1),
                "s_axis_tready": In(1),
                "s_axis_tlast": Out(1),
                "m_axis_tdata": In(8),
                "m_axis_tvalid": In(1),
                "m_axis_tready": Out(1),
                "m_axis_tlast": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        image, answer = self.self_test
        m.submodules.receiver = receiver = Receiver(divisor=self.divisor)
        m.submodules.decoder = decoder = Decoder()
        m.submodules.decoded = decoded = Skid(DECODED)
        m.submodules.requests = requests = Requests(image_bytes=self.image_bytes)
        m.submodules.feeder = feeder = Feeder(vector=image, rounds=ROUNDS)
        m.submodules.answers = answers = Answers(
            identity=self.identity, expected=answer, rounds=ROUNDS
        )
        m.submodules.answered = answered = Skid(FRAME)
        m.submodules.appender = appender = Appender()
        m.submodules.encoder = encoder = Encoder()
        m.submodules.transmitter = transmitter = Transmitter(divisor=self.divisor)
        for source, sink in (
            (receiver.o, decoder.i),
            (decoder.o, decoded.i),
            (decoded.o, requests.i),
            (requests.o, answers.i),
            (requests.images, feeder.images),
            (answers.o, answered.i),
            (answered.o, appender.i),
            (appender.o, encoder.i),
            (encoder.o, transmitter.i),
        ):
            wiring.connect(m, source, sink)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            requests.idle.eq(answers.idle),
            feeder.test.eq(requests.test),
            answers.faults.eq(requests.faults),
            self.busy.eq(~answers.idle | requests.waiting),
            self.error.eq(requests.error),
        ]
        self._accelerator(m, feeder, answers)
        return m

    def _accelerator(self, m: Module, feeder: Feeder, answers: Answers) -> None:
        """Registers on both sides of the accelerator, whose own logic may be deep; the stopwatch.

        The stopwatch looks at its ports, so that those registers are not counted.
        """
        m.submodules.into = into = Skid(FRAME)
        m.submodules.out = out = Skid(8)
        m.submodules.stopwatch = stopwatch = Stopwatch()
        wiring.connect(m, feeder.o, into.i)
        wiring.connect(m, out.o, answers.scores)
        begin, enter = Signal(init=1), Signal()
        m.d.comb += [
            self.s_axis_tdata.eq(into.o.payload.data),
            self.s_axis_tlast.eq(into.o.payload.last),
            self.s_axis_tvalid.eq(into.o.valid),
            into.o.ready.eq(self.s_axis_tready),
            out.i.payload.eq(self.m_axis_tdata),
            out.i.valid.eq(self.m_axis_tvalid),
            self.m_axis_tready.eq(out.i.ready),
            enter.eq(self.s_axis_tvalid & self.s_axis_tready),
        ]
        with m.If(enter):
            m.d.sync += begin.eq(self.s_axis_tlast)
        # a cycle late, both of them
        m.d.sync += [
            stopwatch.first.eq(enter & begin),
            stopwatch.last.eq(self.m_axis_tvalid & self.m_axis_tready & self.m_axis_tlast),
        ]
        m.d.comb += answers.times.eq(stopwatch.times)
