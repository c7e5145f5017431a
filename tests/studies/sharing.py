"""The study of weight sharing: do inherited weights rank networks as training alone does?

`python -m tests.studies.sharing --data digits --out FOLDER` trains every network of a spread-out
set alone, one supernet for each sharing mode, and compares: Kendall's τ and Spearman's ρ of
inherited accuracy and of inherited cross-entropy. `--trainings N` trains each alone N times and
goes by the means: one training alone ranks near equals by chance. Resumable: what is in FOLDER is
not done again, nor what `--alone FILE` holds of an earlier study. Nothing here decides by the test
images; everything is that of the validation split.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from scipy import stats

from model import data as datasets
from model.data import Dataset, stratified, validation_split
from model.files import write
from model.recipe import Recipe
from model.train import train
from search.evolve.evolve import smallest
from search.evolve.predictor import probes
from search.evolve.scoring import judge
from search.space import space_files
from search.space.space import Candidate, Space
from search.supernet.inherit import RECALIBRATION, inherit
from search.supernet.sharing import SHARING
from search.supernet.supernet_train import recipe_for as supernet_recipe
from search.supernet.supernet_train import train_supernet

RESULTS, ALONE = "sharing.json", "alone.jsonl"


def networks(space: Space, count: int, seed: int) -> list[Candidate]:
    """`count` networks spread over the space, and the smallest and largest of each kind."""
    ends = [end for kind in space.kinds for end in (smallest(space, kind), space.largest(kind))]
    return list(dict.fromkeys([*probes(space, count, seed), *ends]))


def subset(data: Dataset, count: int | None) -> Dataset:
    """`data` with a stratified part of `count` training images."""
    if count is None or count >= len(data.train_labels):
        return data
    _, kept = stratified(data.train_labels, count / len(data.train_labels))
    return replace(
        data, name=f"{data.name}-{count}", train_images=data.train_images[kept],
        train_labels=data.train_labels[kept],
    )  # fmt: skip


def alone(
    space: Space, candidates: Sequence[Candidate], data: Dataset, epochs: int, rate: float,
    seeds: Sequence[int], out: Path, kept: Path | None = None,
) -> dict[str, float]:  # fmt: skip
    """Validation accuracy of each network trained by itself, by id, in the mean of `seeds`: of the
    better of its quantised and its integer stage, as the few epochs of the latter can break a
    network of add layers.

    All by one recipe, that of the supernet: `recipe_for` trains small networks otherwise, and few
    epochs leave the larger ones behind, which is a ranking of recipes and not of networks.
    kept: trainings of an earlier study; those by another recipe do not count.
    """
    usual = supernet_recipe(data)
    recipe = Recipe(batch=usual.batch, rate=rate, shift=usual.shift)
    path = out / ALONE
    how = {"images": len(data.train_labels), "epochs": epochs, "rate": rate}
    rows = [
        json.loads(line)
        for file in (kept, path)
        if file and file.exists()
        for line in file.read_text().splitlines()
    ]
    scores = {(row["id"], row["seed"]): _better(row) for row in rows if row.items() >= how.items()}
    ids = [space.id(candidate) for candidate in candidates]
    for seed, (name, candidate) in product(seeds, zip(ids, candidates, strict=True)):
        if (name, seed) in scores:
            continue
        arch = space.architecture(candidate)
        began = time.monotonic()
        result = train(arch, data, epochs=epochs, seed=seed, recipe=recipe, quiet=True)
        row = {
            "id": name, "seed": seed, **how, "candidate": candidate.as_dict(),
            "weights": result.weights,
            "accuracy": result.accuracy["quantised"], "integer": result.accuracy["integer"],
            "seconds": time.monotonic() - began,
        }  # fmt: skip
        with path.open("a") as log:
            log.write(json.dumps(row) + "\n")
        scores[name, seed] = _better(row)
    return {name: mean(scores[name, seed] for seed in seeds) for name in ids}


def _better(row: dict[str, Any]) -> float:
    better: float = max(row["accuracy"], row["integer"])
    return better


def ranking(inherited: Sequence[float], trained: Sequence[float]) -> dict[str, float]:
    """Kendall's τ and Spearman's ρ, with the p-value of τ."""
    tau, rho = stats.kendalltau(inherited, trained), stats.spearmanr(inherited, trained)
    return {"tau": tau.statistic, "p": tau.pvalue, "rho": rho.statistic}


def study(given: argparse.Namespace) -> dict[str, Any]:
    """Everything, with the results in `out`; returns what sharing.json holds."""
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    whole = validation_split(datasets.load(given.data), given.validation)
    data, shown = subset(whole, given.images), subset(whole, given.supernet_images or given.images)
    space = space_files.for_data(data)
    chosen = networks(space, given.networks, given.seed)
    seeds = range(given.seed, given.seed + given.trainings)
    trained = alone(space, chosen, data, given.epochs, given.rate, seeds, out, given.alone)
    ids = [space.id(c) for c in chosen]
    study: dict[str, Any] = {"request": {k: str(v) for k, v in vars(given).items() if k != "out"}}
    for sharing in given.sharing:
        supernet = train_supernet(
            space, shown, sharing=sharing, epochs=given.supernet_epochs, seed=given.seed,
            out=out / sharing,
        )  # fmt: skip
        images, count = torch.from_numpy(shown.train_images[:RECALIBRATION]), len(data.test_labels)
        seen = [judge(inherit(supernet, c, images), data, count) for c in chosen]
        accuracies = [trained[i] for i in ids]
        study[sharing] = {
            "weights": supernet.weight_count,
            "accuracy": ranking([one.accuracy for one in seen], accuracies),
            "loss": ranking([-one.loss for one in seen], accuracies),
            "inherited": {i: asdict(one) for i, one in zip(ids, seen, strict=True)},
        }
        study["alone"] = trained
        write(out / RESULTS, json.dumps(study, indent=1) + "\n")
    return study


def show(study: dict[str, Any]) -> None:
    table = Table(title="inherited against stand-alone accuracy")
    for column in ("sharing", "weights", "by", "Kendall τ", "p", "Spearman ρ", "mean inherited"):
        table.add_column(column, justify="left" if column == "sharing" else "right")
    for name in SHARING:
        if row := study.get(name):
            for by in ("accuracy", "loss"):
                usual = mean(one[by] for one in row["inherited"].values())
                ranks = row[by]
                table.add_row(
                    name, str(row["weights"]), by, f"{ranks['tau']:.3f}", f"{ranks['p']:.1e}",
                    f"{ranks['rho']:.3f}", f"{usual:.3f}",
                )  # fmt: skip
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.studies.sharing", description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, help="training images, of all where not given")
    parser.add_argument("--supernet-images", type=int, help="of the supernets, if not as many")
    parser.add_argument("--validation", type=float, default=0.1, help="share of the training part")
    parser.add_argument("--networks", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=60, help="of each network alone")
    parser.add_argument("--trainings", type=int, default=1, help="of each network alone")
    parser.add_argument("--alone", type=Path, help="networks trained alone before")
    parser.add_argument("--rate", type=float, default=0.02, help="learning rate alone")
    parser.add_argument("--supernet-epochs", type=int, default=60)
    parser.add_argument("--sharing", nargs="*", choices=SHARING, default=list(SHARING))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    if given.alone and not given.alone.is_file():
        parser.error(f"--alone {given.alone}: no such file")
    torch.set_num_threads(given.threads)
    show(study(given))


if __name__ == "__main__":
    main()
