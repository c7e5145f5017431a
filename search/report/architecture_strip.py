"""The architecture of a network as a strip: one piece a layer, sized by its work and its width."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from model.arch import Architecture, Block
from model.counts import macs, shapes
from model.spec import Shape

POOLS = ("maxpool", "avgpool", "globalavg")


@dataclass(frozen=True)
class Piece:
    """One block. macs: its terms w·x (or their shift and add counterparts) for one image. bits,
    act_bits: of its weights and its output.

    size: height × width of its output. shrinks: the resolution falls here. grow: width of the piece
    in the strip, relative to the others. tall: height, 0 to 1, by the square root of channels.
    """

    op: str
    kind: str
    kernel: int
    bits: int
    act_bits: int
    channels: int
    macs: int
    size: tuple[int, int]
    shrinks: bool
    grow: float = 0.0
    tall: float = 0.0

    @property
    def pool(self) -> bool:
        return self.op in POOLS

    @property
    def shape(self) -> str:
        """Kernel, or what stands for it."""
        return "dense" if self.op == "dense" else f"{self.kernel}×{self.kernel}"

    @property
    def tip(self) -> str:
        """One line that says everything about the piece."""
        where = f"{self.size[0]}×{self.size[1]}"
        if self.pool:
            return f"{self.op} {self.kernel}×{self.kernel} to {where}"
        kernel = "" if self.op == "dense" else f" {self.kernel}×{self.kernel}"
        return (
            f"{self.kind} {self.op}{kernel}, {self.channels} channels at {where}, "
            f"{self.bits}-bit weights, {self.act_bits}-bit outputs, {self.macs:,} terms"
        )


def strip(arch: Architecture, widest: int = 0) -> list[Piece]:
    """The pieces of `arch`; heights are relative to `widest` channels, by default its own most."""
    made = [_piece(*block) for block in shapes(arch)]
    most = max(widest, *(p.channels for p in made))
    return [_sized(piece, most) for piece in made]


def _sized(piece: Piece, most: int) -> Piece:
    grow = sqrt(piece.macs) if not piece.pool else 0.0
    values = piece.__dict__ | {"grow": round(grow, 1), "tall": sqrt(piece.channels / most)}
    return Piece(**values)


def _piece(block: Block, given: Shape, made: Shape) -> Piece:
    (*before, _), (height, width, channels) = given, made
    size = (height, width)
    kernel = before[0] if block.op == "globalavg" else block.kernel
    shrinks = [*size] != before and block.op != "dense"
    return Piece(
        block.op, block.kind, kernel, block.weight_bits, block.act_bits, channels,
        macs(block, given, made), size, shrinks,
    )  # fmt: skip
