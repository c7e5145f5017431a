"""The Python API: the verbs' names and arguments, and cheap to import."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import shiftadd
from shiftadd.cli import VERBS, parser
from tests.support.command_line import NEEDED

HEAVY = ("torch", "amaranth", "numpy", "scipy", "rich", "sklearn", "cocotb", "pyosys", "serial")


@pytest.mark.parametrize("what", ["import shiftadd", "import shiftadd.cli as c; c.parser()"])
def test_import_is_light(what: str) -> None:
    program = f"{what}; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_function_has_the_name_and_arguments_of_its_verb(verb: str) -> None:
    function = getattr(shiftadd, verb)
    assert inspect.isfunction(function), "no module of that name hides it"
    assert verb in shiftadd.__all__
    assert function.__doc__
    given = vars(parser().parse_args([verb, *NEEDED.get(verb, [])]))
    options = given.keys() - {"run", "show", "json", "verbose"}
    parameters = inspect.signature(function).parameters
    assert not any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())
    assert options <= parameters.keys()
    assert parameters.keys() - options <= {"quiet", "on_result", "recipe"}
    same = {n for n in options if parameters[n].default is not inspect.Parameter.empty}
    assert {n: parameters[n].default for n in same} == {n: given[n] for n in same}


def test_public_names() -> None:
    assert set(VERBS) < set(shiftadd.__all__)
    assert all(hasattr(shiftadd, name) for name in shiftadd.__all__)
