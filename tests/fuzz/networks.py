"""Networks, plans, architectures and reports, mutated, and what compile does with them."""

from __future__ import annotations

import hashlib
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import torch

from gen.engine.assemble import assemble
from gen.engine.elaborate import elaborate
from gen.engine.plan_check import check_plan
from gen.plan import plan as plans
from gen.plan.lower import lower
from gen.planner.planner import plan as make_plan
from gen.report import load as load_report
from gen.report import report
from gen.report import save as save_report
from gen.support.devices import device
from gen.support.errors import PlanError
from gen.table import table
from model import arch, golden, store, zoo
from model.net import Net
from model.spec import Network
from model.terminal import console
from tests.fuzz.content import as_json, as_safetensors
from tests.fuzz.subject import Subject
from tests.support.layer_cases import random_network
from tests.support.networks import residual_network

BOARD = "up5k"
ELABORATED = 4
"""Of so many networks that are understood, one becomes Verilog, which takes a second."""


def some_networks() -> list[Network]:
    return [residual_network(), *(random_network(random.Random(n))[0] for n in range(5))]


def _make_networks(folder: Path) -> None:
    for n, network in enumerate(some_networks()):
        store.save(network, folder / f"{n}.net")


def _heal_networks(folder: Path) -> None:
    for path in folder.glob("*.net"):
        graph = json.loads((path / store.GRAPH).read_text())
        form = store._Graph(*(graph[name] for name in ("hash", "classes", "nodes", "about")))
        graph["hash"] = store.content_hash(store._decode(form, path))
        (path / store.GRAPH).write_text(json.dumps(graph))


def _use_networks(folder: Path) -> None:
    """What is changed is the only one that is not known by its hash."""
    for path in sorted(folder.glob("*.net")):
        network = store.load(path)
        digest = store.content_hash(network)
        if digest in _known():
            continue
        golden.run(network, torch.zeros((1, *network.input.shape), dtype=torch.int64))
        planned = make_plan(network, device(BOARD))
        assemble(lower(network), {s.name: s.fold for s in planned.stages}, planned.fifos)
        if int(digest, 16) % ELABORATED == 0:
            assert len(elaborate(network, planned).verilog) > 1000


@cache
def _known() -> frozenset[str]:
    return frozenset(map(store.content_hash, some_networks()))


@cache
def _planned() -> tuple[Network, plans.Plan]:
    network = residual_network()
    return network, make_plan(network, device(BOARD), fps=1000)


def _heal_plan(folder: Path) -> None:
    path = folder / "plan.json"
    document: Any = json.loads(path.read_text())
    text = json.dumps(document["plan"], sort_keys=True, separators=(",", ":"))
    document["hash"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(document))


def _use_plan(folder: Path) -> None:
    plan, (network, _) = plans.load(folder / "plan.json"), _planned()
    if plan.network_hash != store.content_hash(network):
        raise PlanError("of another network")
    layers = lower(network)
    check_plan(plan, layers)
    assemble(layers, {s.name: s.fold for s in plan.stages}, plan.fifos)
    _show(report("network", plan))


def _show(made: Any) -> None:
    with console().capture():
        console().print(table(made))


def _make_report(folder: Path) -> None:
    save_report(report("network", _planned()[1]), folder / "report.json")
    text = (folder / "report.json").read_text().replace('"measured": null', '"measured": {}')
    (folder / "measured.json").write_text(text)


def _use_report(folder: Path) -> None:
    for path in sorted(folder.glob("*.json")):
        _show(load_report(path))


def _make_architectures(folder: Path) -> None:
    for name in ("digits_hybrid", "fashion_hybrid"):
        arch.save(zoo.load(name), folder / f"{name}.json")


def _use_architecture(folder: Path) -> None:
    for path in sorted(folder.glob("*.json")):
        made = zoo.load(str(path))
        if made.id not in {one.id for one in zoo.ARCHITECTURES.values()}:
            Net(made)


def _drop_ids(folder: Path) -> None:
    for path in folder.glob("*.json"):
        row = json.loads(path.read_text())
        row.pop("id", None)
        path.write_text(json.dumps(row))


SUBJECTS = (
    Subject(
        "network", _make_networks, {"*/network.json": as_json, "*/*.safetensors": as_safetensors},
        _use_networks, _heal_networks, 4,
    ),
    Subject(
        "plan", lambda folder: plans.save(_planned()[1], folder / "plan.json"),
        {"plan.json": as_json}, _use_plan, _heal_plan, 3,
    ),
    Subject("report", _make_report, {"*.json": as_json}, _use_report, weight=2),
    Subject(
        "architecture", _make_architectures, {"*.json": as_json}, _use_architecture, _drop_ids, 3
    ),
)  # fmt: skip
