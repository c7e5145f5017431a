"""What a wheel holds: every file of the rooms, and nothing of the tests."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import pytest
from setuptools import find_packages

from tests.support.paths import ROOT

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


@pytest.mark.slow
def test_a_wheel_holds_the_rooms_and_no_tests(tmp_path: Path, tracked: set[str]) -> None:
    source = tmp_path / "source"  # setuptools leaves a build folder in what it builds
    for file in {*tracked, "pyproject.toml", "README.md", "LICENSE"}:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).write_bytes((ROOT / file).read_bytes())
    (source / "tests").mkdir()
    (source / "tests" / "__init__.py").touch()
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(source)], check=True, timeout=600)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == tracked
