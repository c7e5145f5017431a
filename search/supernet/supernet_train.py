"""Training a supernet: once for a data set and a space, kept by hash, used for every board.

On several GPUs (or processes): `torchrun --nproc-per-node N -m search.supernet.supernet_train
--data D --space S --out FOLDER`; each takes its part of every batch, and gradients are averaged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import torch
from safetensors.torch import save as save_tensors

from model import data as datasets
from model.augment import batches
from model.checkpoint import CHECKPOINT, LOG, State, TrainingRun
from model.data import Dataset
from model.device import AUTO, DEVICES, device_of, repeatable
from model.epoch_log import epochs_shown
from model.files import write
from model.recipe import set_rate, stage_of, threads
from model.records import Digest, FileHead, Whole, contents, convert, decode, read
from model.saved import LARGEST, fit_state
from model.tensors import tensors
from search.space import space_files
from search.space.space import Space, SpaceError
from search.supernet import distributed
from search.supernet.histograms import histograms
from search.supernet.inherit import score
from search.supernet.sandwich import SuperRecipe, draw, groups, learn, regularise, teacher
from search.supernet.supernet import SuperNet

FORMAT, VERSION = "shiftadd-supernet", 1
WEIGHTS, ABOUT = "supernet.safetensors", "supernet.json"
PROBES = 8
"""Random networks whose mean inherited accuracy the curve shows, the same in every epoch."""


class _About(TypedDict):
    """What supernet.json must have, beside format and version."""

    hash: Digest
    space: dict[str, Any]
    sharing: str
    weights: Whole
    unshared_weights: Whole


def train_supernet(
    space: Space, data: Dataset, *, sharing: str = "heterogeneous", epochs: int, seed: int = 0,
    out: Path, resume: bool = True, quiet: bool = False, recipe: SuperRecipe | None = None,
    device: str = AUTO,
) -> SuperNet:  # fmt: skip
    """A supernet of `space`, trained on the training part of `data`; in eval mode, on the CPU.

    The test part of `data` must be a validation split: it makes the curve. `out` receives
    supernet.safetensors and supernet.json; a supernet that is already there with the same hash (of
    space, data, sharing, epochs, seed and recipe) is returned at once, another one is refused, and
    an interrupted training goes on after its last full epoch. Without `resume` what is there is
    replaced. device: see model.device.device_of; it is no part of the hash. Raises SpaceError,
    TrainError, RequestError, FolderInUseError where another process trains in `out`.
    """
    if epochs < 1:
        raise SpaceError(f"supernet epochs {epochs} must be at least 1")
    recipe = recipe or recipe_for(data)
    request = _request(space, data, sharing, epochs, seed, recipe)
    if resume and (out / ABOUT).is_file():
        about = read_about(out)
        if about["hash"] == _hash(request):
            return load_supernet(out, space)
        raise _another(out, about, request)
    where = device_of(device)
    with distributed.group(where), threads(recipe.threads), repeatable(where), ExitStack() as held:
        torch.manual_seed(seed)
        supernet = SuperNet(space, sharing).to(where)
        optimiser = torch.optim.AdamW(groups(supernet, recipe), betas=(0.9, 0.99), fused=True)
        run = TrainingRun(out if distributed.first() else None, {"hash": _hash(request)})
        held.enter_context(run.held())
        state = run.restore(supernet, optimiser) if resume else run.fresh()
        parts = supernet.state_dict(), optimiser.state_dict(), vars(state)
        weights, moments, stand = distributed.agree(*parts)
        supernet.load_state_dict(weights)
        optimiser.load_state_dict(moments)
        state = State(**stand)
        hidden = quiet or not distributed.first()
        with epochs_shown(hidden, "supernet", epochs, state.epoch) as say:
            for epoch in range(state.epoch, epochs):
                row = _epoch(supernet, optimiser, data, recipe, epoch, epochs, seed)
                state.epoch, state.seconds = epoch + 1, state.seconds + row["seconds"]
                run.record(row, supernet, optimiser, state)
                say(state.epoch, f"largest {row['largest']:.3f} random {row['random']:.3f}")
        supernet.cpu().eval()
        if distributed.first():
            _save(supernet, request, out)
    return supernet


def recipe_for(data: Dataset) -> SuperRecipe:
    """Batches and translations that fit the size of the images; tables are not moved."""
    side = min(data.shape[:2])
    shift, flips = (0, False) if data.table else (min(max(1, side // 14), side - 1), data.flips)
    return SuperRecipe(batch=32 if side < 16 else 64, shift=shift, flips=flips)


def load_supernet(folder: Path, space: Space) -> SuperNet:
    """The trained supernet in `folder`, for `space`; raises SpaceError, one line."""
    about = read_about(folder)
    if about["space"] != _plain(space):
        raise SpaceError(f"{folder}: its supernet is of another space; train one for {space.name}")
    supernet = SuperNet(space, about["sharing"])
    arrays = tensors(folder / WEIGHTS, error=SpaceError, most=LARGEST, way_out="delete it")
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    fit_state(supernet, state, source=str(folder / WEIGHTS), error=SpaceError, way_out="delete it")
    return supernet.eval()


def _epoch(
    supernet: SuperNet, optimiser: torch.optim.Optimizer, data: Dataset, recipe: SuperRecipe,
    epoch: int, epochs: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Train for one epoch; the row of the curve."""
    began, total = time.monotonic(), 0.0
    images, labels = (
        torch.from_numpy(array).to(supernet.device)
        for array in (data.train_images, data.train_labels)
    )
    steps = -(-len(labels) // recipe.batch)
    rng = random.Random(f"{seed} {epoch}")
    stage = stage_of(recipe, epoch, epochs)
    lots = batches(
        images, labels, size=recipe.batch, shift=recipe.shift, flips=recipe.flips,
        seed=seed * 100_003 + epoch,
    )  # fmt: skip
    supernet.train()
    for step, lot in enumerate(lots, epoch * steps):
        done = step / (epochs * steps)
        set_rate(optimiser, recipe, done)
        optimiser.zero_grad(set_to_none=True)
        students = draw(supernet.space, recipe, done, rng)
        x, y = distributed.share(*lot)
        total += learn(supernet, x, y, students, recipe, stage)
        regularise(supernet, recipe, rng)
        distributed.average(supernet)
        optimiser.step()
    return {
        "epoch": epoch + 1, "loss": total / steps, **probe(supernet, data),
        "seconds": time.monotonic() - began,
    }  # fmt: skip


def probe(supernet: SuperNet, data: Dataset, count: int = 500) -> dict[str, float]:
    """Inherited accuracy of the largest network, and the mean of PROBES random ones."""
    rng = random.Random(0)
    random_ones = [supernet.space.sample(rng) for _ in range(PROBES)]
    largest = score(supernet, teacher(supernet.space), data, count, 128)
    rest = [score(supernet, c, data, count, 128) for c in random_ones]
    return {"largest": largest, "random": sum(rest) / PROBES}


def _plain(space: Space) -> dict[str, Any]:
    """`space` as JSON gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(space)))
    return plain


def _request(
    space: Space, data: Dataset, sharing: str, epochs: int, seed: int, recipe: SuperRecipe
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for array in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        digest.update(array.tobytes())
    return {
        "space": _plain(space), "data": data.name, "data_hash": digest.hexdigest(),
        "sharing": sharing, "epochs": epochs, "seed": seed, "recipe": asdict(recipe),
    }  # fmt: skip


def _hash(request: dict[str, Any]) -> str:
    text = json.dumps([FORMAT, VERSION, request], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_about(folder: Path) -> dict[str, Any]:
    """supernet.json of `folder`; raises SpaceError when it is missing, foreign or damaged."""
    path, head = folder / ABOUT, FileHead(FORMAT, VERSION)
    if not path.is_file():
        raise SpaceError(f"{folder}: no supernet; `shiftadd search` trains one")
    about = read(path, dict[str, Any], error=SpaceError, head=head, way_out="delete it")
    convert(about, _About, source=str(path), error=SpaceError, way_out="delete it")
    return head._asdict() | about


def _another(folder: Path, about: dict[str, Any], request: dict[str, Any]) -> SpaceError:
    """What the supernet in `folder` was made from, and this request was not."""
    differs = next((name for name in request if about.get(name) != request[name]), "hash")
    values = (about.get(differs), request.get(differs))
    there, wanted = (str(v)[:12] if isinstance(v, str | int) else "another" for v in values)
    said = f"{there}, not {wanted}" if there != wanted else "another one"
    return SpaceError(f"{folder}: holds a supernet of {differs} {said}; give another folder")


def _save(supernet: SuperNet, request: dict[str, Any], out: Path) -> None:
    """Weights first, then the JSON that says they are there; the checkpoint goes last."""
    lines = contents(out / LOG, error=SpaceError).splitlines()
    curve = [
        decode(line, dict[str, Any], source=str(out / LOG), error=SpaceError) for line in lines
    ]
    about = {
        "format": FORMAT, "version": VERSION, "hash": _hash(request), **request,
        "weights": supernet.weight_count,
        "unshared_weights": SuperNet(supernet.space, "none").weight_count,
        "curve": curve, "histograms": histograms(supernet),
    }  # fmt: skip
    write(out / WEIGHTS, save_tensors(supernet.state_dict()))
    write(out / ABOUT, json.dumps(about, indent=1) + "\n")
    (out / CHECKPOINT).unlink(missing_ok=True)


def main() -> None:
    """The entry for torchrun; `shiftadd search` calls `train_supernet` itself."""
    parser = argparse.ArgumentParser(prog="search.supernet.supernet_train", description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--space", help="a file or a built-in space; by default that of the data")
    parser.add_argument("--sharing", default="heterogeneous")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default=AUTO, help=f"one of {', '.join(DEVICES)}")
    given = parser.parse_args()
    data = datasets.validation_split(datasets.load(given.data))
    if given.space:
        space = space_files.with_classes(space_files.load(given.space), len(data.classes))
    else:
        space = space_files.for_data(data)
    train_supernet(
        space, data, sharing=given.sharing, epochs=given.epochs, seed=given.seed, out=given.out,
        device=given.device,
    )  # fmt: skip


if __name__ == "__main__":
    main()
