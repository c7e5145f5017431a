"""Numbers and paths that no verb can do with: refused before anything is spent, in one line."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import shiftadd
from model.errors import RequestError
from shiftadd.cli import VERBS, parser
from shiftadd.cli.search import microseconds
from shiftadd.requests import RANGES, Range, check_file, check_folder, check_numbers
from tests.support.command_line import NEEDED, call

NUMBERS = (int, float, microseconds)


def numeric_options() -> Iterator[tuple[str, str]]:
    """Every verb with every option of it that takes a number."""
    (verbs,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    for verb, one in verbs.choices.items():
        for action in one._actions:
            if action.type in NUMBERS:
                yield verb, action.option_strings[-1]


@pytest.mark.parametrize(("verb", "option"), list(numeric_options()))
def test_number_that_is_none_is_refused(
    verb: str,
    option: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for value in ("nan", "inf", "-inf", "-99999999999", "9e999", "x", "", "1e999999", "9" * 400):
        words = (verb, *NEEDED.get(verb, []), f"{option}={value}")
        if option in ("--fps", "--max-latency") and value == "9" * 400:
            continue  # float() makes inf of it
        status, out, err = call(capsys, *words, "--json")
        assert (status, out, len(err.splitlines())) == (2, "", 1), (value, err)
        assert option in err
    assert not list(tmp_path.iterdir())


def test_every_number_of_a_function_has_a_range() -> None:
    for verb in VERBS:
        for name, parameter in inspect.signature(getattr(shiftadd, verb)).parameters.items():
            if any(kind in str(parameter.annotation).split(" | ") for kind in ("int", "float")):
                assert name in RANGES, (verb, name)


@pytest.mark.parametrize("value", [True, "3", 2.0, float("nan"), None, [1]])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    assert not Range(0).holds(value)


def test_numbers_of_numpy_and_huge_ones_are_numbers() -> None:
    assert Range(0).holds(np.int64(3))
    assert Range(0, whole=False).holds(np.float32(0.5))
    assert not Range(0, 5).holds(10**400)
    check_numbers(epochs=None)
    with pytest.raises(
        RequestError, match=r"^--rate 0: must be a finite number more than 0 and at"
    ):
        check_numbers(rate=0)
    with pytest.raises(RequestError, match=r"^--probes -1: must be a whole number from 0"):
        check_numbers(probes=-1)
    with pytest.raises(RequestError, match=r"^--images 0: must be a whole number, at least 1$"):
        check_numbers(images=0)


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert check_folder(str(tmp_path / "new/one")) == tmp_path / "new/one"
    assert check_file(tmp_path / "new/one") == tmp_path / "new/one"
    for name, line in (
        ("file", "file: it is a file"),
        ("file/in", "file is a file"),
        ("dangling", "dangling: it is a file"),
    ):
        with pytest.raises(RequestError, match=line):
            check_folder(tmp_path / name)
    with pytest.raises(RequestError, match="it is a folder; name a file"):
        check_file(tmp_path)
    with pytest.raises(RequestError, match=r"--out '': must be a path"):
        check_folder("")
    with pytest.raises(RequestError, match=r"--out 'a.x00b': must be a path"):
        check_file("a\0b")
