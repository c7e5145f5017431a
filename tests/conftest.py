"""What all tests share: the `slow` marker, seeds, and which simulators there are."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from sim.bench.installed import missing
from tests.support.paths import ROOT

if TYPE_CHECKING:
    import torch

# one thread a worker: `make test` runs as many workers as there are cores
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Properties: the same few examples each time, or many new ones with SHIFTADD_SLOW=1. A failure
# prints a line of `@reproduce_failure`; what failed with SHIFTADD_SLOW=1 is kept and tried first.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, print_blob=True, max_examples=40
)
settings.register_profile(
    "new",
    database=DirectoryBasedExampleDatabase(ROOT / ".hypothesis"),
    deadline=None,
    print_blob=True,
    max_examples=1000,
)
settings.load_profile("new" if os.environ.get("SHIFTADD_SLOW") == "1" else "same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip `slow` tests unless SHIFTADD_SLOW=1, but for `sample` evenly spread cases of each."""
    if os.environ.get("SHIFTADD_SLOW") == "1":
        return
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("slow"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for group in cases.values():
        marker = group[0].get_closest_marker("slow")
        assert marker is not None
        sample = marker.kwargs.get("sample", 0)
        kept = {i * len(group) // sample for i in range(sample)}
        for i, item in enumerate(group):
            if i not in kept:
                item.add_marker(pytest.mark.skip(reason="slow: SHIFTADD_SLOW=1 runs it"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say, before pytest's own summary, which classes of tests did not run for want of what."""
    wanting: dict[str, Counter[str]] = defaultdict(Counter)
    for report in terminalreporter.getreports("skipped"):
        _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "")
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith("slow:"):
            wanting[reason][report.nodeid.partition("::")[0]] += 1
    if not wanting:
        return
    terminalreporter.section("did not run, for want of")
    for reason, files in sorted(wanting.items()):
        terminalreporter.write_line(reason)
        for file, count in sorted(files.items()):
            terminalreporter.write_line(f"    {count:4} of {file}")


@pytest.fixture
def seed() -> int:
    """Another one each time, printed with a failure; SHIFTADD_SEED=n repeats one."""
    drawn = int(os.environ.get("SHIFTADD_SEED") or random.randrange(1 << 30))
    print(f"seed {drawn}")
    return drawn


@pytest.fixture
def cuda() -> torch.device:
    """A GPU; skips where there is none."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("a CUDA device")
    return torch.device("cuda", 0)


@pytest.fixture(params=["second", "cuda"])
def elsewhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[torch.device]:
    """A device other than the CPU: one that is made up (tests.support.second_device), and a GPU."""
    if request.param == "cuda":
        yield request.getfixturevalue("cuda")
        return
    from tests.support.second_device import second_device

    with second_device(monkeypatch) as where:
        yield where


@pytest.fixture(params=["icarus", "verilator"])
def simulator(request: pytest.FixtureRequest) -> str:
    """Each simulator in turn; skips, with the reason, one that is not here."""
    name: str = request.param
    if reason := missing(name):
        pytest.skip(reason)
    return name


@pytest.fixture
def quick_simulator() -> str:
    """Icarus, which starts at once, where it is installed, or else Verilator."""
    name = "verilator" if missing("icarus") else "icarus"
    if reason := missing(name):
        pytest.skip(reason)
    return name
