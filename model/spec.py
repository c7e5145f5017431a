"""The network as data: a small graph of integer operators. Pure data, neither torch nor amaranth.

Tensors are (height, width, channels), channels innermost. Every number is an integer of a known
`Format`; only `Requantise` rounds or clips, every other operator gives its exact result:

    Input ─► Conv/Dense ─► Requantise ─► MaxPool ─► … ─► Dense ─► Requantise ─► Head

`check` says what is wrong with a graph and where; `infer` gives shape and exact range of each
tensor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np

from model.errors import RequestError, ShiftaddError
from model.kinds import kind
from model.records import brief

Shape = tuple[int, int, int]
Padding = Literal["same", "valid"]
LARGEST = (1 << 63) - 1
"""Of any integer of a network."""
EXACT_BITS = 53
"""Of sums that the golden model works out in float64, which has no gap up to there."""
MOST_SHIFT = 48
"""Of Add and Requantise."""
MOST_STEP = 7
"""Of weights."""


class NetworkError(ShiftaddError, ValueError):
    """A graph breaks a rule; the message names node, bad value and rule."""


@dataclass(frozen=True)
class Format:
    """How a tensor's integers are stored; a value stands for integer · 2^−frac."""

    bits: int
    signed: bool = False
    frac: int = 0

    @property
    def lo(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def hi(self) -> int:
        return (1 << (self.bits - self.signed)) - 1


def _own_arrays(node: Conv | Dense | Requantise) -> None:
    """A node keeps integers as an int64 copy in C order, whatever view or type they were given as:
    a reversed view has no tensor, and sums of narrow integers wrap. `check` refuses the rest."""
    for f in fields(node):
        array = getattr(node, f.name)
        if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.integer):
            continue
        if np.can_cast(array.dtype, np.int64) or int(array.max(initial=0)) <= LARGEST:
            object.__setattr__(node, f.name, np.array(array, np.int64, order="C"))


@dataclass(frozen=True)
class Input:
    name: str
    shape: Shape
    format: Format
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Conv:
    """Convolution. weights: (out, kh, kw, in), or (channels, kh, kw, 1) when depthwise.

    `same` pads kernel // 2 zeros on each side, so the output has ceil(size / stride) rows.
    step: weights are multiples of 2^step by `bits` bits each, where their kind has steps.
    """

    name: str
    inputs: tuple[str, ...]
    kind: str
    weights: np.ndarray
    bits: int
    stride: int = 1
    padding: Padding = "same"
    depthwise: bool = False
    step: int = 0

    def __post_init__(self) -> None:
        _own_arrays(self)


@dataclass(frozen=True, eq=False)
class Dense:
    """Fully connected. weights: (out, height·width·channels), channels innermost. step: as of a
    Conv."""

    name: str
    inputs: tuple[str, ...]
    kind: str
    weights: np.ndarray
    bits: int
    step: int = 0

    def __post_init__(self) -> None:
        _own_arrays(self)


@dataclass(frozen=True)
class MaxPool:
    name: str
    inputs: tuple[str, ...]
    kernel: int = 2
    stride: int = 2


@dataclass(frozen=True)
class AvgPool:
    """Sum over each window; the division is part of the Requantise behind it."""

    name: str
    inputs: tuple[str, ...]
    kernel: int = 2
    stride: int = 2


@dataclass(frozen=True)
class GlobalAvgPool:
    """Sum over the image, (1, 1, channels); the Requantise behind it divides."""

    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Add:
    """Residual: a · 2^shifts[0] + b · 2^shifts[1], which aligns two binary points."""

    name: str
    inputs: tuple[str, ...]
    shifts: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Requantise:
    """clip((x · multiplier[c] + offset[c] + half) >> shift, lo, hi), half = 2^(shift−1) or 0 for
    shift 0.

    Batch norm is folded into multiplier and offset; lo and hi are the ends of `format`, so an
    unsigned format is a ReLU.
    """

    name: str
    inputs: tuple[str, ...]
    multiplier: np.ndarray
    offset: np.ndarray
    shift: int
    format: Format

    def __post_init__(self) -> None:
        _own_arrays(self)

    @property
    def half(self) -> int:
        return (1 << self.shift) >> 1


@dataclass(frozen=True)
class Head:
    """Class scores of one image, and the first index of the largest."""

    name: str
    inputs: tuple[str, ...]


Weighted = Conv | Dense
Node = Input | Conv | Dense | MaxPool | AvgPool | GlobalAvgPool | Add | Requantise | Head
NODE_TYPES: dict[str, type] = {
    t.__name__: t
    for t in (Input, Conv, Dense, MaxPool, AvgPool, GlobalAvgPool, Add, Requantise, Head)
}


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes in topological order, first the Input, last the Head.

    `classes` names the outputs. `about` is free provenance (data set, seed, accuracy); it takes no
    part in the content hash.

    >>> from model import store
    >>> network = store.load("net")
    >>> isinstance(network, shiftadd.Network), network.classes, network.weight_count
    (True, ('flat', 'tall'), 72)
    """

    nodes: tuple[Node, ...]
    classes: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise NetworkError(f"no node {name!r}: the network has {', '.join(n.name for n in self)}")

    @property
    def input(self) -> Input:
        first = self.nodes[0]
        assert isinstance(first, Input)
        return first

    @property
    def weight_count(self) -> int:
        return sum(n.weights.size for n in self if isinstance(n, Conv | Dense))


@dataclass(frozen=True)
class Tensor:
    """Shape and exact range of what a node gives; `bits` is the narrowest width for it."""

    shape: Shape
    lo: int
    hi: int

    @property
    def signed(self) -> bool:
        return self.lo < 0

    @property
    def bits(self) -> int:
        return max(width(self.lo, self.signed), width(self.hi, self.signed))


def width(value: int, signed: bool) -> int:
    """Bits that hold `value`, at least 1."""
    return max(1, (value if value >= 0 else ~value).bit_length() + signed)


@dataclass(frozen=True)
class Window:
    """Where a sliding window stands, for convolution, pooling and fully connected nodes."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    """Zero rows above and zero columns left of the image (as many may lie below and right)."""
    source: Shape
    out: tuple[int, int]

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]


def window(node: Node, source: Shape) -> Window:
    """The sliding window of a Conv, Dense or pooling node over an input of shape `source`."""
    h, w, _ = source
    match node:
        case Conv():
            _, kh, kw, _ = node.weights.shape
            pad = (kh // 2, kw // 2) if node.padding == "same" else (0, 0)
            stride = (node.stride, node.stride)
        case MaxPool() | AvgPool():
            kh = kw = node.kernel
            pad, stride = (0, 0), (node.stride, node.stride)
        case Dense() | GlobalAvgPool():
            kh, kw, pad, stride = h, w, (0, 0), (h, w)
        case _:
            raise NetworkError(f"{node.name}: a {type(node).__name__} has no window")
    out = tuple(
        (n + 2 * p - k) // s + 1 for n, p, k, s in zip((h, w), pad, (kh, kw), stride, strict=True)
    )
    if min(out) < 1:
        raise NetworkError(f"{node.name}: a {kh}×{kw} window does not fit its {h}×{w} input")
    return Window((kh, kw), stride, pad, source, (out[0], out[1]))


def flat_weights(node: Weighted) -> np.ndarray:
    """Weights as (out, inputs of one output), in the order in which a window is read."""
    return node.weights.reshape(node.weights.shape[0], -1)


def _infer_node(node: Node, sources: Sequence[Tensor]) -> Tensor:
    if len(sources) != _ARITY[type(node)]:
        raise NetworkError(_arity_message(node, len(sources)))
    if isinstance(node, Input):
        return Tensor(node.shape, node.format.lo, node.format.hi)
    x = sources[0]
    match node:
        case Conv() | Dense():
            low, high = kind(node.kind).bounds(flat_weights(node), min(x.lo, 0), max(x.hi, 0))
            shape = (*window(node, x.shape).out, node.weights.shape[0])
            return Tensor(shape, int(low.min()), int(high.max()))
        case MaxPool():
            return Tensor((*window(node, x.shape).out, x.shape[2]), x.lo, x.hi)
        case AvgPool() | GlobalAvgPool():
            place = window(node, x.shape)
            return Tensor((*place.out, x.shape[2]), x.lo * place.taps, x.hi * place.taps)
        case Add():
            (i, j), y = node.shifts, sources[1]
            return Tensor(x.shape, (x.lo << i) + (y.lo << j), (x.hi << i) + (y.hi << j))
        case Requantise():
            return Tensor(x.shape, *_requantised(node, x))
    return x


def _requantised(node: Requantise, x: Tensor) -> tuple[int, int]:
    multiplier, offset = node.multiplier.astype(object), node.offset.astype(object)
    ends = np.stack([x.lo * multiplier, x.hi * multiplier])
    ends = (ends + offset + node.half) >> node.shift
    lo, hi = (int(np.clip(v, node.format.lo, node.format.hi)) for v in (ends.min(), ends.max()))
    return lo, hi


def _arity_message(node: Node, given: int) -> str:
    kind_of = type(node).__name__
    return f"{node.name}: a {kind_of} takes {_ARITY[type(node)]} input(s), not {given}"


_ARITY: dict[type, int] = dict.fromkeys(NODE_TYPES.values(), 1) | {Input: 0, Add: 2}


def infer(network: Network) -> dict[str, Tensor]:
    """Shape and exact range of each node's output; ranges of sums follow the weights."""
    tensors: dict[str, Tensor] = {}
    for node in network:
        tensors[node.name] = _infer_node(node, [tensors[i] for i in node.inputs])
    return tensors


def check(network: Network) -> dict[str, Tensor]:
    """`infer`, after every rule has been checked; NetworkError at the first broken one."""
    if not network.nodes or not isinstance(network.nodes[0], Input):
        raise NetworkError("a network starts with one Input node")
    if not isinstance(network.nodes[-1], Head):
        raise NetworkError("a network ends with one Head node")
    readers: dict[str, list[Node]] = {}
    tensors: dict[str, Tensor] = {}
    for node in network:
        if node.name in tensors:
            raise NetworkError(f"{node.name}: the name is taken; node names must differ")
        if not (node.name.isidentifier() and node.name.isascii() and len(node.name) <= 64):
            raise NetworkError(
                f"{brief(node.name)}: a node name must be an identifier: 1 to 64 of A–Z, a–z, 0–9 "
                "and _, no digit in front; it names a part of the Verilog"
            )
        for name in node.inputs:
            if name not in tensors:
                raise NetworkError(f"{node.name}: input {name!r} is not an earlier node")
            readers.setdefault(name, []).append(node)
        if len(node.inputs) != _ARITY[type(node)]:
            raise NetworkError(_arity_message(node, len(node.inputs)))
        sources = [tensors[i] for i in node.inputs]
        _check_node(node, sources)
        _check_terms(node, sources)
        tensors[node.name] = _infer_node(node, sources)
        _check_sums(node, sources, tensors[node.name])
    for node in network.nodes:
        _check_readers(node, readers.get(node.name, []))
    if network.classes and len(network.classes) != tensors[network.nodes[-1].name].shape[2]:
        raise NetworkError(
            f"{len(network.classes)} class names for {tensors[network.nodes[-1].name].shape[2]} "
            "scores: they must match"
        )
    if wrong := [name for name in network.classes if _CONTROL.search(name)]:
        raise NetworkError(
            f"class name {brief(wrong[0])}: must hold no control characters; rename the class"
        )
    return tensors


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _check_node(node: Node, sources: Sequence[Tensor]) -> None:
    def need(ok: bool, what: str) -> None:
        if not ok:
            raise NetworkError(f"{node.name}: {what}")

    match node:
        case Input():
            need(min(node.shape) >= 1, f"shape {node.shape} must be positive")
            need(
                1 <= node.format.bits <= 8,
                f"{node.format.bits} input bits: the byte-wide port takes 1 to 8",
            )
        case Conv():
            c = sources[0].shape[2]
            need(node.weights.ndim == 4, f"weights {node.weights.shape} must be (out, kh, kw, in)")
            out, kh, kw, cin = node.weights.shape
            need(kh in (1, 3, 5) and kh == kw, f"kernel {kh}×{kw} must be 1×1, 3×3 or 5×5")
            need(node.stride in (1, 2, 3, 4), f"stride {node.stride} must be 1 to 4")
            need(
                node.padding in ("same", "valid"),
                f"padding {node.padding!r} must be 'same' or 'valid'",
            )
            want = 1 if node.depthwise else c
            need(cin == want, f"weights for {cin} input channels, the input gives {want}")
            need(not node.depthwise or out == c, f"depthwise over {c} channels cannot give {out}")
            _check_weights(node)
        case Dense():
            size = int(np.prod(sources[0].shape))
            need(node.weights.ndim == 2, f"weights {node.weights.shape} must be (out, in)")
            need(
                node.weights.shape[1] == size,
                f"weights for {node.weights.shape[1]} inputs, the input gives {size}",
            )
            _check_weights(node)
        case MaxPool() | AvgPool():
            need(node.kernel >= 1 and node.stride >= 1, "kernel and stride must be at least 1")
        case Add():
            a, b = sources
            need(a.shape == b.shape, f"adds {a.shape} to {b.shape}: shapes must be equal")
            need(min(node.shifts) >= 0, f"shifts {node.shifts} must not be negative")
        case Requantise():
            c = sources[0].shape[2]
            for label, v in (("multiplier", node.multiplier), ("offset", node.offset)):
                need(
                    v.shape == (c,), f"{label} of shape {v.shape}: one integer per channel, ({c},)"
                )
                need(v.dtype == np.int64, f"{label} must be integers, not {v.dtype}")
            need(0 <= node.shift <= MOST_SHIFT, f"shift {node.shift} must be 0 to {MOST_SHIFT}")
            need(1 <= node.format.bits <= 16, f"{node.format.bits} bits: must be 1 to 16")
        case Head():
            need(
                sources[0].shape[:2] == (1, 1),
                f"scores of shape {sources[0].shape}: must be (1, 1, classes)",
            )
            need(sources[0].shape[2] <= 256, f"{sources[0].shape[2]} classes: at most 256")


def _check_terms(node: Node, sources: Sequence[Tensor]) -> None:
    """Numbers from which `_infer_node` finds exact ranges: that of a sum may be small though its
    terms, which the golden model works out one by one, are not."""
    match node:
        case Conv() | Dense():
            flat = flat_weights(node)
            weight = max(-int(flat.min()), int(flat.max()), 0)
            value = max(-sources[0].lo, sources[0].hi)
            _hold(node, "sums of weights and inputs", (weight + 1) * (value + 1) * flat.shape[1])
        case Add():
            for x, shift in zip(sources, node.shifts, strict=True):
                if not shift <= MOST_SHIFT:
                    raise NetworkError(f"{node.name}: shift {shift} must be 0 to {MOST_SHIFT}")
                _hold(node, f"an input shifted by {shift}", max(-x.lo, x.hi) << shift)


def _check_sums(node: Node, sources: Sequence[Tensor], out: Tensor) -> None:
    """What the golden model computes with: int64 for the sums of Add and what Requantise clips,
    float64 for sums of terms and pixels."""
    match node:
        case Conv() | Dense() | AvgPool() | GlobalAvgPool():
            _hold(node, "sums", max(-out.lo, out.hi), EXACT_BITS)
        case Add():
            _hold(node, "sums", max(-out.lo, out.hi))
        case Requantise():
            value = max(-sources[0].lo, sources[0].hi)
            pairs = zip(node.multiplier.tolist(), node.offset.tolist(), strict=True)
            most = max(value * abs(m) + abs(b) + node.half for m, b in pairs)
            _hold(node, "sums of x·multiplier, offset and half", most)


def _hold(node: Node, what: str, most: int, bits: int = 63) -> None:
    """NetworkError where integers up to `most` are more than the golden model holds exactly."""
    if most >= 1 << bits:
        raise NetworkError(
            f"{node.name}: {what} can reach {brief(most)}: the golden model is exact below "
            f"2^{bits}; take smaller weights, multipliers, offsets or shifts"
        )


def _check_weights(node: Weighted) -> None:
    if node.weights.dtype != np.int64:
        raise NetworkError(f"{node.name}: weights must be integers, not {node.weights.dtype}")
    try:
        what = kind(node.kind)
    except RequestError as error:
        raise NetworkError(f"{node.name}: {error}") from None
    if not 2 <= node.bits <= 8:
        raise NetworkError(f"{node.name}: {node.bits} weight bits: must be 2 to 8")
    if not 0 <= node.step <= (MOST_STEP if what.stepped else 0):
        rule = f"0 to {MOST_STEP}" if what.stepped else f"0, as {node.kind} weights have no step"
        raise NetworkError(f"{node.name}: step {node.step} must be {rule}")
    units = node.weights >> node.step
    bad = np.argwhere((units << node.step != node.weights) | ~what.weight_ok(units, node.bits))
    if len(bad):
        at = tuple(int(i) for i in bad[0])
        times = f", times 2^{node.step}" if node.step else ""
        raise NetworkError(
            f"{node.name}: weight {int(node.weights[at])} at {list(at)}: "
            f"{node.bits}-bit {node.kind} weights are {what.rule(node.bits)}{times}"
        )


def _check_readers(node: Node, readers: Sequence[Node]) -> None:
    if isinstance(node, Head):
        if readers:
            raise NetworkError(
                f"{node.name}: nothing may follow the Head, but {readers[0].name} does"
            )
        return
    if not readers:
        raise NetworkError(f"{node.name}: its output is not used")
    exact = isinstance(node, Conv | Dense | AvgPool | GlobalAvgPool | Add)
    if exact and not (len(readers) == 1 and isinstance(readers[0], Requantise)):
        raise NetworkError(
            f"{node.name}: exact sums go to one Requantise, "
            f"not to {', '.join(r.name for r in readers)}"
        )
    if not exact and isinstance(node, Requantise | MaxPool | Input):
        wrong = [r for r in readers if isinstance(r, Requantise)]
        if wrong:
            raise NetworkError(f"{wrong[0].name}: requantises {node.name}, which is no exact sum")
