"""Folders of images by class, with or without train/, val/ and test/ above; also in a zip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.data.images import SUFFIXES, Picture, alike, picture, stack
from model.data.labels import natural
from model.data.limits import DataError, check_bytes
from model.data.raw import Part, Raw, parted, shown
from model.data.tree import Parts, Tree, folder_tree, zip_tree

SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
    "dev": "val", "test": "test", "testing": "test",
}  # fmt: skip


def read_folder(path: Path) -> Raw:
    """path/class/*.png, or path/train/class/*.png beside path/test/ or path/val/; of one size."""
    return read_tree(folder_tree(path))


def read_zip(path: Path) -> Raw:
    """The same in a zip archive."""
    with zip_tree(path) as tree:
        return read_tree(tree)


def read_tree(tree: Tree) -> Raw:
    """Classes are folders with images: of Omniglot's alphabet/character/*.png, both names."""
    images = [parts for parts in tree.files if parts[-1].lower().endswith(SUFFIXES)]
    top, notes = _top(tree), []
    inside = [parts[len(top) :] for parts in images if parts[: len(top)] == top]
    first = {parts[0].lower() for parts in inside if len(parts) > 2}
    split = any(SPLITS.get(name) == "train" for name in first) and first <= set(SPLITS)
    loose = [parts for parts in inside if len(parts) < (3 if split else 2)]
    if loose:
        notes.append(f"{len(loose)} images outside of the folders of classes left out")
    groups: dict[str, list[tuple[str, Parts]]] = {}
    for parts in inside:
        if parts not in loose:
            part = SPLITS[parts[0].lower()] if split else "all"
            name = "/".join(parts[1 if split else 0 : -1])
            groups.setdefault(part, []).append((name, (*top, *parts)))
    everything = sorted({name for rows in groups.values() for name, _ in rows}, key=natural)
    _check(tree, top, split, everything)
    return _read(tree, groups, tuple(everything), notes)


def _top(tree: Tree) -> Parts:
    """The folder that holds all others, as archives have one; not where it is a lone class."""
    top: Parts = ()
    while True:
        below = {f[len(top)] for f in tree.folders if f[: len(top)] == top and len(f) > len(top)}
        if len(below) != 1:
            return top
        inner = (*top, *below)
        if not any(f[: len(inner)] == inner and len(f) > len(inner) for f in tree.folders):
            return top
        top = inner


def _check(tree: Tree, top: Parts, split: bool, classes: Sequence[str]) -> None:
    """DataError unless there are classes, each with images and without further folders."""
    inner = next((c for c in classes for d in classes if c.startswith(f"{d}/")), None)
    if inner:
        raise DataError(
            f"{tree.path(top)}: class {inner.rpartition('/')[0]} holds images and the folder "
            f"{inner}; a class is one folder of images"
        )
    above = {"/".join(c.split("/")[:n]) for c in classes for n in range(1, c.count("/") + 2)}
    skip = len(top) + int(split)
    for folder in tree.folders:
        name = "/".join(folder[skip:])
        if folder[: len(top)] == top and name and name not in above and classes:
            raise DataError(f"{tree.path(folder)}: no images ({', '.join(SUFFIXES)})")
    if len(classes) < 2:
        files = [parts[-1] for parts in tree.files if len(parts) == 1][:3]
        hint = f"; or give one of its files, as {', '.join(files)}" if files else ""
        if any(name.lower().endswith(SUFFIXES) for name in files):
            hint = "; its images are of one class: give the folder above it"
        raise DataError(
            f"{tree.path(top)}: {len(classes)} folders with images; a data set needs two or more, "
            f"one per class, with images inside ({', '.join(SUFFIXES)}){hint}"
        )


def _read(
    tree: Tree, groups: dict[str, list[tuple[str, Parts]]], classes: tuple[str, ...],
    notes: list[str],
) -> Raw:  # fmt: skip
    number = {name: n for n, name in enumerate(classes)}
    parts: dict[str, Part] = {}
    background: int | None = None
    highs = set()
    sizes = [tree.size(file) for rows in groups.values() for _, file in rows]
    for part in sorted(groups, key=lambda name: name != "train"):  # it decides on the background
        rows = groups[part]
        shots: list[Picture] = []
        for _, file in rows:
            shots.append(picture(tree.read(file), tree.path(file)))
            alike(shots[-1], shots[0], tree.path(file))
            if len(shots) == 1:
                check_bytes(tree.name, len(sizes) * shots[0].pixels.nbytes, sum(sizes))
        values, high, background, said = stack(shots, tree.name, background)
        highs.add(high)
        notes.extend(said)
        labels = np.array([number[name] for name, _ in rows], np.int64)
        parts["train" if part == "all" else part] = Part(values, labels)
    if len(highs) > 1:
        raise DataError(f"{tree.name}: parts differ in depth; save all images with one depth")
    parts, grey = _one_kind(tree, parts)
    if grey:
        notes.append("all are grey, saved in colour: one channel was kept")
    train, test, more = parted(tree.name, parts)
    high = highs.pop()
    declared = None if high is None else (0.0, float(high))
    return Raw(train, test, classes, (*notes, *more), declared)


def _one_kind(tree: Tree, parts: dict[str, Part]) -> tuple[dict[str, Part], bool]:
    """(parts, whether colours were left out): all in colour where one image is, else all grey.

    Raises DataError where sizes differ.
    """
    train = parts["train"].values
    channels = max(part.values.shape[3] for part in parts.values())
    for name, part in parts.items():
        if part.values.shape[1:3] != train.shape[1:3]:
            raise DataError(
                f"{tree.name}: {name} images are {shown(part.values.shape[1:])}, training ones "
                f"{shown(train.shape[1:])}; make all of one size"
            )
    grey = channels == 3 and all((p.values == p.values[..., :1]).all() for p in parts.values())
    shape = *train.shape[1:3], 1 if grey else channels
    kept = {name: p.values[..., :1] if grey else p.values for name, p in parts.items()}
    return {
        name: Part(np.broadcast_to(kept[name], (len(kept[name]), *shape)), part.labels)
        for name, part in parts.items()
    }, grey
