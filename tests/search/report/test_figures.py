"""The figures of a report: axes that read right, labels that cover nothing, strips that add up."""

from __future__ import annotations

import pytest

from model.arch import Architecture, Block
from model.layers import Weighted
from model.net import Net
from search.report.architecture_strip import strip
from search.report.build_page import beats
from search.report.diagnostic_plots import histogram
from search.report.svg_axis import Scale, axis
from search.report.svg_plot import Mark, frame
from search.results.compare import gain, volumes
from search.results.results import Histogram
from tests.support.finalists import finalist


@pytest.mark.parametrize(
    ("values", "scale", "ticks"),
    [
        ([0, 100], "linear", ["0", "20", "40", "60", "80", "100"]),
        ([93.1, 98.6], "linear", ["94", "95", "96", "97", "98"]),
        ([-1, 1], "linear", ["−1", "−0.5", "0", "0.5", "1"]),
        ([1, 1000], "log", ["1", "10", "100", "1k"]),
        ([600, 4000], "log", ["1k", "1.5k", "2k", "3k", "4k"]),
        ([41, 50], "log", ["42", "44", "46", "48", "50"]),
        ([2e6, 3e8], "log", ["10M", "100M"]),
        ([50, 99.4], "error", ["60", "80", "90", "95", "98", "99"]),
        ([91, 97], "error", ["92", "94", "95", "96", "97"]),
        ([90, 100], "error", ["95", "99", "99.9"]),
    ],
)
def test_ticks_are_round(values: list[float], scale: Scale, ticks: list[str]) -> None:
    drawn = axis(values, 0, 300, scale=scale)
    assert set(ticks) <= {text for _, text in drawn.ticks}
    assert 3 <= len(drawn.ticks) <= 8
    assert [at for at, _ in drawn.ticks] == sorted(at for at, _ in drawn.ticks)


@pytest.mark.parametrize("values", [[], [5.0], [0.0], [5.0, 5.0]])
@pytest.mark.parametrize("scale", ["linear", "log", "error"])
def test_few_values_still_have_an_axis(values: list[float], scale: Scale) -> None:
    drawn = axis(values, 40, 300, scale=scale)
    assert drawn.low < drawn.high
    assert all(40 <= drawn.at(v) <= 300 for v in values if v or scale != "log")


def test_log_axis_has_equal_ratios_at_equal_distances() -> None:
    drawn = axis([1, 10_000], 0, 1000, scale="log")
    first, second = (drawn.at(100) - drawn.at(1), drawn.at(10_000) - drawn.at(100))
    assert first == pytest.approx(second, abs=0.2)


def test_error_axis_has_equal_ratios_of_errors_at_equal_distances() -> None:
    drawn = axis([50, 99.7], 300, 20, scale="error")
    first, second = drawn.at(90) - drawn.at(80), drawn.at(99) - drawn.at(98)
    assert first < 0
    assert first == pytest.approx(second, abs=0.2)
    assert drawn.at(100) == drawn.at(99.95), "no error at all is drawn at the least that is told"


def test_labels_cover_neither_marks_nor_each_other() -> None:
    plot = frame("t", [0, 10], [0, 10])
    plot.marks = [Mark(200 + 14 * i, 150, "add", f"g{i}", "ABCDE"[i]) for i in range(5)]
    plot.label()
    spots = [(m.label_x, m.label_y) for m in plot.marks]
    assert len(set(spots)) == len(spots)
    for x, y in spots:
        for mark in plot.marks:
            assert abs(x - mark.x) > 5 or abs(y - 4 - mark.y) > 5


def test_stairs_keep_the_accuracy_until_the_next_point() -> None:
    plot = frame("t", [0, 10], [0, 10])
    plot.stairs("front", [(2, 3), (5, 8)])
    x, y = plot.x, plot.y
    start = f"M{x.at(2):g} {y.at(3):g}"
    assert plot.lines[0].path == f"{start}H{x.at(5):g}V{y.at(8):g}H{x.end:g}"


def test_terms_of_a_strip_are_those_of_the_network() -> None:
    blocks = (
        Block("conv", "mult", 6, 3),
        Block("separable", "shift", 8, 5, 2, weight_bits=4, act_bits=6),
        Block("residual", "mult", 10, 3), Block("maxpool", kernel=2, stride=2),
        Block("globalavg"), Block("dense", "mult", 10),
    )  # fmt: skip
    arch = Architecture("t", (12, 10, 1), blocks)
    net = Net(arch)
    terms = 0
    for name, layer in net.steps():
        if isinstance(layer, Weighted):
            height, width, _ = net.shapes[name]
            terms += height * width * layer.weight.numel()
    pieces = strip(arch)
    assert sum(piece.macs for piece in pieces) == terms
    assert [p.size for p in pieces] == [(12, 10), (6, 5), (6, 5), (3, 2), (1, 1), (1, 1)]
    assert max(p.tall for p in pieces) == 1
    assert pieces[1].tip == (
        "shift separable 5×5, 8 channels at 6×5, 4-bit weights, 6-bit outputs, "
        f"{pieces[1].macs:,} terms"
    )


def test_laws_have_the_area_of_the_histogram() -> None:
    counts = tuple(float(10 - abs(i - 10)) for i in range(21))
    row = Histogram(tuple(i / 4 for i in range(22)), counts, 0.1, 0.2)
    plot = histogram("add", row)
    assert [line.style for line in plot.lines] == ["bars add", "law gaussian", "law laplacian"]
    assert plot.y.high >= max(counts) / sum(counts) * 4, "the tallest bar, as a density"


def test_gain_is_at_equal_accuracy_and_at_equal_luts() -> None:
    ours = [finalist(0.95, 80, 5), finalist(0.9, 40, 9)]
    theirs = [finalist(0.92, 100, 10), finalist(0.8, 20, 10)]
    gains = gain(ours, theirs, ("hybrid", "add"), "add")
    assert gains
    assert gains.accuracy == 0.92
    assert gains.saved("lut") == pytest.approx(0.2)
    assert gains.saved("latency_us") == pytest.approx(0.5)
    assert gains.ahead == pytest.approx(0.03)
    assert gain(ours, [], ("hybrid", "add"), "add") is None


def test_the_better_front_has_the_larger_volume() -> None:
    better, worse = [finalist(0.95, 80, 5)], [finalist(0.94, 90, 6)]
    large, small, none = volumes([better, worse, []], 10)
    assert large > small > none == 0


@pytest.mark.parametrize(
    ("saved", "text"),
    [(0.31, "31 % fewer LUTs"), (-0.5, "50 % more LUTs"), (-3.44, "4.4 times the LUTs")],
)
def test_headline_words_losses_as_plainly_as_gains(saved: float, text: str) -> None:
    ours = [finalist(0.9, 100 * (1 - saved), 5)]
    gains = gain(ours, [finalist(0.9, 100, 5)], ("hybrid", "add"), "add")
    assert gains
    assert f"At 90.0 %, hybrid takes {text}, 0 % less latency" in beats(gains)
