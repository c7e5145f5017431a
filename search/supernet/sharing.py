"""Heterogeneous weight sharing: the weights of one layer position, for every kind and size.

ShiftAddNAS (arXiv 2205.08119, section 3.2) found that trained products have Gaussian weights and
trained L1 layers Laplacian ones, and shared them by 100 learnable gains and a KL term between
softmaxes of random samples. Here one closed form takes their place: `to_laplace` maps the quantiles
of the one onto those of the other, so that a tensor held near a Gaussian (`gaussian_distance`, a
distance between sorted values) is Gaussian for products and Laplacian for add, with a location and
a scale per use as the only parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.kinds import kind, plain_kind
from model.ops import ops
from search.space.space import Choice

SHARING = ("heterogeneous", "naive", "none")
LIMIT = 2.0
"""Largest add weight: inputs have two bits before the binary point, and weights that are narrower
have a step and reach as far."""


def to_laplace(z: Tensor) -> Tensor:
    """Laplace quantile of the standard normal's probability: N(0, 1) -> Laplace(0, 1), monotone.

    F_Laplace⁻¹(Φ(z)) = sign(z) · −ln(2 Φ(−|z|)); slope √(2/π) at 0, about |z| far outside.
    """
    tail: Tensor = torch.special.log_ndtr(-z.abs())
    return -torch.sign(z) * (math.log(2) + tail)


def standardise(w: Tensor) -> Tensor:
    """(w − mean) / standard deviation, with both taken as constants."""
    fixed = w.detach()
    return (w - fixed.mean()) / fixed.std().clamp_min(1e-8)


def gaussian_distance(w: Tensor) -> Tensor:
    """Squared 2-Wasserstein distance of the standardised values of `w` to N(0, 1).

    In one dimension that is the mean squared gap of sorted values and quantiles: closed form, and
    it moves every single weight. `to_laplace` being monotone, it bounds the add weights as well.
    """
    values = torch.sort(standardise(w).flatten()).values
    gap: Tensor = values - _quantiles(values.numel()).to(values.device)
    return gap.square().mean()


@cache
def _quantiles(count: int) -> Tensor:
    quantiles: Tensor = torch.special.ndtri((torch.arange(count) + 0.5) / count)
    return quantiles


class Role(NamedTuple):
    """What a weight tensor is for: the layer's choice, the part of its block, kernel height and
    width (for the last layer: of the image that it reads)."""

    choice: Choice
    part: str
    size: tuple[int, int]

    @property
    def shape_name(self) -> str:
        return f"{self.choice.op}_{self.part}_{self.size[0]}x{self.size[1]}"

    @property
    def tensor(self) -> str:
        """The shared tensor that holds its weights."""
        return self.part if self.part in ("depth", "second") else "dense"

    @property
    def norm_name(self) -> str:
        last = self.shape_name if self.part == "last" else f"{self.choice.op}_{self.part}"
        return f"{self.choice.kind}_{last}"


PARTS = {
    "conv": {"dense": ""}, "separable": {"depth": "_depth", "point": "_point"},
    "residual": {"dense": "_a", "second": "_b"},
}  # fmt: skip
"""The weight tensors of each op, in order, and how its Net calls their layers. "dense" is the same
tensor in all of them, as is what "point" is cut out of."""


def roles(choice: Choice) -> tuple[Role, ...]:
    """The weight tensors of a layer, in order."""
    size = (choice.kernel, choice.kernel)
    return tuple(
        Role(choice, part, (1, 1) if part == "point" else size) for part in PARTS[choice.op]
    )


class Position(nn.Module):
    """What the layers that may stand at one place of the network share.

    One tensor mixes channels (`dense`; pointwise layers, too, are cut out of it), one does not
    (`depth`), and one is the second convolution of residual blocks. Beside it stands a multiple of
    the identity, one number for each use: features keep their meaning across layers that may be
    left out or exchanged, as residual connections would have it, and nothing remains of it but the
    weights (RepVGG, arXiv 2101.03697). `cin`, `out`: most channels.
    """

    def __init__(
        self, played: Sequence[Role], cin: int, out: int, *, sharing: str
    ) -> None:  # fmt: skip
        super().__init__()
        self.sharing, self.played = sharing, tuple(played)
        self.cin, self.out = cin, out
        self.weights, self.crops = nn.ParameterDict(), nn.ParameterDict()
        self.affine, self.identities = nn.ParameterDict(), nn.ParameterDict()
        self.norms = nn.ModuleDict()
        for role in played:
            depth = role.part == "depth"
            self._enter(role, max(r.size for r in played if r.tensor == role.tensor))
            self.norms[role.norm_name] = Norm(cin if depth else out, float(depth))
            self._enter_range(role)

    def _enter(self, role: Role, largest: tuple[int, int]) -> None:
        own = self.sharing == "none"
        if (name := self._owner(role)) not in self.weights:
            weight = torch.empty(*self._channels(role), *(role.size if own else largest))
            ops(role.choice.kind if own else plain_kind()).init(weight)
            self.weights[name] = nn.Parameter(weight)
        if self.sharing == "heterogeneous" and role.size != largest:
            self.crops[role.shape_name] = nn.Parameter(_reduction(role, largest))

    def _enter_range(self, role: Role) -> None:
        """The numbers of a use that depend on what its weights can hold."""
        laplacian = kind(role.choice.kind).laplacian
        if role.part != "last" and (name := self._identity(role)) not in self.identities:
            multiple = LIMIT if laplacian and self.sharing != "naive" else 1.0
            begin = 0.0 if role.part == "second" else multiple  # there the block has its own
            self.identities[name] = nn.Parameter(torch.tensor(begin))
        if laplacian and self.sharing == "heterogeneous":
            middle = torch.tensor([LIMIT / 4, LIMIT / 2 / math.sqrt(2)])
            self.affine[self._range(role)] = nn.Parameter(middle)

    def _channels(self, role: Role) -> tuple[int, int]:
        if role.part == "depth":
            return self.cin, 1
        return self.out, self.out if role.part == "second" else self.cin

    def _owner(self, role: Role) -> str:
        """Name of the tensor that holds the weights of `role`."""
        return f"{role.choice.kind}_{role.shape_name}" if self.sharing == "none" else role.tensor

    def _identity(self, role: Role) -> str:
        if self.sharing == "naive":
            return self._owner(role)
        return f"{role.choice.kind}_{role.shape_name}_{role.choice.bits}"

    def _range(self, role: Role) -> str:
        return f"{role.part}_{role.choice.bits}"

    def weight(self, role: Role, shape: torch.Size) -> Tensor:
        """Weights (out, in, k, k), or (classes, in·h·w, 1, 1), of the layer that plays `role`."""
        area = role.size[0] * role.size[1] if role.part == "last" else 1
        w: Tensor = self.weights[self._owner(role)][: shape[0], : shape[1] // area]
        if w.shape[2:] != role.size:
            reduction = self.crops.get(role.shape_name)
            if reduction is None:
                reduction = _reduction(role, (w.shape[2], w.shape[3])).to(w.device)
            w = (w.flatten(2) @ reduction).unflatten(2, role.size)
        if self.sharing == "heterogeneous" and kind(role.choice.kind).laplacian:
            location, scale = self.affine[self._range(role)]
            w = location + scale * to_laplace(standardise(w))
        if role.part != "last":
            near: Tensor = w + self.identities[self._identity(role)] * _identity(w)
            return near
        return w.permute(0, 2, 3, 1).reshape(shape)

    def shape(self, role: Role) -> torch.Size:
        """Of the largest weight tensor that `role` may have here."""
        height, width = role.size
        if role.part == "last":
            return torch.Size((self.out, self.cin * height * width, 1, 1))
        return torch.Size((*self._channels(role), *role.size))

    def norm(self, role: Role, channels: int) -> dict[str, Tensor]:
        """gamma, beta, mean and var of the batch norm behind that layer."""
        norm = self.norms[role.norm_name]
        named = (*norm.named_parameters(), *norm.named_buffers())
        return {name: value[:channels] for name, value in named}


class Norm(nn.Module):
    """Parameters and running statistics of a batch norm, by the names that Requant gives them."""

    def __init__(self, channels: int, beta: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.full((channels,), beta))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))


def _identity(w: Tensor) -> Tensor:
    """1 at the centre of the kernel from each channel to itself, else 0; the shape of `w`."""
    out, cin, height, width = w.shape
    kernel = torch.zeros_like(w)
    same = torch.arange(out if cin == 1 else min(out, cin), device=w.device)
    kernel[same, same * (cin > 1), height // 2, width // 2] = 1.0
    return kernel


def _reduction(role: Role, size: tuple[int, int]) -> Tensor:
    """(taps of `size`, taps of the role): picks the centre of a kernel; for the last layer, sums
    where a smaller image has one pixel."""
    if role.part == "last":
        pooled = F.interpolate(_grid(role.size)[None, None], size, mode="nearest")[0, 0].flatten()
        return (pooled[:, None] == torch.arange(role.size[0] * role.size[1])).float()
    taps = _grid(size)
    top, left = ((have - want) // 2 for have, want in zip(size, role.size, strict=True))
    picked = taps[top : top + role.size[0], left : left + role.size[1]].flatten()
    return torch.eye(size[0] * size[1])[:, picked.long()]


def _grid(size: tuple[int, int]) -> Tensor:
    """The indices of `size` in reading order."""
    return torch.arange(size[0] * size[1]).reshape(size).float()
