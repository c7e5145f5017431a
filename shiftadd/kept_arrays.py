"""Arrays that a caller gave, in a file: what is trained on them finds them again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.files import write

FOLDER = Path("build/data")
NAMES = ("x_train", "y_train", "x_test", "y_test")


def keep_arrays(arrays: Sequence[Any], classes: Sequence[str] = ()) -> Path:
    """The .npz file of (x, y) or (x, y, x_test, y_test), named by what it holds.

    classes: their names, by number.
    """
    import numpy as np

    named = {name: np.asarray(array) for name, array in zip(NAMES, arrays, strict=False)}
    if classes:
        named["class_names"] = np.array(classes, np.str_)
    digest = hashlib.sha256()
    for name, array in named.items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    path = FOLDER / f"arrays-{digest.hexdigest()[:12]}.npz"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **named)
        write(path, content.getvalue())
    return path
