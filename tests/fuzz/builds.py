"""Caches, bundles, boards and arrays of the host program, mutated."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gen.boards.own import own_board
from gen.compile import PLAN, REPORT, planned
from gen.deploy import bundle as bundles
from gen.engine.elaborate import elaborate
from gen.host import hashes, npy
from gen.host.manifest import MANIFEST
from gen.plan import plan as plans
from gen.planner.planner import plan as make_plan
from gen.report import report
from gen.report import save as save_report
from gen.support import board_files
from gen.support.cache import INDEX, Cache
from gen.support.devices import device
from model.spec import Network
from tests.fuzz.content import as_json, as_npy, as_toml, damaged
from tests.fuzz.subject import Subject
from tests.support.deploy_cases import small_bundle
from tests.support.networks import residual_network

STEPS = ("synth", "simulator")
INPUTS = {"verilog": "module x; endmodule"}


def _built(folder: Path) -> float:
    (folder / "netlist.json").write_text('{"modules": {}}')
    (folder / "log.txt").write_text("built")
    return 1.5


def _make_cache(folder: Path) -> None:
    for name in STEPS:
        Cache(folder / "cache").step(name, INPUTS, _built)


def _use_cache(folder: Path) -> None:
    """Whatever lies there: what comes back is what was built."""
    for name in STEPS:
        entry = Cache(folder / "cache").step(name, INPUTS, _built)
        assert sorted(entry.files) == ["log.txt", "netlist.json"]
        assert (entry.folder / "netlist.json").read_text() == '{"modules": {}}'
        assert entry.seconds + 1 > 0


def _heal_cache(folder: Path) -> None:
    """The seal alone cannot be made right."""
    for index in folder.glob(f"cache/*/{INDEX}"):
        row = json.loads(index.read_text())
        row["files"] |= {name: hashes.of_file(index.with_name(name)) for name in row["files"]}
        index.write_text(json.dumps(row))


@cache
def _network() -> Network:
    return residual_network()


def _make_bundle(folder: Path) -> None:
    small_bundle(_network(), folder / "bundle")


def _use_bundle(folder: Path) -> None:
    bundle = bundles.load(folder / "bundle")
    for name in ("test_images.npy", "test_labels.npy", "test_scores.npy"):
        npy.load(bundle.folder / name).tolist()
    elaborate_plan(bundle)


def elaborate_plan(bundle: bundles.Bundle) -> None:
    """The plan of a bundle, held to the network; what is built of it is not this test's."""
    from gen.engine.plan_check import check_plan
    from gen.plan.lower import lower

    check_plan(bundle.plan, lower(_network()))
    f"{bundle.info} {bundle.manifest.dumps()}"


def _heal_bundle(folder: Path) -> None:
    folder = folder / "bundle"
    raw: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    head = {name: raw.pop(name) for name in ("format", "version", "hash")}
    for name in raw["files"]:
        if (folder / name).is_file():
            raw["files"][name] = hashes.of_file(folder / name)
    head["hash"] = hashes.of_json(raw)
    (folder / MANIFEST).write_text(json.dumps(head | raw))


def _make_arrays(folder: Path) -> None:
    for n, kind in enumerate(("u1", "<i4", "<u2", "<i8")):
        np.save(folder / f"{n}.npy", np.arange(24, dtype=kind).reshape(2, 3, 4))


def _use_arrays(folder: Path) -> None:
    for path in sorted(folder.glob("*.npy")):
        npy.load(path).tolist()


BOARD = """[my-board]
device = "ice40-up5k"
clock = { pin = "35", mhz = 12 }
serial = { rx = "6", tx = "9", chip = "FT2232H", baud = 3_000_000 }
leds = ["!11", "!37"]
pll = "pad"
note = "mine"
load = ["iceprog", "{bitstream}"]
"""


def _make_board(folder: Path) -> None:
    (folder / "boards.toml").write_text(BOARD)


def _use_board(folder: Path) -> None:
    path = folder / "boards.toml"
    for name, entry in board_files.checked(board_files.read(path), str(path)).items():
        own_board(name, entry, str(path)).clocks()


def _make_build(folder: Path) -> None:
    """What compile leaves, but for the tools' own files."""
    network = _network()
    plan = make_plan(network, device("up5k"), fps=1000)
    made = elaborate(network, plan)
    folder = folder / "build"
    folder.mkdir()
    plans.save(plan, folder / PLAN)
    (folder / f"{made.top}.v").write_text(made.header + made.verilog)
    files = {"plan": str(folder / PLAN), "verilog": str(folder / f"{made.top}.v")}
    sums = hashes.of_files(folder.iterdir())
    save_report(replace(report("x", plan), files=files, sha256=sums), folder / REPORT)


def _use_build(folder: Path) -> None:
    planned(_network(), board="up5k", folder=folder / "build")


def _heal_build(folder: Path) -> None:
    path = folder / "build" / REPORT
    row = json.loads(path.read_text())
    row["sha256"] = {name: hashes.of_file(path.with_name(name)) for name in row["sha256"]}
    path.write_text(json.dumps(row))


SUBJECTS = (
    Subject(
        "build", _make_build,
        {f"build/{REPORT}": as_json, f"build/{PLAN}": as_json, "build/*.v": damaged},
        _use_build, _heal_build,
    ),
    Subject(
        "cache", _make_cache, {f"*/*/{INDEX}": as_json, "*/*/netlist.json": damaged}, _use_cache,
        _heal_cache, 2,
    ),
    Subject(
        "bundle", _make_bundle,
        {f"bundle/{MANIFEST}": as_json, "bundle/*.npy": as_npy, "bundle/plan.json": as_json,
         "bundle/*.v": damaged},
        _use_bundle, _heal_bundle, 3,
    ),
    Subject("arrays of the host", _make_arrays, {"*.npy": as_npy}, _use_arrays, weight=2),
    Subject("board", _make_board, {"boards.toml": as_toml}, _use_board, weight=2),
)  # fmt: skip
