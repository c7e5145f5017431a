"""Arrays of files that someone else may have written: safetensors, and checkpoints of torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load

from model.errors import ShiftaddError
from model.records import WAY_OUT, contents

LARGEST = 1 << 25
"""Bytes of a file. As int64 its weights take eight times that."""


def tensors(
    path: Path, *, error: type[ShiftaddError], most: int = LARGEST, way_out: str = WAY_OUT
) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file by their names; raises `error` in one line."""
    content = contents(path, error=error, most=most, way_out=way_out)
    try:
        return dict(load(content))
    except Exception as reason:  # whatever its parser, numpy and struct raise for a damaged file
        words = " ".join(str(reason).split())[:120] or type(reason).__name__
        raise error(f"{path}: not safetensors ({words}); {way_out}") from None
