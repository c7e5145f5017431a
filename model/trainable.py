"""What all trainable layers have in common, and those that have nothing to train."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from model import spec

STAGES = ("float", "quantised", "integer")


class TrainableLayer(nn.Module):
    """A step of the graph. `stage`, `frac_in` and `high_in` are set by the net around it."""

    stage = "integer"
    frac_in = 0
    """Binary point of the input."""
    high_in = 255
    """Largest magnitude of an input integer."""

    @property
    def as_exported(self) -> bool:
        """Whether its integers must be those of `model.net.export`: they are then worked out on the
        CPU, as logarithms and roots of a GPU may differ in their last digit."""
        return self.stage == "integer" and not self.training

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> TrainableLayer:
        """As nn.Module moves a layer to a device; but a binary point stays on the CPU, as its value
        is asked for at every step."""
        point = self._buffers.get("point")
        super()._apply(fn, recurse)
        if point is not None:
            self._buffers["point"] = point
        return self

    def node(self, name: str, inputs: tuple[str, ...]) -> spec.Node:
        raise NotImplementedError


class MaxPoolLayer(TrainableLayer):
    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, self.kernel, self.stride)

    def node(self, name: str, inputs: tuple[str, ...]) -> spec.Node:
        return spec.MaxPool(name, inputs, self.kernel, self.stride)


class SumPool(TrainableLayer):
    """Sum over each window, or over the image when `kernel` is 0; the RequantiseLayer behind it
    divides."""

    def __init__(self, kernel: int = 0, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if not self.kernel:
            return x.sum((2, 3), keepdim=True)
        return F.avg_pool2d(x, self.kernel, self.stride, divisor_override=1)

    def node(self, name: str, inputs: tuple[str, ...]) -> spec.Node:
        if not self.kernel:
            return spec.GlobalAvgPool(name, inputs)
        return spec.AvgPool(name, inputs, self.kernel, self.stride)


class Sum(TrainableLayer):
    """Residual: a + b, whose binary points are aligned by `shifts`."""

    shifts = (0, 0)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b

    def node(self, name: str, inputs: tuple[str, ...]) -> spec.Node:
        return spec.Add(name, inputs, self.shifts)
