"""From data to a network: train."""

from __future__ import annotations

from pathlib import Path

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


def train(
    arch: ArchitectureLike,
    *,
    data: DataLike,
    epochs: int = 60,
    seed: int = 0,
    out: PathLike | None = None,
    resume: bool = False,
    teacher: NetworkLike | None = None,
    quiet: bool = False,
) -> TrainOutcome:
    """Trains one architecture to an integer Network, in the folder network/ of `out`.

    arch: a built-in one, a JSON file or an Architecture. data: a data set by name or path, a
    Dataset, or arrays. out: of the run; default runs/ARCH-DATA-SEED. resume: go on from the last
    checkpoint there. teacher: a trained network to distil from. Raises ShiftaddError.
    """
    check_numbers(seed=seed, epochs=epochs)
    folder = check_folder(out)
    from model.teacher import Teacher
    from model.train import train as run

    what, images = architecture_of(arch), data_of(data, keep=True)
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
        teacher=guide,
        quiet=quiet,
    )
    return TrainOutcome(what.name, images.name, folder / "network", made)
