"""From the supernet to one network: inherited weights, batch norms recalibrated, a score."""

from __future__ import annotations

import torch
from torch import Tensor

from model.data import Dataset
from model.device import repeatable
from model.epoch import evaluate
from model.layers import RequantiseLayer
from model.net import Net
from model.trainable import TrainableLayer
from search.space.space import Candidate
from search.supernet.supernet import SuperNet, is_mean

RECALIBRATION = 512
"""Images whose statistics a batch norm takes: those of training are a blend of many networks'."""


def inherit(supernet: SuperNet, candidate: Candidate, images: Tensor) -> Net:
    """The candidate's own Net in stage "quantised" and eval mode, ready to train, score or export;
    on the device of the supernet.

    Batch norms have the exact statistics of `images` (N, H, W, C integers), layer by layer with
    the quantised layers before them; binary points are the supernet's, but for means over the
    image and the scores, which no add weight depends on: there, those with the least error.
    """
    net = supernet.net(candidate)
    with repeatable(net.device):
        recalibrate(net, images.to(net.device))
    return net


@torch.no_grad()
def recalibrate(net: Net, images: Tensor) -> None:
    """Take the statistics of each batch norm, in order, from what reaches it."""
    net.stage("quantised").eval()

    def see(name: str, layer: TrainableLayer, given: list[Tensor]) -> None:
        if not isinstance(layer, RequantiseLayer):
            return
        if layer.norm:
            mean = given[0].mean((0, 2, 3))  # in two passes a quarter of the time of torch.var_mean
            layer.mean.copy_(mean)
            layer.var.copy_((given[0] - mean[:, None, None]).square_().mean((0, 2, 3)))
        if name == net.last or is_mean(net, name):
            net.fit_point(layer, given[0])

    net.walk(images, see)


def score(
    supernet: SuperNet, candidate: Candidate, data: Dataset, count: int = 1000,
    calibration: int = RECALIBRATION,
) -> float:  # fmt: skip
    """Share of the first `count` test images that the inherited network gets right.

    Batch norms are recalibrated on the first `calibration` training images. `data` is the split
    of the search, whose test part is the validation part (`model.data.validation_split`).
    """
    net = inherit(supernet, candidate, torch.from_numpy(data.train_images[:calibration]))
    images, labels = (torch.from_numpy(a[:count]) for a in (data.test_images, data.test_labels))
    return evaluate(net, images, labels)
