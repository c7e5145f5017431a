"""Where the windows of a layer stand, and in which order they are read, in plain Python.

Pixels arrive row by row, channels innermost, in words of `lanes` channels. `rtl.window` is the
hardware for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise, product
from math import prod
from typing import NamedTuple


class Hops(NamedTuple):
    """Words between the first words of two windows, which lie side by side, in successive rows, in
    successive images."""

    right: int
    down: int
    image: int


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A window of `kernel` over a (height, width, channels) image.

    pad: rows of zeros above the image, columns of zeros left of it. out: rows, columns of windows.
    lanes: channels in one word of the stream. repeats: times that each window is read (output
    folds). taps: read in one cycle: 1, the kernel's height, or the whole kernel.
    depthwise: channels outermost, so that all taps of one channel word are consecutive.
    """

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    out: tuple[int, int]
    lanes: int = 1
    repeats: int = 1
    taps: int = 1
    depthwise: bool = False

    def __post_init__(self) -> None:
        kh, kw = self.kernel
        if self.channels % self.lanes:
            raise ValueError(f"lanes must divide {self.channels} channels, not {self.lanes}")
        if self.taps not in (1, kh, kh * kw):
            raise ValueError(f"taps must be 1, {kh} or {kh * kw}, not {self.taps}")
        if self.depthwise and self.repeats != 1:
            raise ValueError(f"a depthwise window is read once, not {self.repeats} times")

    @property
    def folds(self) -> int:
        """Words of one pixel."""
        return self.channels // self.lanes

    @property
    def row(self) -> int:
        """Words of one row."""
        return self.width * self.folds

    @property
    def image(self) -> int:
        """Words of one image."""
        return self.height * self.row

    @property
    def pads(self) -> bool:
        """Some window reaches into the padding."""
        rows = (self.row_mask(y) for y in range(self.out[0]))
        columns = (self.column_mask(x) for x in range(self.out[1]))
        masks = (set(rows), set(columns))
        return masks != ({(1 << self.kernel[0]) - 1}, {(1 << self.kernel[1]) - 1})

    @property
    def in_order(self) -> bool:
        """Each word is a window, and is read once: no row buffer is needed."""
        every = self.stride == (1, 1) or self.height == self.width == 1
        return self.kernel == (1, 1) and every and self.slots_per_window == self.folds == 1

    @property
    def pixels(self) -> int:
        """Windows of one image."""
        return self.out[0] * self.out[1]

    @cached_property
    def tap_offsets(self) -> tuple[tuple[int, int], ...]:
        """(row, column) of each tap that is read in the same cycle, counted from the first tap."""
        kh, kw = self.kernel
        columns = range(kw) if self.taps == kh * kw else range(1)
        rows = range(kh) if self.taps > 1 else range(1)
        return tuple(product(rows, columns))

    @cached_property
    def loops(self) -> dict[str, int]:
        """Trip counts of the loops over one window, outermost first."""
        kh, kw = self.kernel
        inner = {
            "ky": kh if self.taps == 1 else 1,
            "kx": kw if self.taps < kh * kw else 1,
        }
        fold = {"fold": self.folds}
        return fold | inner if self.depthwise else {"repeat": self.repeats} | inner | fold

    @property
    def slots_per_sum(self) -> int:
        """Cycles of one output word: SIMD folds."""
        return self.slots_per_window // (self.folds if self.depthwise else self.repeats)

    @property
    def slots_per_window(self) -> int:
        """Cycles of one window: the trips of all loops."""
        return prod(self.loops.values())

    @property
    def cycles(self) -> int:
        """Cycles of one image when neither side ever waits."""
        return self.pixels * self.slots_per_window

    def lanes_of_slot(self, slot: int) -> list[tuple[int, int, int]]:
        """(kernel row, kernel column, channel) of each lane in one read.

        slot: number of the read in a sum, or, when depthwise, in the window.
        """
        where = {}
        for name, trips in reversed(self.loops.items()):
            slot, where[name] = divmod(slot, trips)
        base = where["fold"] * self.lanes
        return [
            (where["ky"] + dy, where["kx"] + dx, base + lane)
            for dy, dx in self.tap_offsets
            for lane in range(self.lanes)
        ]

    def origin(self, y: int, x: int) -> int:
        """Index in the image of the word at a window's upper left corner; may lie before it."""
        return (y * self.stride[0] - self.pad[0]) * self.row + (
            x * self.stride[1] - self.pad[1]
        ) * self.folds

    def needed(self, y: int, x: int) -> int:
        """Words of the image that must have arrived before window (y, x) is read."""
        bottom = min(y * self.stride[0] - self.pad[0] + self.kernel[0], self.height)
        right = min(x * self.stride[1] - self.pad[1] + self.kernel[1], self.width)
        return (bottom - 1) * self.row + right * self.folds

    def dead(self, y: int) -> int:
        """Words of the image that no window of a row after y reads."""
        if y == self.out[0] - 1:
            return self.image
        return max(0, (y + 1) * self.stride[0] - self.pad[0]) * self.row

    @cached_property
    def depth(self) -> int:
        """Words of the ring, a power of two: rows in use, and room for the next ones to arrive."""
        rows = range(self.out[0])
        kept = [0, *(self.dead(y) for y in rows)]
        last = self.out[1] - 1
        in_use = max(self.needed(y, last) - kept[y] for y in rows)
        ahead = max(
            [self.needed(y + 1, last) - self.needed(y, last) for y in rows[:-1]]
            + [self.needed(0, last) + self.image - self.needed(rows[-1], last)]
        )
        ahead = min(ahead, self.stride[0] * self.row)
        return 1 << (in_use + ahead - 1).bit_length()

    @cached_property
    def column_steps(self) -> list[int]:
        """Further words that the window right of column x needs."""
        return [self.needed(0, x + 1) - self.needed(0, x) for x in range(self.out[1] - 1)]

    @cached_property
    def row_steps(self) -> list[int]:
        """Further words that the first window of the next row, or last of the next image, needs."""
        last = self.out[1] - 1
        steps = [self.needed(y + 1, 0) - self.needed(y, last) for y in range(self.out[0] - 1)]
        return [*steps, self.needed(0, 0) + self.image - self.needed(self.out[0] - 1, last)]

    @cached_property
    def released(self) -> list[int]:
        """Words that become free at the end of each row of windows."""
        dead = [0, *(self.dead(y) for y in range(self.out[0]))]
        return [b - a for a, b in pairwise(dead)]

    def steps(self) -> tuple[list[int], list[int]]:
        """For each window in order: further words the next one needs, and words free after it."""
        needs, frees = [], []
        for y in range(self.out[0]):
            needs += [*self.column_steps, self.row_steps[y]]
            frees += [0] * (self.out[1] - 1) + [self.released[y]]
        return needs, frees

    @cached_property
    def hops(self) -> Hops:
        """From a window to the next, in words."""
        first, last = self.origin(0, 0), self.origin(self.out[0] - 1, self.out[1] - 1)
        return Hops(
            right=self.origin(0, 1) - first,
            down=self.origin(1, 0) - self.origin(0, self.out[1] - 1),
            image=self.image + first - last,
        )

    @cached_property
    def slack_range(self) -> tuple[int, int]:
        """Least and most words that may have come beyond those that a window needs, while none has
        begun whose own have not come."""
        needs, frees = self.steps()
        needed = [self.needed(0, 0), *(self.needed(0, 0) + n for n in accumulate(needs))]
        gone = [0, *accumulate(frees)]
        most = self.depth + max(a - b for a, b in zip(gone, needed, strict=True))
        return min(-needed[0], -max(needs)), most

    @cached_property
    def fill_range(self) -> tuple[int, int]:
        """Least and most words kept, less the depth; fewer than none where a window frees words
        that have not come."""
        needs, frees = self.steps()
        needed = accumulate(needs[:-1], initial=self.needed(0, 0))
        early = max(a - b for a, b in zip(accumulate(frees), needed, strict=True))
        return -self.depth - max(0, early), 0

    def column_mask(self, x: int) -> int:
        """Bit kx is set where column kx of a window at column x lies inside the image."""
        first = x * self.stride[1] - self.pad[1]
        return sum(1 << k for k in range(self.kernel[1]) if 0 <= first + k < self.width)

    def row_mask(self, y: int) -> int:
        """Bit ky is set where row ky of a window at row y lies inside the image."""
        first = y * self.stride[0] - self.pad[0]
        return sum(1 << k for k in range(self.kernel[0]) if 0 <= first + k < self.height)
