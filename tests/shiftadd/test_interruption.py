"""Every verb, sent a signal at any moment: one line, its status, nothing alive, nothing left."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shiftadd import cli
from tests.support.interruptions import STATUS, VERBS, draw, interrupt
from tests.support.paths import ROOT

SOON = 4.0
"""Seconds in which the signal comes in every test run."""
TIMES = 12


@pytest.mark.slow(sample=len(VERBS))
@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("verb", VERBS)
def test_signal_at_any_moment(verb: str, time: int, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"{seed} {verb} {time}")
    delay = draw(verb, rng) if time else rng.uniform(0, min(SOON, VERBS[verb].seconds))
    number = rng.choice(list(STATUS))
    end = interrupt(verb, number, delay, tmp_path, group=rng.random() < 0.5)
    assert end.faults == [], end


def test_every_verb_is_interrupted() -> None:
    assert set(VERBS) == set(cli.VERBS)


def test_line_and_status(tmp_path: Path) -> None:
    """While it imports, without a word that is not ours."""
    end = interrupt("train", signal.SIGTERM, 0.0, tmp_path, until_ready=True)
    assert (end.ready, end.status) == (True, 143)
    assert end.stderr == "shiftadd: ended by SIGTERM; finished steps are kept\n"


def test_ready_before_anything_heavy_is_imported() -> None:
    program = """
import sys
from gen.support import interruption
interruption.install = lambda: print(sorted(sys.modules)) or sys.exit()
from shiftadd.process import command
command()
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = eval(run.stdout)
    heavy = {"argparse", "json", "shiftadd.api", "shiftadd.cli", "numpy", "torch", "rich"}
    assert heavy.isdisjoint(known)
