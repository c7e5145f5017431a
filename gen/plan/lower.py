"""From nodes to the layers that hardware is made of: each operator with its requantiser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from model.kinds import KindError
from model.spec import (
    Add,
    AvgPool,
    Conv,
    Dense,
    GlobalAvgPool,
    Head,
    Input,
    MaxPool,
    Network,
    Node,
    Requantise,
    Tensor,
    Window,
    check,
    width,
    window,
)
from rtl.pe.element import elements


@dataclass(frozen=True, eq=False)
class LoweredLayer:
    """One operator with the Requantise behind it, if any; named as the last of its nodes."""

    name: str
    op: Node
    requantise: Requantise | None
    inputs: tuple[str, ...]
    """Names of the layers that it reads."""
    sources: tuple[Tensor, ...]
    """Their outputs."""
    sums: Tensor
    """Output of the operator itself, before the requantiser."""
    out: Tensor
    window: Window | None

    @property
    def kind(self) -> str:
        """Kind of a Conv or Dense; else max, sum (mean), or the operator's name in lower case."""
        if isinstance(self.op, Conv | Dense):
            return self.op.kind
        return {MaxPool: "max", AvgPool: "sum", GlobalAvgPool: "sum"}.get(
            type(self.op), type(self.op).__name__.lower()
        )

    @property
    def depthwise(self) -> bool:
        return isinstance(self.op, MaxPool | AvgPool | GlobalAvgPool) or (
            isinstance(self.op, Conv) and self.op.depthwise
        )

    @property
    def blocks(self) -> bool:
        """A pooling layer whose windows do not overlap, so that it needs no line buffer."""
        pools = isinstance(self.op, MaxPool | AvgPool | GlobalAvgPool)
        return pools and self.window is not None and self.window.kernel == self.window.stride

    @property
    def sum_bits(self) -> int:
        """Signed bits of an accumulator: the exact range of the sums."""
        return max(2, width(self.sums.lo, True), width(self.sums.hi, True))

    @property
    def macs(self) -> int:
        """Terms of all sums of one image."""
        if not isinstance(self.op, Conv | Dense):
            return 0
        h, w, _ = self.sums.shape
        return h * w * self.op.weights.size


@lru_cache(8)
def lower(network: Network) -> tuple[LoweredLayer, ...]:
    """The layers in topological order, Input first and Head last; the same ones for one Network, as
    what is worked out of a layer is kept by it.

    Raises NetworkError as `check` does.
    """
    tensors = check(network)
    behind = {n.inputs[0]: n for n in network if isinstance(n, Requantise)}
    layers: list[LoweredLayer] = []
    for node in network:
        if isinstance(node, Requantise):
            continue
        if isinstance(node, Conv | Dense) and node.kind not in elements():
            raise KindError(
                f"layer {node.name}: kind {node.kind!r} has no rtl/pe/{node.kind}.py; "
                "docs/kinds.md says what it holds"
            )
        requantise = behind.get(node.name)
        name = requantise.name if requantise else node.name
        sources = tuple(tensors[i] for i in node.inputs)
        windowed = not isinstance(node, Input | Head | Add)
        layers.append(
            LoweredLayer(
                name=name,
                op=node,
                requantise=requantise,
                inputs=node.inputs,
                sources=sources,
                sums=tensors[node.name],
                out=tensors[name],
                window=window(node, sources[0].shape) if windowed else None,
            )
        )
    return tuple(layers)
