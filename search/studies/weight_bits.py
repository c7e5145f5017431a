"""What few bits of weights cost in accuracy, kind by kind: `python -m search.studies.weight_bits`.

One network for each kind and width, ARCH with its inner layers of that kind, trained alike in float
and then with weights as wide; add narrower than its inputs has a step (model.layers). Each training
is kept in weight_bits.json as it is done, so a study that was cut short goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

from rich.box import SIMPLE_HEAD
from rich.table import Table

from model import data as datasets
from model import zoo
from model.arch import Architecture, with_kind
from model.data import Dataset
from model.files import write
from model.kinds import kind, ordered_kinds
from model.terminal import console
from model.train import train

ARCHS = {"digits": "digits_hybrid", "fashion-mnist": "fashion_hybrid"}
"""Of each data set; first and last layer stay products of 8 bits, as published."""
WIDTHS = (2, 3, 4, 5, 6, 8)
ACT_BITS = 8
"""Of what the inner layers read: wider than most of WIDTHS, so that add has a step."""
SEEDS = 3
KEPT = Path(__file__).with_suffix(".json")
Accuracies = dict[str, list[float]]
"""Of the integer network on the test images, seed by seed; by `label_of`."""


def widths(name: str) -> Iterator[int]:
    """Those that weights of a kind may have."""
    least, most = kind(name).weight_bits
    return (bits for bits in WIDTHS if least <= bits <= most)


def network(arch: Architecture, name: str, bits: int) -> Architecture:
    """`arch` with all layers between the first and the last of one kind, and weights of `bits`."""
    uniform = with_kind(arch, name)
    first, *inner, last = uniform.blocks
    narrow = (
        replace(block, weight_bits=bits, act_bits=ACT_BITS) if block.weighted else block
        for block in inner
    )
    ends = replace(first, weight_bits=8, act_bits=ACT_BITS), replace(last, weight_bits=8)
    return replace(uniform, name=f"{name}-{bits}", blocks=(ends[0], *narrow, ends[1]))


def measure(data: Dataset, epochs: int, seeds: int, kept: Path = KEPT) -> None:
    """Trains what is not kept yet."""
    arch = zoo.load(ARCHS[data.name])
    for seed in range(seeds):
        for name in ordered_kinds():
            for bits in widths(name):
                label = label_of(data.name, name, bits, epochs)
                done = load(kept)
                if len(done.get(label, [])) > seed:
                    continue
                made = train(
                    network(arch, name, bits), data, epochs=epochs, seed=seed, quiet=True
                )  # fmt: skip
                done.setdefault(label, []).append(made.accuracy["integer"])
                write(kept, json.dumps(done, indent=1, sort_keys=True) + "\n")
                print(f"{label} seed {seed}: {made.accuracy['integer']:.4f}", file=sys.stderr)


def label_of(data: str, name: str, bits: int, epochs: int) -> str:
    """Of one network, in Accuracies."""
    return f"{data} {name} {bits} {epochs}"


def load(kept: Path = KEPT) -> Accuracies:
    """What is kept."""
    done: Accuracies = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    return done


def rows(done: Mapping[str, list[float]], data: str, epochs: int) -> Iterator[list[str]]:
    """A row a kind: percent right, mean and standard deviation over the seeds, at each width."""
    for name in ordered_kinds():
        labels = [label_of(data, name, bits, epochs) for bits in WIDTHS]
        if any(label in done for label in labels):
            yield [name, *(spread(done.get(label, [])) for label in labels)]


def spread(shares: list[float]) -> str:
    """Mean ± standard deviation, in percent."""
    if not shares:
        return ""
    percent = [100 * share for share in shares]
    return f"{mean(percent):.1f}" + (f" ± {stdev(percent):.1f}" if len(percent) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(prog="search.studies.weight_bits", description=__doc__)
    parser.add_argument("--data", choices=sorted(ARCHS), default="digits")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    measure(datasets.load(given.data), given.epochs, given.seeds)
    table = Table("kind", *(f"{bits} bits" for bits in WIDTHS), box=SIMPLE_HEAD)
    for row in rows(load(), given.data, given.epochs):
        table.add_row(*row)
    console().print(table)


if __name__ == "__main__":
    main()
