"""The file of what was proven: level by level, of one network on one device."""

from __future__ import annotations

import random
from pathlib import Path

from gen.compile import planned
from sim.verify import evidence
from sim.verify.fault_counts import FaultCounts, FaultScenario, FrameCounts
from sim.verify.simulation_result import SimulationResult
from tests.support.layer_cases import random_network


def result(level: str, mismatches: int = 0) -> SimulationResult:
    return SimulationResult(
        level, "icarus", 20, mismatches, 100, 50, None, None, 0, 0, 4000, 1e4, 1.5
    )


def test_levels_come_together_and_a_later_result_counts(tmp_path: Path) -> None:
    plan, _ = planned(random_network(random.Random(1))[0], board="up5k")
    file = evidence.path(tmp_path, plan)
    for level_result in (result("rtl"), result("bitstream", mismatches=3), result("bitstream")):
        evidence.record(file, plan, "ice40", level_result)
    said = evidence.read(file)
    assert said is not None
    assert list(said["levels"]) == ["rtl", "bitstream"]
    last = said["levels"]["bitstream"]
    assert (last["ok"], last["mismatches"], last["images"]) == (True, 0, 20)
    assert last["plan"] == plan.hash
    assert "icebox_vlog" in last["what"]


def test_faults_stand_beside_levels(tmp_path: Path) -> None:
    plan, _ = planned(random_network(random.Random(1))[0], board="up5k")
    other, _ = planned(random_network(random.Random(2))[0], board="up5k")
    file = evidence.path(tmp_path, plan)
    tried = FaultCounts(
        3, 1.5, {"noise": FrameCounts(sent=5, good=2)}, {"cable": FaultScenario(2, 2)}
    )
    evidence.record_faults(file, plan, "icebreaker", tried)
    evidence.record(file, plan, "ice40", result("rtl"))
    said = evidence.read(file)
    assert said is not None
    assert list(said["levels"]) == ["rtl"]
    assert FaultCounts.from_dict(said["faults"]) == tried
    assert (said["faults"]["board"], said["faults"]["plan"]) == ("icebreaker", plan.hash)
    evidence.record(file, other, "ice40", result("rtl"))
    said = evidence.read(file)
    assert said is not None
    assert "faults" not in said, "those of another network"


def test_another_network_and_a_damaged_file_are_not_added_to(tmp_path: Path) -> None:
    plan, _ = planned(random_network(random.Random(1))[0], board="up5k")
    other, _ = planned(random_network(random.Random(2))[0], board="up5k")
    file = tmp_path / "evidence.json"
    evidence.record(file, plan, "ice40", result("rtl"))
    evidence.record(file, other, "ice40", result("netlist"))
    said = evidence.read(file)
    assert said is not None
    assert (said["network_hash"], list(said["levels"])) == (other.network_hash, ["netlist"])
    file.write_text("{")
    assert evidence.read(file) is None
    evidence.record(file, plan, "ice40", result("rtl"))
    assert evidence.read(file)
