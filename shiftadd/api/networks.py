"""From data to a network: train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shiftadd.inputs import (
    ArchitectureLike,
    DataLike,
    NetworkLike,
    architecture_of,
    data_of,
    file_name,
    network_of,
)
from shiftadd.requests import PathLike, check_folder, check_numbers
from shiftadd.results import TrainOutcome

if TYPE_CHECKING:
    from model.recipe import Recipe


def train(
    arch: ArchitectureLike,
    *,
    data: DataLike,
    epochs: int | None = None,
    seed: int = 0,
    out: PathLike | None = None,
    resume: bool = False,
    force: bool = False,
    teacher: NetworkLike | None = None,
    batch: int | None = None,
    rate: float | None = None,
    smoothing: float | None = None,
    shift: int | None = None,
    flips: bool | None = None,
    weighted: bool | None = None,
    sparsity: float | None = None,
    fit_classes: bool = False,
    recipe: Recipe | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> TrainOutcome:
    """Trains one architecture to an integer Network, in the folder network/ of `out`.

    arch: a built-in one, which takes its input and classes from the data, a JSON file or an
    Architecture, which do so with `fit_classes`. data: a data set by name or path, a
    Dataset, or arrays: (x, y) or (x, y, x_test, y_test). epochs: passes over the training part; by
    default what suits its size. out: of the run; default runs/ARCH-DATA-SEED. resume: go on from
    the last checkpoint there. force: put this run in the place of another one there. teacher: a
    trained network to distil from. batch: images a step. rate: of learning. smoothing: of labels,
    below 1. shift: largest translation of images in pixels. flips: mirror half of them. weighted:
    classes count alike. sparsity: share in the loss of the size of the weights, so that more are 0
    and wired layers smaller; 0.3 is much. What is None of these seven is as in `recipe`, by default
    what suits data and network. device: cpu, cuda, or auto: a GPU where there is one. Raises
    ShiftaddError.

    >>> made = shiftadd.train("digits_mlp", data="digits", epochs=2, quiet=True)
    >>> made.accuracy["integer"] > 0.5, made.per_class["0"] > 0.5
    (True, True)
    >>> made.folder
    PosixPath('runs/digits_mlp-digits-0/network')
    """
    check_numbers(
        seed=seed,
        epochs=epochs,
        batch=batch,
        rate=rate,
        smoothing=smoothing,
        shift=shift,
        sparsity=sparsity,
    )
    folder = check_folder(out)
    from model.teacher import Teacher
    from model.train import train as run

    images = data_of(data, keep=True)
    what = architecture_of(arch, images, fit=fit_classes)
    name = f"{file_name(what.name)}-{file_name(images.name)}-{seed}"
    folder = folder or Path("runs") / name
    guide = Teacher(network_of(teacher).network) if teacher is not None else None
    made = run(
        what,
        images,
        epochs=epochs,
        seed=seed,
        out=folder,
        resume=resume,
        force=force,
        teacher=guide,
        recipe=recipe,
        batch=batch,
        rate=rate,
        smoothing=smoothing,
        shift=shift,
        flips=flips,
        weighted=weighted,
        sparsity=sparsity,
        device=device,
        quiet=quiet,
    )
    return TrainOutcome(what.name, images.name, folder / "network", made)
