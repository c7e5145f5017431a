"""Whole-network simulation: right hardware passes, and each fault is found and named where it is.

The hardware is written by hand for a network of three layers, so that every fault can be planted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from model.spec import Conv, Format, Head, Input, MaxPool, Network, Requantise
from sim.verify.axis_words import frame_difference, frames, input_words
from sim.verify.locate import unpack
from sim.verify.network import simulate
from sim.verify.simulation_result import SimulationResult

NETWORK = Network(
    (
        Input("image", (2, 2, 2), Format(4)),
        Conv("scale", ("image",), "mult", np.array([2, 3]).reshape(2, 1, 1, 1), 4, depthwise=True),
        Requantise("scaled", ("scale",), np.array([1, 1]), np.array([0, 0]), 0, Format(6)),
        MaxPool("pool", ("scaled",)),
        Head("head", ("pool",)),
    )
)
RIGHT = """
module toy(
    input wire clk, input wire rst,
    input wire [7:0] s_axis_tdata, input wire s_axis_tvalid, output wire s_axis_tready,
    input wire s_axis_tlast,
    output wire [7:0] m_axis_tdata, output wire m_axis_tvalid, input wire m_axis_tready,
    output wire m_axis_tlast
);
    // scaled: channel 0 times 2, channel 1 times 3
    reg [5:0] scaled_payload = 0;
    reg scaled_valid = 0, odd = 0;
    wire scaled_ready;
    integer n = 0;
    assign s_axis_tready = !scaled_valid || scaled_ready;
    always @(posedge clk) if (!rst && s_axis_tready) begin
        scaled_valid <= s_axis_tvalid;
        if (s_axis_tvalid) begin
            n <= n + 1;
            odd <= !odd;
            scaled_payload <= odd ? 3 * s_axis_tdata[3:0] : 2 * s_axis_tdata[3:0];
        end
    end

    // pool: the maximum of four pixels of each channel
    reg [5:0] best [0:1];
    reg [3:0] at = 0;
    wire pool_ready;
    wire pool_valid = at >= 8;
    wire [5:0] pool_payload = best[at[0]];
    assign scaled_ready = at < 8;
    always @(posedge clk) if (!rst) begin
        if (scaled_valid && scaled_ready) begin
            at <= at + 1;
            if (at < 2 || scaled_payload > best[at[0]]) best[at[0]] <= scaled_payload;
        end
        if (pool_valid && pool_ready) at <= at == 9 ? 0 : at + 1;
    end

    // head: two scores, then the index of the first largest
    reg [1:0] k = 0;
    reg [5:0] first = 0;
    reg index = 0;
    wire open = 1;
    assign pool_ready = m_axis_tready && k < 2 && open;
    assign m_axis_tvalid = k == 2 || (pool_valid && open);
    assign m_axis_tdata = k == 2 ? index : pool_payload;
    assign m_axis_tlast = k == 2;
    always @(posedge clk) if (!rst && m_axis_tvalid && m_axis_tready) begin
        k <= k == 2 ? 0 : k + 1;
        if (k == 0) first <= pool_payload;
        index <= pool_payload > first;
    end
endmodule
"""


@dataclass(frozen=True)
class ToyProbe:
    node: str
    prefix: str
    lanes: int = 1
    bits: int = 6
    signed: bool = False


@dataclass(frozen=True)
class Toy:
    """Hardware of NETWORK, with some of its text replaced."""

    old: str = ""
    new: str = ""
    top: str = "toy"
    bytes_in: int = 8
    bytes_out: int = 3
    word_in: int = 1
    word_out: int = 1
    cycles_latency: int = 40
    probes: tuple[ToyProbe, ...] = field(
        default=(ToyProbe("scaled", "scaled"), ToyProbe("pool", "pool"))
    )

    @property
    def verilog(self) -> str:
        assert self.old in RIGHT
        return RIGHT.replace(self.old, self.new) if self.old else RIGHT


@dataclass(frozen=True)
class ToyWithText(Toy):
    """Hardware of NETWORK with a text of its own."""

    text: str = ""

    @property
    def verilog(self) -> str:
        return self.text


def some_images(count: int, seed: int = 4) -> torch.Tensor:
    return torch.randint(0, 16, (count, 2, 2, 2), generator=torch.Generator().manual_seed(seed))


def run(toy: Toy, simulator: str, count: int = 70, waves: Path | None = None) -> SimulationResult:
    images = some_images(count)
    return simulate(NETWORK, toy, images, simulator=simulator, timeout=300, waves=waves)


def test_a_slow_network_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one of 850,000 cycles an image, which was taken for one that had stopped."""
    monkeypatch.setattr("sim.verify.network.TIMEOUT", 2)
    assert simulate(NETWORK, Toy(), some_images(4)).ok
    assert simulate(NETWORK, Toy(cycles_latency=0), some_images(4)).stopped


def test_right_hardware_passes(simulator: str) -> None:
    seen: list[tuple[int, int]] = []
    result = simulate(
        NETWORK, Toy(), some_images(70), simulator=simulator, progress=lambda *at: seen.append(at)
    )
    assert result.ok, result
    assert (result.images, result.mismatches, result.first_mismatch) == (70, 0, None)
    assert seen == [(64, 70), (70, 70)]
    # 8 words, one cycle in `scaled`, then two scores and the index
    assert result.cycles_latency == 7 + 1 + 3
    assert result.cycles_interval == 8 + 2
    assert json.loads(json.dumps(result.as_dict()))["level"] == "rtl"
    best = some_images(70).amax((1, 2))  # of each channel
    assert list(result.answers) == (3 * best[:, 1] > 2 * best[:, 0]).int().tolist()


def test_wrong_arithmetic_is_located(quick_simulator: str) -> None:
    result = run(
        Toy("3 * s_axis_tdata[3:0]", "(n == 125 ? 63 : 3 * s_axis_tdata[3:0])"), quick_simulator
    )
    mismatch = result.first_mismatch
    assert mismatch is not None
    assert not result.ok
    # value 125 is in image 15, pixel 2 of 4, channel 1
    assert (mismatch.image, mismatch.layer, mismatch.pixel, mismatch.channel) == (
        15,
        "scaled",
        (1, 0),
        1,
    )
    assert (mismatch.expected, mismatch.got) == (3 * int(some_images(70)[15, 1, 0, 1]), 63)
    assert "image 15: first difference in layer scaled, channel 1, pixel (1, 0)" in str(mismatch)


def test_fault_in_a_later_layer_is_not_blamed_on_an_earlier(quick_simulator: str) -> None:
    result = run(Toy("scaled_payload > best", "scaled_payload < best"), quick_simulator)
    mismatch = result.first_mismatch
    assert mismatch is not None
    assert (mismatch.image, mismatch.layer, mismatch.pixel) == (0, "pool", (0, 0))


def test_wrong_index_of_equal_scores_is_located_in_the_head(quick_simulator: str) -> None:
    images = torch.zeros(3, 2, 2, 2, dtype=torch.int64)
    images[0], images[1, 0, 0, 0] = 1, 5
    toy = Toy("pool_payload > first", "pool_payload >= first")
    mismatch = simulate(NETWORK, toy, images, simulator=quick_simulator).first_mismatch
    assert mismatch is not None
    assert (mismatch.image, mismatch.layer, mismatch.channel) == (2, "head", 2)
    assert (mismatch.expected, mismatch.got) == (0, 1)


def test_missing_end_of_frame_is_found(quick_simulator: str) -> None:
    result = run(Toy("m_axis_tlast = k == 2", "m_axis_tlast = 0"), quick_simulator, count=2)
    assert result.mismatches == 2
    assert result.first_mismatch is not None
    assert result.first_mismatch.layer == "head.tlast"


def test_fault_that_stalls_hide_is_found_without_them(quick_simulator: str) -> None:
    """Only a source and a sink that never pause let 24 cycles go by without a pause."""
    toy = Toy(
        "reg index = 0;",
        "reg index = 0; reg [7:0] streak = 0; wire wrong = streak > 24;"
        " always @(posedge clk) streak <= m_axis_tready ? streak + (streak < 99) : 0;",
    )
    images = some_images(20)
    assert simulate(NETWORK, toy, images, simulator=quick_simulator, seed=1).ok
    toy = Toy(toy.old, toy.new + " wire odd_index = index ^ wrong;")
    text = toy.verilog.replace("? index :", "? odd_index :")
    result = simulate(NETWORK, ToyWithText(text=text), images, simulator=quick_simulator, seed=1)
    assert not result.ok
    assert 0 < result.mismatches <= 4
    assert result.first_mismatch is not None
    assert result.first_mismatch.layer == "head"


@pytest.mark.parametrize(
    ("old", "new", "layer"),
    [
        ("scaled_valid <= s_axis_tvalid", "scaled_valid <= s_axis_tvalid && n < 93", "scaled"),
        (
            "assign scaled_ready = at < 8",
            "assign scaled_ready = at < 8 && !(n > 90 && at == 5)",
            "pool",
        ),
        ("pool_valid = at >= 8", "pool_valid = at >= 8 && n < 100", "pool"),
        ("wire open = 1", "wire open = n < 60", "head"),
    ],
)
def test_words_that_stop_are_traced_to_their_layer(
    quick_simulator: str, old: str, new: str, layer: str
) -> None:
    result = run(Toy(old, new), quick_simulator)
    assert not result.ok
    assert result.stopped == layer
    assert result.mismatches > 50
    assert result.cycles_latency is None


def test_hardware_without_probes_is_judged_by_its_scores(quick_simulator: str) -> None:
    toy = Toy("3 * s_axis_tdata[3:0]", "(n == 125 ? 63 : 3 * s_axis_tdata[3:0])", probes=())
    mismatch = run(toy, quick_simulator).first_mismatch
    assert mismatch is not None
    assert (mismatch.image, mismatch.layer, mismatch.channel, mismatch.got) == (15, "head", 1, 63)


def test_waves_show_the_failing_run(quick_simulator: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.vcd", tmp_path / "bad.vcd"
    assert run(Toy(), quick_simulator, 4, good).ok
    assert not run(Toy("3 * ", "2 * "), quick_simulator, 4, bad).ok
    assert all("scaled_payload" in path.read_text() for path in (good, bad))


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="no images: a simulation needs at least one"):
        simulate(NETWORK, Toy(), some_images(0))


def test_frames_are_little_endian_with_the_first_largest_index() -> None:
    assert frames(np.array([[-2, 300, 300]]), 7) == [[0xFE, 0xFF, 0x2C, 1, 0x2C, 1, 0x101]]
    assert input_words(torch.tensor([[[[3], [-1]]]])) == [3, 0x1FF]
    with pytest.raises(ValueError, match="6 bytes a frame: must be 3 scores and a byte"):
        frames(np.zeros((1, 3), dtype=np.int64), 6)


def test_frame_difference_gives_the_score() -> None:
    (want,) = frames(np.array([[-2, 300]]), 5)
    mismatch = frame_difference("head", 2, want, [0xFE, 0xFF, 0x2C, 0xFF, 0x101], 7, 0)
    assert (mismatch.image, mismatch.channel, mismatch.expected, mismatch.got) == (7, 1, 300, -212)
    assert frame_difference("head", 2, want, want[:3], 0, 0).got is None


def test_words_are_unpacked_lowest_lane_first() -> None:
    probe = ToyProbe("a", "a", lanes=3, bits=4, signed=True)
    assert unpack([0x8F1, None], probe) == [1, -1, -8, None, None, None]
