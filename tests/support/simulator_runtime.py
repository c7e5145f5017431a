"""What all of Verilator's simulators have in common, compiled once for tests in folders of their
own."""

from __future__ import annotations

import shutil
from pathlib import Path

from sim.bench import simulators
from tests.support.paths import ROOT


def lend_runtime(cache: Path) -> None:
    """Copies the runtimes that tests have compiled before: each takes half a minute, not the
    others' time."""
    for runtime in (ROOT / simulators.BUILD).glob("runtime-*"):
        if runtime.is_dir():
            shutil.copytree(runtime, cache / runtime.name)
