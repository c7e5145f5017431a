"""Fingerprints of plans and Verilog of ten networks on four boards: what a refactor must not move.

    python -m tests.support.fingerprints            what differs from those recorded
    python -m tests.support.fingerprints --write    records them anew, for a change that is meant

The networks are made without floating point, so they are the same on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from model import store
from model.spec import Network
from tests.support.layer_cases import random_network
from tests.support.networks import residual_network
from tests.support.paths import DATA, DIGITS_HYBRID

FILE = DATA / "fingerprints.json"
BOARDS = ("ulx3s-25f", "up5k", "hx8k", "tang-nano-9k")
Fingerprint = dict[str, str]
"""Hashes of network, plan and Verilog by those names, or `network` and why it was `refused`."""


def _layer(seed: int) -> Network:
    return random_network(random.Random(seed))[0]


NETWORKS: dict[str, Callable[[], Network]] = {
    "digits": partial(store.load, DIGITS_HYBRID),
    "fashion": partial(store.load, DATA / "fashion_hybrid.net"),
    "residual": residual_network,
    **{f"layer{seed}": partial(_layer, seed) for seed in range(7)},
}
CASES = tuple(f"{name}/{board}" for name in NETWORKS for board in BOARDS)


def fingerprint(case: str) -> Fingerprint:
    """Of `case`, which is NETWORK/BOARD."""
    name, _, board = case.partition("/")
    network = NETWORKS[name]()
    made = {"network": store.content_hash(network)}
    try:
        planned = plan(network, device(board))
    except DoesNotFitError as error:
        return made | {"refused": str(error).partition(";")[0]}
    verilog = elaborate(network, planned).verilog
    return made | {
        "plan": planned.hash, "verilog": hashlib.sha256(verilog.encode()).hexdigest(),
    }  # fmt: skip


def recorded() -> dict[str, Fingerprint]:
    """Those of the file, by case."""
    read: dict[str, Fingerprint] = json.loads(FILE.read_text())
    return read


def differences(case: str, made: Fingerprint, before: Fingerprint | None) -> Iterator[str]:
    """A line for each part of a fingerprint that is not what it was."""
    before = before or {}
    for part in sorted(made.keys() | before.keys()):
        old, new = before.get(part, "none"), made.get(part, "none")
        if old != new:
            yield f"{case}: {part} {new}, not {old}"


def main(words: Iterable[str] | None = None) -> int:
    """Prints differences; 1 when there are any that are not written."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name} anew")
    asked = parser.parse_args(None if words is None else list(words))
    before = recorded() if FILE.exists() else {}
    made = {case: fingerprint(case) for case in CASES}
    lines = [line for case in CASES for line in differences(case, made[case], before.get(case))]
    print("\n".join(lines) or f"all {len(CASES)} as recorded")
    if asked.write:
        FILE.write_text(json.dumps(made, indent=1) + "\n")
    return int(bool(lines) and not asked.write)


if __name__ == "__main__":
    raise SystemExit(main())
