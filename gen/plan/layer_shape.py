"""What the cost of a layer with a window depends on, and how its windows are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold
from gen.plan.spread import spread
from gen.plan.stored import stored
from model.spec import Window
from rtl.clamp import clamped_bits, pays
from rtl.geometry import Geometry
from rtl.layer import symmetric
from rtl.pe.element import pe


@dataclass(frozen=True)
class LayerShape:
    """All of a layer with a window that its cost depends on, but for the requantiser."""

    kind: str
    depthwise: bool
    window: Window
    x_bits: int
    x_signed: bool
    w_bits: int
    weights: int
    acc: int
    channels: int
    out_bits: int
    alive: float
    """Share of the weights' digits that are not zero: constant zeros take no hardware."""
    lane_bits: int
    """Bits of an input that is clamped to the range of the weights, see rtl.clamp."""
    symmetric: bool = False
    """No weight is the least of its bits."""
    w_signed: bool = True
    w_step: int = 0

    def clamps(self, f: Any) -> Any:
        """Mask of the foldings whose elements take clamped inputs. f: a Fold or a FoldArray."""
        saved, simd = self.x_bits - self.lane_bits, f.taps * f.lanes
        return (saved > 0) & pays(
            saved=saved, x_bits=self.x_bits, acc_bits=self.acc, simd=simd, pe=f.pe,
            out_lanes=f.out_lanes,
        )  # fmt: skip

    @property
    def shape(self) -> LayerShape:
        """Those that the foldings on offer depend on, with the others left out."""
        return replace(self, acc=0, out_bits=0, alive=1.0, lane_bits=0, w_step=0)


@lru_cache(256)
def layer_shape(layer: LoweredLayer) -> LayerShape:
    """LayerShape of a layer with a window."""
    place, x = layer.window, layer.sources[0]
    assert place is not None
    held = stored(layer)
    weights, bits = (held.values, held.bits) if held else (None, 0)
    alive = 1.0 if weights is None else pe(layer.kind).live_share(weights, bits)
    lane_bits = x.bits
    if weights is not None and pe(layer.kind).CLAMPS and not layer.depthwise:
        lane_bits = clamped_bits(weights, x.bits, x.signed)
    return LayerShape(
        layer.kind, layer.depthwise, place, x.bits, x.signed, bits,
        0 if weights is None else weights.size,
        layer.sums.bits if layer.blocks else layer.sum_bits, layer.sums.shape[2], layer.out.bits,
        alive, lane_bits, symmetric(weights, bits), held is None or held.signed,
        held.step if held else 0,
    )  # fmt: skip


def placed(spot: Window, **folding: Any) -> Geometry:
    """The windows of `spot`; folding: fields of Geometry, by default one channel a word."""
    h, w, c = spot.source
    return Geometry(
        height=h, width=w, channels=c, kernel=spot.kernel, stride=spot.stride, pad=spot.pad,
        out=spot.out, **folding,
    )  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """How windows are read by words of some lanes and taps, when each is read once.

    depth: words of the row buffer. image: words of an image. sums: cycles of one output word.
    cycles: of an image. loops: with more than one trip. count: bits of their counters.
    """

    depth: int
    image: int
    sums: int
    cycles: int
    loops: int
    count: int


@lru_cache(1 << 12)
def walk(spot: Window, depthwise: bool, lanes: int, taps: int) -> Walk:
    """The walk over the windows of `spot`."""
    g = placed(spot, lanes=lanes, taps=taps, depthwise=depthwise)
    loops = [n for n in (*g.out, *g.loops.values()) if n > 1]
    return Walk(
        line_buffer_depth(spot, lanes), g.image, g.slots_per_sum, g.cycles, len(loops),
        sum((n - 1).bit_length() for n in loops),
    )  # fmt: skip


@lru_cache(1 << 12)
def line_buffer_depth(spot: Window, lanes: int) -> int:
    """Words of a row buffer."""
    return placed(spot, lanes=lanes).depth


@lru_cache(1 << 10)
def pads(spot: Window) -> bool:
    """A window reaches beyond the image, whatever the folding."""
    return placed(spot).pads


def line_buffer_size(layer: LoweredLayer, fold: Fold) -> tuple[int, int]:
    """Words, and bits of a word, of a layer's row buffer or of its partial pooling results."""
    if layer.window is None:
        return 1, 0
    if fold.weights == "wired":
        place = spread(layer.window, fold.word)
        return placed(place, lanes=fold.lanes).depth, fold.lanes * layer.sources[0].bits
    if not layer.blocks:
        return line_buffer_depth(layer.window, fold.lanes), fold.lanes * layer.sources[0].bits
    cells = layer.sources[0].shape[2] // fold.lanes * layer.out.shape[1]
    return cells, fold.lanes * layer.sums.bits
