"""A trainable network built from an Architecture: the spec's graph with a TrainableLayer at each
node."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from math import prod

import torch
from torch import Tensor, nn

from model.arch import Architecture, Block, validate
from model.device import CPU
from model.layers import REACH, RequantiseLayer, Weighted
from model.quant import best_frac
from model.spec import Format, Head, Input, Network, Shape, check
from model.trainable import STAGES, MaxPoolLayer, Sum, SumPool, TrainableLayer

SCORE_REACH = 16.0
"""Range of scores, until calibrated."""


See = Callable[[str, TrainableLayer, list[Tensor]], None]
"""Is told a layer's name, the layer, and what it is about to read."""


class Net(nn.Module):
    """`forward` takes integer images (N, H, W, C) and gives scores (N, classes) as reals."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = validate(arch)
        self.layers = nn.ModuleDict()
        self.sources: dict[str, tuple[str, ...]] = {}
        self.shapes: dict[str, Shape] = {"image": arch.shape}
        self.last = "image"
        for index, block in enumerate(arch.blocks):
            _ADD[block.op](self, f"{block.op}{index}", block)
        self.stage("quantised")

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def input_format(self) -> Format:
        return Format(self.arch.input_bits, False, self.arch.input_bits)

    def add(self, name: str, layer: TrainableLayer, shape: Shape, *sources: str) -> str:
        """Append a layer that reads `sources` (default: the last one) and gives `shape`."""
        self.layers[name] = layer
        self.sources[name] = sources or (self.last,)
        self.shapes[name] = shape
        self.last = name
        return name

    def stage(self, stage: str) -> Net:
        """Put every layer into `stage` and pass the binary points along the graph."""
        if stage not in STAGES:
            raise ValueError(f"stage {stage!r} must be one of {', '.join(STAGES)}")
        forms = {"image": self.input_format}
        for name, layer in self.steps():
            layer.stage = stage
            given = [forms[source] for source in self.sources[name]]
            layer.frac_in = max(form.frac for form in given)
            layer.high_in = max(max(-form.lo, form.hi) for form in given)
            if isinstance(layer, Sum):
                a, b = given
                layer.shifts = (layer.frac_in - a.frac, layer.frac_in - b.frac)
            unrounded = Format(given[0].bits, given[0].signed, layer.frac_in)
            forms[name] = layer.format if isinstance(layer, RequantiseLayer) else unrounded
        return self

    def steps(self) -> list[tuple[str, TrainableLayer]]:
        return [
            (name, layer)
            for name, layer in self.layers.items()
            if isinstance(layer, TrainableLayer)
        ]

    def forward(self, images: Tensor) -> Tensor:
        return self.values(images)[self.last].flatten(1)

    def values(self, images: Tensor, keep: Collection[str] = ()) -> dict[str, Tensor]:
        """Outputs of the layers in `keep` and of the last one, as reals (N, C, H, W)."""
        outputs = self.walk(images)
        return {name: outputs[name] for name in (*keep, self.last)}

    def walk(self, images: Tensor, see: See = lambda name, layer, given: None) -> dict[str, Tensor]:
        """All outputs by name; `see` is called with each layer before it computes."""
        outputs = {"image": images.permute(0, 3, 1, 2).float() * 2.0**-self.input_format.frac}
        for name, layer in self.steps():
            given = [outputs[source] for source in self.sources[name]]
            see(name, layer, given)
            outputs[name] = layer(*given)
        return outputs

    @torch.no_grad()
    def calibrate(self, images: Tensor) -> None:
        """Choose each activation's binary point: least squared error over `images`; and steps."""
        self.walk(images, lambda name, layer, given: self._fit(layer, given[0]))

    def _fit(self, layer: TrainableLayer, given: Tensor) -> None:
        if isinstance(layer, Weighted):
            layer.fit_step(given)
        self.fit_point(layer, given)

    def fit_point(self, layer: TrainableLayer, sums: Tensor) -> None:
        """The binary point of a RequantiseLayer: least squared error over the sums that reach
        it."""
        if isinstance(layer, RequantiseLayer):
            layer.point.fill_(best_frac(layer.normalise(sums), layer.bits, layer.signed))
            self.stage(layer.stage)


def export(net: Net, classes: tuple[str, ...] = ()) -> Network:
    """The integer Network that `net` computes in stage "integer" and eval mode, checked; worked out
    on the CPU, wherever `net` is."""
    net.stage("integer").eval()
    net = net if net.device == CPU else copy.deepcopy(net).to(CPU)
    nodes = [layer.node(name, net.sources[name]) for name, layer in net.steps()]
    image = Input("image", net.arch.shape, net.input_format)
    about = {"architecture": net.arch.name, "architecture_id": net.arch.id}
    network = Network((image, *nodes, Head("scores", (net.last,))), classes, about)
    check(network)
    return network


def _requant(
    net: Net, name: str, channels: int, bits: int, *, signed: bool = False, reach: float = REACH,
    norm: bool = True, gain: float = 1.0,
) -> str:  # fmt: skip
    h, w, _ = net.shapes[net.last]
    layer = RequantiseLayer(
        channels, bits, signed=signed, reach=reach, norm=norm, gain=gain,
        style=net.arch.multiplier, multiplier_bits=net.arch.multiplier_bits,
    )  # fmt: skip
    return net.add(f"{name}_q", layer, (h, w, channels))


def _bits(net: Net, name: str) -> int:
    """Bits of the numbers that layer `name`, or the image, gives to weights."""
    if name == "image":
        return net.arch.input_bits
    layer = net.layers[name]
    return layer.bits if isinstance(layer, RequantiseLayer) else _bits(net, net.sources[name][0])


def _convolve(
    net: Net, name: str, block: Block, *, out: int, kernel: int, stride: int = 1,
    signed: bool = False, depthwise: bool = False,
) -> str:  # fmt: skip
    h, w, cin = net.shapes[net.last]
    layer = Weighted(
        block.kind, cin, out, bits=block.weight_bits, kernel=kernel, stride=stride,
        padding="valid" if block.padding == "valid" else "same", depthwise=depthwise,
        x_bits=_bits(net, net.last),
    )  # fmt: skip
    h, w = ((n + 2 * layer.pad - kernel) // stride + 1 for n in (h, w))
    net.add(name, layer, (h, w, out))
    return _requant(net, name, out, block.act_bits, signed=signed)


def _conv(net: Net, name: str, block: Block) -> None:
    _convolve(net, name, block, out=block.channels, kernel=block.kernel, stride=block.stride)


def _depthwise(net: Net, name: str, block: Block) -> None:
    channels = net.shapes[net.last][2]
    _convolve(
        net, name, block, out=channels, kernel=block.kernel, stride=block.stride, depthwise=True
    )


def _separable(net: Net, name: str, block: Block) -> None:
    _depthwise(net, f"{name}_depth", block)
    _convolve(net, f"{name}_point", block, out=block.channels, kernel=1)


def _residual(net: Net, name: str, block: Block) -> None:
    source = net.last
    _convolve(net, f"{name}_a", block, out=block.channels, kernel=block.kernel, stride=block.stride)
    main = _convolve(net, f"{name}_b", block, out=block.channels, kernel=block.kernel, signed=True)
    shape, skip = net.shapes[main], source
    if net.shapes[source] != shape:
        net.last = source
        skip = _convolve(
            net,
            f"{name}_skip",
            block,
            out=block.channels,
            kernel=1,
            stride=block.stride,
            signed=True,
        )
    net.add(name, Sum(), shape, main, skip)
    _requant(net, name, block.channels, block.act_bits, norm=False)


def _dense(net: Net, name: str, block: Block) -> None:
    last = name == f"dense{len(net.arch.blocks) - 1}"
    size = prod(net.shapes[net.last])
    layer = Weighted(
        block.kind, size, block.channels, bits=block.weight_bits, dense=True,
        x_bits=_bits(net, net.last),
    )  # fmt: skip
    net.add(name, layer, (1, 1, block.channels))
    _requant(
        net, name, block.channels, block.act_bits, signed=last, reach=SCORE_REACH if last else REACH
    )


def _pooled(net: Net, block: Block) -> Shape:
    h, w, c = net.shapes[net.last]
    height, width = ((n - block.kernel) // block.stride + 1 for n in (h, w))
    return height, width, c


def _maxpool(net: Net, name: str, block: Block) -> None:
    net.add(name, MaxPoolLayer(block.kernel, block.stride), _pooled(net, block))


def _avgpool(net: Net, name: str, block: Block) -> None:
    shape = _pooled(net, block)
    net.add(name, SumPool(block.kernel, block.stride), shape)
    _requant(net, name, shape[2], block.act_bits, norm=False, gain=block.kernel**-2)


def _globalavg(net: Net, name: str, block: Block) -> None:
    h, w, c = net.shapes[net.last]
    net.add(name, SumPool(), (1, 1, c))
    _requant(net, name, c, block.act_bits, norm=False, gain=1 / (h * w))


_ADD = {
    "conv": _conv, "depthwise": _depthwise, "separable": _separable, "residual": _residual,
    "dense": _dense, "maxpool": _maxpool, "avgpool": _avgpool, "globalavg": _globalavg,
}  # fmt: skip
