"""How deep memories lie in blocks of RAM of 18 Kbit, as ECP5 and Gowin have them."""

from __future__ import annotations

SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Rows and bits of a block, at each width."""


def part_rows(depth: int, width: int) -> int:
    """Rows in which `depth` words of `width` bits take the fewest blocks.

    Of several the most rows, with the fewest words beside each other: ⌈depth / rows⌉.
    """

    def blocks(shape: tuple[int, int]) -> tuple[int, int]:
        rows, bits = shape
        return -(-width * -(-depth // rows) // bits), -rows

    return min(SHAPES, key=blocks)[0]
