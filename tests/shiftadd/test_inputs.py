"""What callers may give in place of paths, and how a network finds its data again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import shiftadd
from model import data as datasets
from model import store
from model.errors import RequestError
from shiftadd.inputs import build_of, data_for, data_of, file_name, network_of, source_of
from tests.support.datasets import BARS, bars
from tests.support.paths import DIGITS_HYBRID
from tests.support.tiny_network import save_bars


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folder_called_digits_is_not_scikit_learns(here: Path) -> None:
    """Neither at training nor when a network finds its data."""
    for name in ("train", "test"):
        for label in "ab":
            (here / "digits" / name / label).mkdir(parents=True)
    given = network_of(DIGITS_HYBRID)
    assert data_for(given, None)[0].digest == datasets.load("digits").digest
    with pytest.raises(shiftadd.ShiftaddError, match="digits"):
        data_of(Path("digits"))
    assert source_of(Path("digits")) == str(here / "digits")
    assert source_of("digits") == "digits"


def test_data_are_found_where_they_were_and_held_to_their_hash(here: Path) -> None:
    """By the absolute path, from any folder."""
    file = save_bars(here / "bars.npz")
    known = datasets.load(file)
    about = {"data": "bars", "data_source": known.source, "data_hash": known.digest}
    store.save(replace(store.load(DIGITS_HYBRID), about=about), here / "net")
    given = network_of("net")
    again, notes = data_for(given, None)
    assert (again.source, again.digest, notes) == (str(file), known.digest, ())
    save_bars(file, seed=7)
    with pytest.raises(RequestError, match=r"bars.npz: not what it was when net was trained on it"):
        data_for(given, None)
    other, notes = data_for(given, file)
    assert notes == ("bars: not the data that net was trained on",)
    assert other.digest == datasets.load(file).digest != known.digest
    file.unlink()
    with pytest.raises(RequestError, match=r"^net: the data that it was .*; give --data: .*bars"):
        data_for(given, None)


@pytest.mark.parametrize(
    ("about", "line"),
    [
        ({}, "net: the network says nothing of its data; give --data"),
        ({"data": "mnist"}, "says nothing of its data but its name, 'mnist'; give --data"),
        ({"data": ["digits"]}, "but its name, .*; give --data"),
        ({"data_source": 3, "data": "mnist"}, "but its name, 'mnist'; give --data"),
    ],
)
def test_network_that_does_not_say(about: dict[str, object], line: str) -> None:
    network = replace(store.load(DIGITS_HYBRID), about=about)
    store.save(network, "net")
    with pytest.raises(RequestError, match=line):
        data_for(network_of("net"), None)


def test_arrays_are_kept_where_they_are_found_again(here: Path) -> None:
    (x, y), tests = bars(64, 0), bars(32, 1)
    known = data_of((x, y, *tests), keep=True)
    (file,) = (here / "build/data").iterdir()
    assert known.source == str(file)
    assert datasets.load(file).digest == known.digest
    assert np.array_equal(known.test_images, tests[0])
    again = data_of((x, y.copy(), *tests), keep=True)
    assert again.source == known.source
    other = data_of((x, 1 - y, *tests), keep=True)
    assert other.source != known.source
    assert source_of((x, y, *tests)) == known.source
    assert data_of((x, y)).source == ""


def test_dataset_without_files_is_kept_if_that_loses_nothing(here: Path) -> None:
    """BARS are of 4 bits, which an .npz cannot say."""
    with pytest.raises(RequestError, match="bars: this Dataset cannot be kept in a file as it is"):
        source_of(BARS)
    whole = datasets.from_arrays(*bars(64, 0), *bars(32, 1), classes=("flat", "tall"))
    assert datasets.load(source_of(whole)).digest == whole.digest
    assert source_of(datasets.load("digits")) == "digits"


def test_networks_of_different_runs_have_different_names(here: Path) -> None:
    """Or one would be built over the other."""
    for place, name in (("runs/a/network", "a"), ("runs/b/network", "b"), ("nets/c", "c")):
        store.save(store.load(DIGITS_HYBRID), place)
        assert network_of(place).name == name


def test_results_are_taken_for_what_they_made(here: Path) -> None:
    store.save(store.load(DIGITS_HYBRID), "runs/a/network")
    trained = shiftadd.TrainOutcome("a", "digits", Path("runs/a/network"), cast(Any, None))
    given = network_of(trained)
    assert (given.name, given.place) == ("a", "runs/a/network")
    built = shiftadd.CompileOutcome(cast(Any, None), Path("build/a"), "", "up5k")
    assert build_of(built) == build_of("build/a") == Path("build/a")
    assert build_of(None) is None


def test_what_is_no_network_and_no_architecture_is_refused() -> None:
    with pytest.raises(RequestError, match=r"a network must be its folder, .* not int"):
        network_of(3)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match=r"an architecture must be a name, .* given as data="):
        shiftadd.train(np.zeros((9, 2)), data="digits")  # type: ignore[arg-type]


def test_what_is_no_data_is_refused() -> None:
    for wrong in ((), (1, 2, 3), {"x": 1}, 3):
        with pytest.raises(RequestError, match="data must be a name, a path, a Dataset or a tuple"):
            data_of(wrong)  # type: ignore[arg-type]
    with pytest.raises(shiftadd.ShiftaddError):
        data_of((np.zeros((4, 2, 2)), np.array([object()] * 4)), keep=True)


@pytest.mark.parametrize(
    ("name", "folder"),
    [("../../../x", "-..-..-x"), ("a b/[red]", "a-b--red-"), ("", "unnamed"), ("..", "unnamed"),
     ("größe_1.2", "größe_1.2"), ("字" * 100, "字" * 33)],
)  # fmt: skip
def test_names_become_names_of_folders(name: str, folder: str) -> None:
    assert file_name(name) == folder
