"""What a wheel holds: every file of the rooms, and nothing of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import pytest
from setuptools import find_packages

from tests.support.paths import ROOT

CONSTRAINTS = "constraints.txt"
ROOMS = ("shiftadd", "search", "sim", "gen", "rtl", "model")


@pytest.fixture(scope="module")
def setuptools_table() -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    table: dict[str, Any] = project["tool"]["setuptools"]
    return table


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """Files of the rooms that git tracks, relative to the repository."""
    command = ["git", "-C", str(ROOT), "ls-files", "--", *ROOMS]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git or its history is missing: nothing to compare with")
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


def packages_of(setuptools_table: dict[str, Any]) -> set[str]:
    return set(find_packages(str(ROOT), include=setuptools_table["packages"]["find"]["include"]))


def test_every_folder_with_python_in_it_is_a_package(
    setuptools_table: dict[str, Any], tracked: set[str]
) -> None:
    folders = {str(PurePosixPath(f).parent) for f in tracked if f.endswith(".py")}
    assert packages_of(setuptools_table) == {folder.replace("/", ".") for folder in folders}


def test_every_other_file_matches_a_pattern(
    setuptools_table: dict[str, Any], tracked: set[str]
) -> None:
    folders = [ROOT / name.replace(".", "/") for name in packages_of(setuptools_table)]
    shipped = {
        pattern: {
            file.relative_to(ROOT).as_posix() for folder in folders for file in folder.glob(pattern)
        }
        for pattern in setuptools_table["package-data"]["*"]
    }
    data = {file for file in tracked if not file.endswith(".py")}
    assert data - set().union(*shipped.values()) == set()
    assert [pattern for pattern, files in shipped.items() if not files] == []


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_typed(room: str, tracked: set[str]) -> None:
    assert f"{room}/py.typed" in tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, tracked: set[str]) -> Path:
    """What `pip wheel` makes of the tracked files."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools leaves a build folder in what it builds
    for file in {*tracked, "pyproject.toml", "README.md", "LICENSE"}:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).write_bytes((ROOT / file).read_bytes())
    (source / "tests").mkdir()
    (source / "tests" / "__init__.py").touch()
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(source)], check=True, timeout=600)
    (made,) = folder.glob("*.whl")
    return made


def test_a_wheel_holds_the_rooms_and_no_tests(wheel: Path, tracked: set[str]) -> None:
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == tracked


def test_a_wheel_works_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """On its own files alone: a training and a bitstream, with the packages of these tests."""
    packages, here = tmp_path / "packages", tmp_path / "empty"
    here.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(packages), str(wheel)], check=True, timeout=120)
    python = (sys.executable, "-P")
    where = run_in(here, packages, *python, "-c", "import shiftadd, model; print(model.__file__)")
    assert where == f"{packages / 'model' / '__init__.py'}\n"
    shiftadd = (*python, str(packages / "bin" / "shiftadd"))
    train = ("train", "digits_mlp", "--data", "digits", "--epochs", "1", "--out", "run")
    assert "next: shiftadd compile run/network" in run_in(here, packages, *shiftadd, *train)
    build = ("compile", "run/network", "--board", "up5k", "--out", "built", "--json")
    report = json.loads(run_in(here, packages, *shiftadd, *build))
    assert report["measured"]["lut"] > 100
    assert Path(here, report["files"]["bitstream"]).stat().st_size > 10_000
    assert {path.name for path in here.iterdir()} == {"build", "built", "run"}


def run_in(folder: Path, packages: Path, *command: str) -> str:
    """stdout of a command in `folder` that looks for packages in `packages` first."""
    environment = os.environ | {"PYTHONPATH": str(packages)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_demo_in_an_empty_environment_and_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """Installs every dependency anew, from the package index that pip knows."""
    here, bin_ = tmp_path / "empty", tmp_path / "venv" / "bin"
    here.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(bin_.parent)], check=True, timeout=120)
    install = [str(bin_ / "pip"), "install", "--quiet", "--constraint", str(ROOT / CONSTRAINTS)]
    subprocess.run([*install, str(wheel)], check=True, timeout=3600)
    environment = {"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [str(bin_ / "shiftadd"), "demo", "--json"], cwd=here, env=environment,
        capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["train"]["accuracy"]["integer"] > 0.95
    assert all(proof["mismatches"] == 0 for proof in made["simulate"].values())
    assert made["search"]["front"]
    assert made["deploy"]["self_test"]
    assert {path.name for path in here.iterdir()} == {"build", "runs"}
