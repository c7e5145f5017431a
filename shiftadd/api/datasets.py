"""What was understood of a data set: data."""

from __future__ import annotations

import os

from shiftadd.inputs import DataLike, data_of
from shiftadd.requests import PathLike, check_file
from shiftadd.results.datasets import Augmentation, DataOutcome

PLENTY = 10_000
"""Weights of a network that is not tiny, for which augmentation is told."""


def data(data: DataLike, *, out: PathLike | None = None) -> DataOutcome:
    """What was understood of a data set, and what training does to its images by default.

    data: a data set by name or path, a Dataset, or arrays: (x, y) or (x, y, x_test, y_test).
    out: PNG file for a sheet of examples. Raises ShiftaddError.

    >>> told = shiftadd.data("digits", out="digits.png")
    >>> told.summary.train, told.summary.test, told.summary.unbalanced
    (1437, 360, False)
    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).random((60, 4)), np.arange(60) % 3
    >>> shiftadd.data((x, y)).summary.table
    True
    """
    picture = check_file(out)
    from model.data.sheet import sheet
    from model.data.summary import summarise
    from model.files import write
    from model.recipe import recipe_for

    known = data_of(data)
    recipe = recipe_for(known, PLENTY)
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        write(picture, sheet(known))
    place = os.fspath(data) if isinstance(data, str | os.PathLike) else known.source
    augmented = Augmentation(recipe.shift, recipe.flips)
    return DataOutcome(summarise(known), augmented, place, picture)
