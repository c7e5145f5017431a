# amaranth: UnusedElaboratable=no
"""The stream runner tells components that break the rules of streams, and those that hang."""

from __future__ import annotations

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tests.support.stream_runner import PATIENCE, Stalls, run

BYTE = stream.Signature(8)


class Counter(wiring.Component):
    """Words on `o` that count the words, or the cycles when it does not wait."""

    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        super().__init__({"o": Out(BYTE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.valid.eq(1)
        with m.If(self.o.ready | (not self.waits)):
            m.d.sync += self.o.payload.eq(self.o.payload + 1)
        return m


class Withdrawn(wiring.Component):
    """Offers a word in every second cycle, taken or not."""

    def __init__(self) -> None:
        super().__init__({"o": Out(BYTE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.o.valid.eq(~self.o.valid)
        return m


class Swallow(wiring.Component):
    """Takes `most` words, and gives none."""

    def __init__(self, *, most: int) -> None:
        self.most = most
        super().__init__({"i": In(BYTE), "o": Out(BYTE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        taken = Signal(8)
        m.d.comb += self.i.ready.eq(taken < self.most)
        m.d.sync += taken.eq(taken + (self.i.valid & self.i.ready))
        return m


def test_words_and_cycles_are_counted() -> None:
    done = run(Counter(waits=True), {}, {"o": 20})
    assert done.words == {"o": list(range(20))}
    assert done.cycles == 20
    assert run(Counter(waits=True), {}, {"o": 20}, Stalls(0.5, 1)).cycles > 30


@pytest.mark.parametrize("dut", [Counter(waits=False), Withdrawn()], ids=["changed", "withdrawn"])
def test_offer_that_does_not_stand_is_told(dut: wiring.Component) -> None:
    with pytest.raises(AssertionError, match=r"o: an offer was .* \(stalls 0.5, seed 1\)"):
        run(dut, {}, {"o": 20}, Stalls(0.5, 1))


def test_what_hangs_ends() -> None:
    with pytest.raises(AssertionError, match=r"nothing moves: {'o': 0} of {'o': 1} words"):
        run(Swallow(most=9), {"i": range(9)}, {"o": 1})
    with pytest.raises(AssertionError, match=r"nothing moves: {'o': 0} of {'o': None} words"):
        run(Swallow(most=8), {"i": range(9)}, {"o": None})


def test_steady_work_has_all_the_time_it_takes() -> None:
    assert len(run(Counter(waits=True), {}, {"o": PATIENCE + 9}).words["o"]) == PATIENCE + 9
