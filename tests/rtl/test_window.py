"""The window reader against plain indexing, with stalls on both sides."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest
from amaranth.hdl import unsigned

from rtl.geometry import Geometry
from rtl.window import SlidingWindow
from tests.support.stream_runner import Context, Stalls, feed, simulate


def expected(g: Geometry, image: list[list[list[int]]]) -> list[list[int]]:
    """Every read of every window of one image, in order."""
    reads = []
    for y in range(g.out[0]):
        for x in range(g.out[1]):
            for slot in range(g.slots_per_window):
                values = []
                for ky, kx, c in g.lanes_of_slot(slot % (g.slots_per_window // g.repeats)):
                    row = y * g.stride[0] - g.pad[0] + ky
                    column = x * g.stride[1] - g.pad[1] + kx
                    inside = 0 <= row < g.height and 0 <= column < g.width
                    values.append(image[row][column][c] if inside else 0)
                reads.append(values)
    return reads


def read_all(
    g: Geometry, images: list[Any], seed: int, stalls: bool, style: str
) -> list[list[int]]:
    dut = SlidingWindow(geometry=g, x_shape=unsigned(8), style=style).component()
    rng = random.Random(seed)
    words = [
        [pixel[f * g.lanes + k] for k in range(g.lanes)]
        for image in images
        for row in image
        for pixel in row
        for f in range(g.folds)
    ]
    total = len(images) * g.pixels * g.slots_per_window
    got: list[list[int]] = []

    async def collect(ctx: Context) -> None:
        late = 0
        sums = 0
        while len(got) < total:
            go = not stalls or rng.random() < 0.7
            ctx.set(dut.en, go)
            ctx.set(dut.halt, not go)
            _, _, valid, first, last, x = await ctx.tick().sample(
                dut.valid, dut.first, dut.last, dut.x
            )
            if go and valid:
                assert first == (sums % g.slots_per_sum == 0)
                sums += 1
                assert last == (sums % g.slots_per_sum == 0)
                got.append(list(x))
            late += 1
            assert late < 40 * total + 1000, f"seed {seed}: only {len(got)} of {total} reads"

    source = partial(feed, stream=dut.i, words=words, stalls=Stalls(0.5 * stalls, seed))
    simulate(dut, source, collect)
    return got


def make(size: int, channels: int, k: int, stride: int, pad: int, **kw: Any) -> Geometry:
    out = (size + 2 * pad - k) // stride + 1
    return Geometry(
        height=size,
        width=size,
        channels=channels,
        kernel=(k, k),
        stride=(stride, stride),
        pad=(pad, pad),
        out=(out, out),
        **kw,
    )


GEOMETRIES = {
    "3x3 same": make(5, 2, 3, 1, 1, lanes=1),
    "3x3 same, both channels": make(5, 2, 3, 1, 1, lanes=2, repeats=2),
    "3x3 valid, three rows at once": make(6, 1, 3, 1, 0, taps=3),
    "3x3 same, whole window": make(6, 1, 3, 1, 1, taps=9, repeats=2),
    "5x5 same, stride 2": make(7, 2, 5, 2, 2, lanes=1),
    "5x5 same, rows at once": make(6, 2, 5, 1, 2, lanes=1, taps=5),
    "3x3 stride 3, rows left over": make(8, 1, 3, 3, 0),
    "1x1": make(4, 4, 1, 1, 0, lanes=2, repeats=3),
    "1x1 stride 2": make(5, 2, 1, 2, 0, lanes=2),
    "depthwise": make(5, 4, 3, 1, 1, lanes=2, depthwise=True),
    "depthwise, whole window": make(5, 4, 3, 2, 1, lanes=2, taps=9, depthwise=True),
    "dense": make(4, 4, 4, 4, 0, lanes=2, repeats=3),
}


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("stalls", [False, True])
@pytest.mark.parametrize("style", ["block", "distributed"])
def test_reads_every_window_in_order(name: str, stalls: bool, style: str, seed: int) -> None:
    g = GEOMETRIES[name]
    rng = random.Random(seed)
    images = [
        [
            [[rng.randrange(256) for _ in range(g.channels)] for _ in range(g.width)]
            for _ in range(g.height)
        ]
        for _ in range(3)
    ]
    got = read_all(g, images, seed, stalls, style)
    want = [read for image in images for read in expected(g, image)]
    assert got == want


def test_rejects_what_cannot_be_folded() -> None:
    with pytest.raises(ValueError, match="lanes must divide 4 channels, not 3"):
        make(4, 4, 1, 1, 0, lanes=3)
    with pytest.raises(ValueError, match="taps must be 1, 3 or 9, not 2"):
        make(4, 4, 3, 1, 1, taps=2)
