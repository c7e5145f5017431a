"""A serial link in front of an accelerator: requests come in frames, answers go out in frames.

docs/link.md describes the protocol. From line to line:

    rx ─► Receiver ─► Decoder ─► Requests ─► Feeder ─► accelerator ─► Answers ─► Encoder ─► tx
"""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.answers import Answers
from rtl.cobs import Decoder, Encoder
from rtl.feeder import Feeder
from rtl.requests import Requests, buffer_bytes
from rtl.stopwatch import Stopwatch
from rtl.uart import Receiver, Transmitter, divisor

ROUNDS = 8
"""Images of a self-test, back to back, so that its interval is that of a full pipeline."""


def slots(image_bytes: int) -> int:
    """Images that can wait for the accelerator: the window that a host must keep."""
    return buffer_bytes(image_bytes) // image_bytes


class Link(wiring.Component):
    """Serves an accelerator, whose streams are s_axis (to it) and m_axis (from it), over a UART.

    A frame acts only after its CRC was right, and the accelerator is given whole images only, so
    that nothing on the line can put it out of step. An inference costs no cycle beside those of the
    line: `Stopwatch` counts what the accelerator alone takes.

    busy: something is being answered, before which no image enters the accelerator and after which
    none is in it; error: the last frame was damaged.
    clock_hz: cycles a second. baud: bits a second. image_bytes, score_bytes: of an image and of its
    answer. identity: payload of the answer to `identify`. self_test: a built-in image, and its
    right answer. Raises ValueError where they do not fit each other.
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
        m.submodules.requests = requests = Requests(image_bytes=self.image_bytes)
        m.submodules.feeder = feeder = Feeder(vector=image, rounds=ROUNDS)
        m.submodules.answers = answers = Answers(
            identity=self.identity, expected=answer, rounds=ROUNDS
        )
        m.submodules.encoder = encoder = Encoder()
        m.submodules.transmitter = transmitter = Transmitter(divisor=self.divisor)
        m.submodules.stopwatch = stopwatch = Stopwatch()
        wiring.connect(m, receiver.o, decoder.i)
        wiring.connect(m, decoder.o, requests.i)
        wiring.connect(m, requests.o, answers.i)
        wiring.connect(m, requests.images, feeder.images)
        wiring.connect(m, answers.o, encoder.i)
        wiring.connect(m, encoder.o, transmitter.i)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            requests.idle.eq(answers.idle),
            feeder.test.eq(requests.test),
            answers.times.eq(stopwatch.times),
            answers.faults.eq(requests.faults),
            stopwatch.first.eq(feeder.begin & feeder.o.valid & feeder.o.ready),
            stopwatch.last.eq(answers.answered),
            self.busy.eq(~answers.idle | requests.waiting),
            self.error.eq(requests.error),
            self.s_axis_tdata.eq(feeder.o.payload.data),
            self.s_axis_tlast.eq(feeder.o.payload.last),
            self.s_axis_tvalid.eq(feeder.o.valid),
            feeder.o.ready.eq(self.s_axis_tready),
            answers.scores.payload.eq(self.m_axis_tdata),
            answers.scores.valid.eq(self.m_axis_tvalid),
            self.m_axis_tready.eq(answers.scores.ready),
        ]
        return m
