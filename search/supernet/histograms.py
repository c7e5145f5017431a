"""How the trained weights of each kind are distributed, against Gaussian and Laplacian."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import torch
from scipy import stats

from model.kinds import kind
from model.ops import ops
from search.supernet.sharing import Position
from search.supernet.supernet import SuperNet

EDGES = np.linspace(-5, 5, 51)
"""Of the bins, in standard deviations of the tensor."""


@torch.no_grad()
def histograms(supernet: SuperNet) -> dict[str, dict[str, Any]]:
    """By "shared" and kind: `edges`, `counts`, and the Kolmogorov–Smirnov distances `gaussian`,
    `laplacian` to the best fits.

    "shared" is the tensors as they are trained, a kind the weights as its layers use them, with a
    shift's rounded to powers of two. Each tensor is standardised before they are pooled.
    """
    pooled: dict[str, list[np.ndarray]] = defaultdict(list)
    for name, position in supernet.positions.items():
        if not name.startswith("stage"):
            continue
        assert isinstance(position, Position)
        for weight in position.weights.values():
            pooled["shared"].append(_standard(weight))
        for role in position.played:
            weight = position.weight(role, position.shape(role), position.acts[-1])
            if kind(role.choice.kind).uneven:
                weight = ops(role.choice.kind).quantise(weight, role.choice.bits, 0, True)
            pooled[role.choice.kind].append(_standard(weight))
    return {name: _row(np.concatenate(values)) for name, values in pooled.items()}


def _standard(weight: torch.Tensor) -> np.ndarray:
    w = weight.detach().cpu().double().numpy().ravel()
    return np.asarray((w - w.mean()) / max(w.std(), 1e-12))


def _row(values: np.ndarray) -> dict[str, Any]:
    counts = np.histogram(values.clip(EDGES[0], EDGES[-1]), EDGES)[0]
    fits = {"gaussian": stats.norm, "laplacian": stats.laplace}
    distances = {
        name: float(stats.ks_1samp(values, law(*law.fit(values)).cdf).statistic)
        for name, law in fits.items()
    }
    return {"edges": EDGES.tolist(), "counts": counts.tolist()} | distances
