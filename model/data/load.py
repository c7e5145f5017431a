"""From a name, a path or arrays to a Dataset."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.data import build
from model.data.builtin import BUILT_IN
from model.data.cifar import ARCHIVES, cifar_folder, read_archive, read_cifar_folder
from model.data.dataset import Dataset
from model.data.folders import read_folder, read_zip
from model.data.idx import idx_folder, read_idx
from model.data.limits import DataError, check_bytes, size_of
from model.data.npz import read_npy_folder, read_npz
from model.data.options import Options, parse
from model.data.raw import Part, Raw
from model.data.tables import TABLES, read_table, read_table_folder, table_file

ENDS = (*ARCHIVES, *TABLES, ".npz", ".zip")


def load(what: Dataset | str | os.PathLike[str]) -> Dataset:
    """A data set by its built-in name or its path; a Dataset is given back as it is.

    Paths: a folder of images by class (or of train/, val/, test/ above these) or its .zip, IDX or
    CIFAR-10 files, .npz, .npy in a folder, .csv, or a folder with train.csv and test.csv. Options
    stand behind a path: `letter.csv:test=4000,label=first`. A PathLike is never a built-in name.
    Raises DataError, one line.
    """
    if isinstance(what, Dataset):
        return what
    text = os.fspath(what)
    if isinstance(what, str) and text in BUILT_IN:
        return replace(BUILT_IN[text](), source=text)
    if "\0" in text:
        raise DataError(f"{text!r}: no path; a path holds no zero byte")
    try:
        path, said, options = parse(text)
        raw, full = _read(path, options), path.resolve()
        return replace(
            build.dataset(_name(full), path, raw, options),
            source=f"{full}:{said}" if said else str(full),
        )
    except OSError as error:
        raise DataError(f"{text}: cannot be read ({error.strerror or error})") from None
    except (MemoryError, RecursionError) as error:
        raise DataError(f"{text}: is too large to be read ({type(error).__name__})") from None


def _name(path: Path) -> str:
    """Of a folder, or of a file without what its name ends with."""
    ends = [end for end in ENDS if path.name.lower().endswith(end)]
    name = path.name if path.is_dir() or not ends else path.name[: -len(ends[0])]
    return "".join(c if c.isprintable() else "_" for c in name) or "data"


def _read(path: Path, options: Options) -> Raw:
    if path.is_dir() and table_file(path, "train"):
        return read_table_folder(path, options)
    end = path.name.lower()
    if path.is_file() and end.endswith(TABLES):
        return read_table(path, options)
    if options.of_columns:
        raise DataError(f"{path}: is no table; {', '.join(options.of_columns)} are for columns")
    if path.is_dir():
        if (idx := idx_folder(path)) is not None:
            return read_idx(idx)
        if (cifar := cifar_folder(path)) is not None:
            return read_cifar_folder(cifar)
        return read_npy_folder(path) if any(path.glob("*.npy")) else read_folder(path)
    if path.exists():
        size_of(path)  # refuses what is no plain file
        for suffixes, read in ((".npz", read_npz), (".zip", read_zip), (ARCHIVES, read_archive)):
            if end.endswith(suffixes):
                return read(path)
    what = "no data set of a form that is read" if path.exists() else "no such data set"
    if re.match(r"(https?|ftp|s3):/", str(path)):
        what = "nothing is downloaded: fetch it first"
    raise DataError(
        f"{path}: {what}; give {', '.join(BUILT_IN)}, a folder of images by class or its "
        f".zip, an IDX folder, CIFAR-10's files, an .npz, or a table ({', '.join(TABLES)})"
    )


def from_arrays(
    x_train: npt.ArrayLike, y_train: npt.ArrayLike, x_test: npt.ArrayLike | None = None,
    y_test: npt.ArrayLike | None = None, classes: Sequence[str] | None = None,
    name: str = "arrays", value_range: tuple[float, float] | None = None,
) -> Dataset:  # fmt: skip
    """Images (N, H, W[, C]) or rows (N, features) with labels (N,) or one-hot (N, K).

    Without a test part a fixed, stratified fifth is held back. classes: names by class number.
    value_range: which values of images become 0 and 255; by default the range of their type or, of
    floats, 0 to 1, 0 to 255 or what the training part has. Raises DataError.
    """
    if (x_test is None) != (y_test is None):
        raise DataError(f"{name}: x_test and y_test must be given together")
    train = _part(name, "train", x_train, y_train)
    test = None if x_test is None or y_test is None else _part(name, "test", x_test, y_test)
    names = None if classes is None else tuple(map(str, classes))
    features = tuple(map(str, getattr(x_train, "columns", ())))  # of a pandas DataFrame
    raw = Raw(train, test, names, features=features)
    return replace(build.dataset(name, name, raw, Options(declared=value_range)), source="")


def _part(name: str, part: str, values: npt.ArrayLike, labels: npt.ArrayLike) -> Part:
    try:
        arrays = np.asarray(values), _texts(np.asarray(labels))
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: x_{part}, y_{part} are no plain arrays ({reason})") from None
    for array in arrays:
        check_bytes(f"{name}: {part}", array.nbytes)
        if array.dtype.kind not in "biufUS":
            raise DataError(
                f"{name}: an array of type {array.dtype}; values must be numbers, labels numbers "
                "or texts"
            )
    return Part(*arrays)


def _texts(labels: np.ndarray) -> np.ndarray:
    """Labels as numpy's own texts, where they are texts in another form, as pandas has them."""
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.flat):
        return labels.astype(str)
    return labels.astype(str) if labels.dtype.kind == "T" else labels
