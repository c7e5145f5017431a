"""What the toy kind is put through, in a process that finds it by SHIFTADD_KINDS; prints JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from gen.cost.energy_45nm import energy
from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.support.cache import Cache
from gen.support.devices import device
from model import data
from model.arch import Architecture, Block
from model.errors import ShiftaddError
from model.kinds import kind_names
from model.spec import Dense, infer
from model.train import train
from rtl.pe.element import pe
from sim.formal.elements import Element
from sim.formal.proof import holds_after
from sim.verify.network import simulate

ARCH = Architecture(
    name="toy",
    shape=(8, 8, 1),
    input_bits=5,
    blocks=(
        Block("conv", "mult", 4, weight_bits=4, act_bits=4),
        Block("maxpool", kernel=2, stride=2),
        Block("conv", "least", 6, weight_bits=4, act_bits=4),
        Block("maxpool", kernel=2, stride=2),
        Block("dense", "mult", 10, weight_bits=4, act_bits=8),
    ),
)


def main(simulator: str, work: Path, epochs: int) -> dict[str, object]:
    """Train, plan, price, elaborate and simulate; and prove the element."""
    digits = data.load("digits")
    trained = train(ARCH, replace(digits, train_images=digits.train_images[:640],
                    train_labels=digits.train_labels[:640]), epochs=epochs, quiet=True)  # fmt: skip
    network = trained.network
    planned = plan(network, device("up5k"))
    images = torch.from_numpy(digits.test_images[:8])
    proof = simulate(
        network, elaborate(network, planned), images, simulator=simulator, root=work / "sim"
    )
    claim = Element("least", pe("least")(simd=2, x_bits=2, x_signed=False, w_bits=2, acc_bits=8))
    verdict = holds_after(claim, claim.cycles, cache=Cache(work / "cache"))
    return {
        "kinds": kind_names(),
        "accuracy": trained.accuracy["integer"],
        "lut": planned.cost.lut,
        "energy": energy(network, planned).add,
        "weights": sorted(
            {n.kind for n in network if not isinstance(n, Dense) and hasattr(n, "kind")}
        ),
        "nodes": len(infer(network)),
        "mismatches": proof.mismatches,
        "ok": proof.ok,
        "proven": verdict.proven,
    }


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
    except ShiftaddError as error:
        print(error)
        raise SystemExit(error.exit_status) from None
