"""States of torch that someone else may have written: checkpoints, and what they must fit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.errors import ShiftaddError
from model.records import WAY_OUT, brief, contents

LARGEST = 1 << 28
"""Bytes of a checkpoint."""


def load_saved(path: Path, *, error: type[ShiftaddError], way_out: str = WAY_OUT) -> Any:
    """What `torch.save` wrote to `path`: plain containers and tensors, on the CPU.

    Only torch's own archives are read, and by its reader that executes nothing; none is unpacked to
    more than it takes on the disk. Raises `error` in one line for any other file.
    """
    content = contents(path, error=error, most=LARGEST, way_out=way_out)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
        stored = all(part.compress_type == zipfile.ZIP_STORED for part in parts)
        if not stored or sum(part.file_size for part in parts) > len(content):
            raise ValueError("compressed, which torch does not do")
        return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as reason:  # zipfile, pickle and torch raise many types for a damaged file
        words = " ".join(str(reason).split(". ")[0].split())[:120] or type(reason).__name__
        raise error(f"{path}: cannot be read ({words}); {way_out}") from None


def fit_state(
    net: nn.Module,
    state: Any,
    *,
    source: str,
    error: type[ShiftaddError],
    way_out: str = WAY_OUT,
) -> None:
    """Loads `state` into `net`, if it has its very tensors: names, shapes, types.

    Raises `error` in one line, with `net` as it was.
    """
    differs = state_differs(net.state_dict(), state)
    if differs:
        raise error(f"{source}: {differs}; {way_out}")
    net.load_state_dict(state)


def state_differs(wanted: Mapping[str, Tensor], state: Any) -> str:
    """How `state` differs in form from `wanted`, in words; empty where it does not."""
    if not isinstance(state, Mapping):
        return f"a state must be tensors by name, not {type(state).__name__}"
    if other := set(wanted).symmetric_difference(state):
        name = min(other, key=str)
        return f"tensor {brief(name)} is {'missing' if name in wanted else 'unknown'}"
    for name, tensor in wanted.items():
        given = state[name]
        if not isinstance(given, Tensor) or given.layout != torch.strided:
            return f"{brief(name)} is no tensor"
        if (given.shape, given.dtype) != (tensor.shape, tensor.dtype):
            return (
                f"tensor {brief(name)} is {given.dtype} {list(given.shape)}, must be "
                f"{tensor.dtype} {list(tensor.shape)}"
            )
    return ""


def fit_optimiser(
    optimiser: torch.optim.Optimizer,
    state: Any,
    *,
    source: str,
    error: type[ShiftaddError],
    way_out: str = WAY_OUT,
) -> None:
    """Loads the moments in `state` into an Adam, if they are of its parameters.

    Its hyperparameters stay as they are: they follow from the request. Raises `error`.
    """
    own = optimiser.state_dict()
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    moments = state.get("state") if isinstance(state, dict) else None
    if not isinstance(moments, dict) or any(
        type(at) is not int or not 0 <= at < len(parameters) for at in moments
    ):
        raise error(f"{source}: the state of the optimiser is of other parameters; {way_out}")
    for at, row in moments.items():
        like = torch.zeros((), dtype=torch.float32), parameters[at], parameters[at]
        wanted = dict(zip(("step", "exp_avg", "exp_avg_sq"), like, strict=True))
        if differs := state_differs(wanted, row):
            raise error(f"{source}: parameter {at} of the optimiser: {differs}; {way_out}")
    optimiser.load_state_dict({"state": moments, "param_groups": own["param_groups"]})
