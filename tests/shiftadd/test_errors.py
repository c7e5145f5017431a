"""Which errors are the user's, which the machine's, and which are defects."""

from __future__ import annotations

import errno
import importlib
import inspect
import pickle
import pkgutil
from pathlib import Path

import pytest

import shiftadd
from gen.boards import table
from gen.engine import schedule
from gen.support.errors import DoesNotFitError, PlanError
from gen.support.tools import ToolError
from model.errors import RequestError, ShiftaddError
from shiftadd.rooms import HiddenPackageError
from tests.support.command_line import call

PACKAGES = ("shiftadd", "search", "sim", "gen", "rtl", "model")
DEFECTS = {schedule.Stuck}
"""Ours alone: a generated engine that blocks itself."""
BEFORE_ALL = {HiddenPackageError}
"""Raised before model.errors, which may be what is hidden, is imported."""
CHECKS = {
    "DeviceError",
    "DisagreementError",
    "DoesNotFitError",
    "HopelessError",
    "LoadError",
    "MissingToolError",
    "NoTemporaryFolderError",
    "ToolError",
}
"""Right requests that failed: exit status 1."""


def exceptions() -> set[type[Exception]]:
    """Every exception class that a module of ours defines."""
    kinds = set()
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if not module.name.endswith("__main__"):
                members = vars(importlib.import_module(module.name)).values()
                kinds |= {m for m in members if inspect.isclass(m) and issubclass(m, Exception)}
    return {kind for kind in kinds if kind.__module__.partition(".")[0] in PACKAGES}


def test_every_exception_has_one_root_and_an_exit_status() -> None:
    kinds = exceptions()
    assert kinds >= DEFECTS
    assert len(kinds) > 20
    for kind in kinds - DEFECTS - BEFORE_ALL:
        assert issubclass(kind, ShiftaddError), kind
        wanted = 1 if kind.__name__ in CHECKS else 2
        assert kind.exit_status == wanted, kind
    assert {kind.__name__ for kind in kinds} >= CHECKS
    names = [kind.__name__ for kind in kinds]
    assert len(names) == len(set(names)), "each name means one thing"


def test_what_does_not_fit_is_one_class_under_plan_errors() -> None:
    assert issubclass(DoesNotFitError, PlanError)
    error = pickle.loads(pickle.dumps(DoesNotFitError("no", 1.5, resource="LUTs", used=3)))
    assert (str(error), error.ratio, error.resource, error.used) == ("no", 1.5, "LUTs", 3)
    tool = pickle.loads(pickle.dumps(ToolError("pack", "icepack", "broke", Path("log"))))
    assert str(tool) == "pack: icepack: broke (log: log)"


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """From now on `boards` raises an error, deep inside."""

    def row(board: object) -> None:
        raise error

    monkeypatch.setattr(table, "row", row)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("zip() argument 2 is shorter than argument 1"),
        KeyError("conv1"),
        RuntimeError("shapes differ"),
        AssertionError(),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "weights"),
        OSError(errno.EIO, "Input/output error", "weights"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_defect_shows_its_traceback_and_where_to_report_it(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, error)
    status, out, err = call(capsys, "boards", "--json")
    assert (status, out) == (70, "")
    assert err.startswith("Traceback (most recent call last):\n")
    assert "in row\n" in err
    *_, raised, last = err.splitlines()
    assert raised.startswith(type(error).__name__)
    assert last.startswith("shiftadd: this is a defect of shiftadd, not of your request. Please ")
    assert "issue tracker" in last
    assert "shiftadd 0." in last


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EDQUOT, "Disk quota exceeded"),
        (errno.EROFS, "Read-only file system"),
        (errno.EACCES, "Permission denied"),
        (errno.EPERM, "Operation not permitted"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_machine_that_refuses_is_one_line(
    number: int,
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing(monkeypatch, OSError(number, "in other words", "build/cache/log"))
    assert call(capsys, "boards") == (1, "", f"shiftadd: build/cache/log: {reason}\n")
    failing(monkeypatch, OSError(number, "in other words"))
    assert call(capsys, "boards") == (1, "", f"shiftadd: {reason}\n")


def test_error_of_ours_is_one_line_with_its_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, RequestError("--x 3:\n  must be 4"))
    assert call(capsys, "boards") == (2, "", "shiftadd: --x 3:\\n must be 4\n")
    failing(monkeypatch, DoesNotFitError("too large"))
    assert call(capsys, "boards") == (1, "", "shiftadd: too large\n")
    failing(monkeypatch, KeyboardInterrupt())
    status, _, err = call(capsys, "boards")
    assert (status, err) == (130, "shiftadd: interrupted; finished steps are kept\n")


def test_callers_of_the_python_api_get_the_error_itself() -> None:
    with pytest.raises(shiftadd.ShiftaddError, match="nowhere: no such network"):
        shiftadd.compile("nowhere")
    with pytest.raises(shiftadd.RequestError, match="--seed 4294967296: must be a whole number"):
        shiftadd.train("digits_mlp", data="digits", seed=1 << 32)
