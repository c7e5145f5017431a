"""Spaces, run folders, supernets and checkpoints, mutated, and what search and train do next."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as save_tensors

from gen.cost.energy import model_hash as energy_model
from model.checkpoint import CHECKPOINT, State, TrainingRun, pickled
from model.net import Net
from search.report.report import report
from search.results.results_files import load
from search.run.run_folder import RunFolder
from search.space import space_files
from search.space.space import Space
from search.supernet.supernet import SuperNet
from search.supernet.supernet_train import ABOUT, WEIGHTS, _plain, load_supernet
from sim.verify.evidence import read as read_evidence
from tests.fuzz.content import as_json, as_lines, as_safetensors, as_toml, as_zip, damaged
from tests.fuzz.subject import Subject
from tests.fuzz.values import mutated, value
from tests.support.report_run import make_run

TINY = """shape = [6, 6, 1]
classes = 2
input_bits = 4
act_bits = 6
score_bits = 10
first = { channels = [4], mult = { conv = [3], bits = [6] } }
last = { head = ["flatten"], mult = { bits = [6] } }
[[stage]]
reduce = ["none", "stride"]
channels = [4, 6]
depth = [0, 1]
mult = { conv = [1, 3], bits = [6] }
shift = { conv = [3], separable = [3], bits = [4] }
"""


def _make_space(folder: Path) -> None:
    (folder / "tiny.toml").write_text(TINY)


def _use_space(folder: Path) -> None:
    space = space_files.load(folder / "tiny.toml")
    f"{space.size:,} {float(space.size):g}"
    rng = random.Random(0)
    one, other = space.sample(rng), space.sample(rng)
    child = space.crossover(space.mutate(one, rng), other, rng)
    space.architecture(child)


@cache
def _tiny() -> Space:
    import tomllib

    return space_files.parse(tomllib.loads(TINY), "tiny")


def _make_run(folder: Path) -> None:
    run = make_run(folder / "run", count=12, finalists=2)
    (run / "evidence.json").write_text(json.dumps({
        "network_hash": "0" * 64, "device": "up5k",
        "levels": {"netlist": {
            "ok": True, "plan": "0" * 64, "what": "netlist", "images": 20, "mismatches": 0,
        }},
        "faults": {
            "plan": "0" * 64, "board": "icebreaker", "seed": 0, "seconds": 1.5, "first": "",
            "frames": {"noise": {"sent": 9, "damaged": 9, "good": 2}},
            "mishaps": {"cable": {"tried": 2, "held": 2}},
        },
    }))  # fmt: skip
    for finalist in (run / "finalists").iterdir():
        (run / "evidence.json").rename(finalist / "evidence.json")
        break


def _use_run(folder: Path) -> None:
    run = folder / "run"
    for path in run.glob("finalists/*/evidence.json"):
        read_evidence(path)
    report([run])


def _use_resumed(folder: Path) -> None:
    request = load(folder / "run").request
    plain = json.loads(json.dumps(dict(request)))
    made = RunFolder(folder / "run", plain, resume=True)
    try:
        made.end_round({"round": 9, "measured": 1, "finalists": 1})
        with made.timed("supernet"):
            pass
    finally:
        made.close()


def _make_scores(folder: Path) -> None:
    """A run as a search itself writes it."""
    run = make_run(folder / "run", count=6, finalists=1)
    head = json.loads((run / "run.json").read_text())
    head["request"] |= {name: {} for name in ("limits", "budget")}
    head["energy"] = energy_model()
    (run / "run.json").write_text(json.dumps(head))
    errors = {"lut_error": 2.0, "fmax_error": None, "latency_error": 0.5}
    rounds = [{"round": 0, "finalists": 2, "measured": 2, **errors}]
    (run / "rounds.json").write_text(json.dumps(rounds))
    rows = [json.loads(line) for line in (run / "candidates.jsonl").read_text().splitlines()]
    more = {"excess": 0.5, "weights": 1000, "inherited": {"accuracy": 0.5, "loss": 1.5}}
    (run / "candidates.jsonl").write_text("".join(json.dumps(row | more) + "\n" for row in rows))


def _make_supernet(folder: Path) -> None:
    net = SuperNet(_tiny())
    (folder / WEIGHTS).write_bytes(save_tensors(net.state_dict()))
    about = {
        "format": "shiftadd-supernet", "version": 1, "hash": "0" * 64, "space": _plain(_tiny()),
        "sharing": "heterogeneous", "weights": net.weight_count, "unshared_weights": 9999,
        "curve": [{"epoch": 1, "loss": 0.5}], "histograms": {},
    }  # fmt: skip
    (folder / ABOUT).write_text(json.dumps(about))


def _use_supernet(folder: Path) -> None:
    net = load_supernet(folder, _tiny())
    candidate = _tiny().sample(random.Random(0))
    net(torch.zeros(2, 6, 6, 1), candidate)


def _new_training(folder: Path) -> tuple[TrainingRun, Net, torch.optim.Optimizer]:
    torch.manual_seed(0)
    space = _tiny()
    net = Net(space.architecture(space.largest("mult")))
    run = TrainingRun(folder, {"epochs": 3, "seed": 0, "arch": "x"})
    return run, net, torch.optim.AdamW(net.parameters())


def _step(net: Net, optimiser: torch.optim.Optimizer) -> None:
    net(torch.zeros(4, 6, 6, 1)).sum().backward()
    optimiser.step()


def _make_checkpoint(folder: Path) -> None:
    run, net, optimiser = _new_training(folder)
    _step(net, optimiser)
    state = State(1, 2.5, {"float": 0.5}, {k: v.clone() for k, v in net.state_dict().items()})
    run.record({"epoch": 1}, net, optimiser, state)


def _use_checkpoint(folder: Path) -> None:
    run, net, optimiser = _new_training(folder)
    state = run.restore(net, optimiser)
    _step(net, optimiser)
    state.epoch += 1
    run.record({"epoch": state.epoch}, net, optimiser, state)


def as_checkpoint(raw: bytes, rng: random.Random) -> bytes:
    """Other values and tensors in it; or parts of its archive; or its bytes."""
    import io

    match rng.randrange(4):
        case 0:
            return damaged(raw, rng)
        case 1:
            return as_zip(damaged)(raw, rng)
    saved: Any = torch.load(io.BytesIO(raw), weights_only=True)
    for _ in range(rng.choice((1, 1, 2))):
        if rng.random() < 0.4:
            holder: Any = saved[rng.choice(("net", "state", "optimiser", "request"))]
            while isinstance(holder, dict) and rng.random() < 0.6:
                inner = [part for part in holder.values() if isinstance(part, dict)]
                holder = rng.choice(inner) if inner else holder
                if not inner:
                    break
            if holder:
                holder[rng.choice(list(holder))] = rng.choice((
                    value(rng), torch.zeros(3), torch.zeros(2, dtype=torch.complex64), "x",
                    torch.full((4,), float("nan")), torch.zeros(1, 10**6).expand(10**6, 10**6),
                    torch.zeros(4).to_sparse(), torch.empty(0), torch.tensor(True),
                ))  # fmt: skip
        else:
            saved = mutated(saved, rng)
            if not isinstance(saved, dict) or not saved.keys() >= {"net", "state", "optimiser"}:
                break
    return pickled(saved)


SUBJECTS = (
    Subject("space", _make_space, {"tiny.toml": as_toml}, _use_space, weight=3),
    Subject(
        "run", _make_run,
        {
            "run/run.json": as_json, "run/candidates.jsonl": as_lines, "run/rounds.json": as_json,
            "run/supernet.json": as_json, "run/finalists/*/*.json": as_json,
            "run/finalists/*/finalist.json": as_json, "run/finalists/*/evidence.json": as_json,
        },
        _use_run, weight=4,
    ),
    Subject(
        "resumed", _make_scores,
        {"run/run.json": as_json, "run/candidates.jsonl": as_lines, "run/rounds.json": as_json},
        _use_resumed, weight=2,
    ),
    Subject(
        "supernet", _make_supernet, {ABOUT: as_json, WEIGHTS: as_safetensors}, _use_supernet,
        weight=2,
    ),
    Subject("checkpoint", _make_checkpoint, {CHECKPOINT: as_checkpoint}, _use_checkpoint, weight=3),
)  # fmt: skip
