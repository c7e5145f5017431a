"""What was verified of a network on a device, by level and by faults, in a file beside its build.

    {"network_hash": …, "device": …, "levels": {"netlist": {"ok": true, "images": 20, …}},
     "faults": {"ok": true, "board": …, "total": {"sent": 10000, …}, …}}

A level holds the result of its last simulation
(`sim.verify.simulation_result.SimulationResult`) with `ok`, the hash of the `plan` (bitstreams of
some families are read back without multipliers, which is another plan) and `what` was simulated.
`faults` are those that the virtual board was given last (`sim.verify.fault_counts.FaultCounts`).
Results of another network or device are not kept in the same file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Required, TypedDict

from gen.plan.plan import Plan
from gen.support.devices import FamilyName
from model import records
from model.errors import RequestError
from model.files import write
from model.records import Count, Digest, Whole
from sim.verify.fault_counts import FaultCounts

if TYPE_CHECKING:  # a report reads evidence without the simulator
    from sim.verify.simulation_result import SimulationResult

FILE = "evidence.json"
WHAT: dict[str, str] = {
    "rtl": "generated Verilog",
    "netlist": "netlist of synthesis, with models of the family's cells",
    "routed": "netlist after place and route, with models of the family's cells",
}
BARE = "planned without multipliers"
BITSTREAM: dict[FamilyName, str] = {
    "ice40": f"bitstream, read back by icebox_vlog; {BARE}",
    "gowin": f"bitstream, read back with apycula's tables; {BARE}",
    "ecp5": "routed netlist; the bitstream, unpacked and packed again, is equal to the byte, and "
    "its LUTs and block RAM hold what that netlist says",
}


def description(level: str, family: FamilyName) -> str:
    """What is simulated at a level, in words."""
    return BITSTREAM[family] if level == "bitstream" else WHAT[level]


def path(build: Path | None, plan: Plan, root: Path = Path("build")) -> Path:
    """Where the evidence lies: in the folder that `compile` wrote, or under `root`."""
    if build is not None:
        return build / FILE
    return root / "evidence" / f"{plan.network_hash[:12]}-{plan.device}.json"


def record(file: Path, plan: Plan, family: FamilyName, result: SimulationResult) -> None:
    """Adds a level to the file, or puts it in the place of an earlier result."""
    kept = _kept(file, plan)
    about = {"ok": result.ok, "plan": plan.hash, "what": description(result.level, family)}
    kept["levels"][result.level] = about | result.as_dict()
    _save(file, kept)


def record_faults(file: Path, plan: Plan, board: str, counts: FaultCounts) -> None:
    """Puts what faults did to the network on the virtual `board` into the file."""
    about = {"plan": plan.hash, "board": board}
    _save(file, _kept(file, plan) | {"faults": about | counts.as_dict()})


def _kept(file: Path, plan: Plan) -> dict[str, Any]:
    """What the file says of the network and device of `plan`; no level where it says nothing."""
    identity = {"network_hash": plan.network_hash, "device": plan.device}
    before = read(file)
    if before and {key: before.get(key) for key in identity} == identity:
        return before
    return identity | {"levels": {}}


def _save(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, json.dumps(content, indent=1) + "\n")


class _Level(TypedDict):
    ok: bool
    plan: Digest
    what: str
    images: Whole
    mismatches: Whole


class _Faults(TypedDict):
    plan: Digest
    board: str
    seed: int
    seconds: Count
    frames: dict[str, dict[str, Whole]]
    mishaps: dict[str, dict[str, Whole]]
    first: str


class _Evidence(TypedDict, total=False):
    network_hash: Required[str]
    device: Required[str]
    levels: Required[dict[str, _Level]]
    faults: _Faults


def read(file: Path) -> dict[str, Any] | None:
    """What a file says; None where there is none, or one that is damaged and so proves nothing."""
    try:
        said = records.read(file, dict[str, Any], error=RequestError)
        records.convert(said, _Evidence, source=str(file), error=RequestError)
        if "faults" in said:
            FaultCounts.from_dict(said["faults"])
    except (RequestError, TypeError):
        return None
    return said
