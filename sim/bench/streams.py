"""Stream benches: a device between a source and a sink, checked word by word.

Several devices fit in one simulation, each with a source and a sink of its own. Words are integers;
the harness (harness.v) replays and records them at the simulator's speed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from model import temporary
from model.files import copy
from sim.bench import simulators
from sim.bench.stream_result import ProbeRecord, StreamResult
from sim.bench.wrapper import PROBES_PER_CASE, StreamCase, wrapper

TIMEOUT = 20_000


def run_streams(
    cases: Sequence[StreamCase],
    *,
    simulator: str = "verilator",
    seed: int = 0,
    stall_in: float = 0.0,
    stall_out: float = 0.0,
    timeout: int = TIMEOUT,
    probing: bool = False,
    waves: Path | None = None,
    root: Path = simulators.BUILD,
) -> list[StreamResult]:
    """Run the devices of `cases` side by side in one simulation, one result a case.

    stall_in, stall_out: chance per cycle that the source offers no word, the sink takes none.
    timeout: cycles without any transfer in or out after which a device counts as stopped.
    waves: .fst, .vcd or .saif file to write. Raises ValueError for a wrong request, SimulatorError.
    """
    kind = simulators.check_waves(simulator, waves)
    stalls = _threshold("stall_in", stall_in), _threshold("stall_out", stall_out)
    model = simulators.build(wrapper(cases), simulator=simulator, waves=kind, root=root)
    with temporary.folder() as folder:
        for i, case in enumerate(cases):
            (folder / f"{i}.in").write_text(_stimulus(case, i, seed, stalls, timeout, probing))
        traced = folder / f"waves.{kind}" if waves else None
        simulators.run(model, folder, simulator=simulator, waves=traced)
        if waves and traced:
            _deliver(traced, waves)
        seconds = float((folder / "seconds").read_text())
        return [_result(case, i, folder, seed, seconds) for i, case in enumerate(cases)]


def run_stream(
    verilog: str,
    top: str,
    *,
    inputs: Sequence[int],
    expected: Sequence[int],
    words_in: int | None = None,
    words_out: int | None = None,
    simulator: str = "verilator",
    seed: int = 0,
    stall_in: float = 0.0,
    stall_out: float = 0.0,
    timeout: int = TIMEOUT,
    waves: Path | None = None,
    root: Path = simulators.BUILD,
) -> StreamResult:
    """`run_streams` of one device with Amaranth's streams `i` and `o`."""
    case = StreamCase(verilog, top, inputs, expected, words_in, words_out)
    (result,) = run_streams(
        [case],
        simulator=simulator,
        seed=seed,
        stall_in=stall_in,
        stall_out=stall_out,
        timeout=timeout,
        waves=waves,
        root=root,
    )
    return result


def _deliver(source: Path, final: Path) -> None:
    """Copies a finished file to `final`, which may be on another disk."""
    final.parent.mkdir(parents=True, exist_ok=True)
    copy(source, final)


def _threshold(name: str, probability: float) -> int:
    if not 0 <= probability < 1:
        raise ValueError(f"{name} {probability}: a probability from 0 to below 1")
    return min(255, round(probability * 256))


def _stimulus(
    case: StreamCase, i: int, seed: int, stalls: tuple[int, int], timeout: int, probing: bool
) -> str:
    """The .in file of harness.v."""
    noise = random.Random(f"{seed}/{i}")
    settings = [
        case.words_in or len(case.inputs),
        case.words_out or len(case.expected),
        len(case.inputs),
        len(case.expected),
        *stalls,
        timeout,
        int(probing),
    ]
    seeds = [noise.randrange(1, 1 << 32) for _ in range(2)]
    lines = [" ".join(map(str, line)) for line in (settings, seeds)]
    return "\n".join([*lines, *(f"{word:x}" for word in case.inputs), ""])


def _word(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def _result(case: StreamCase, i: int, folder: Path, seed: int, seconds: float) -> StreamResult:
    log: dict[str, list[str]] = {kind: [] for kind in "aofve"}
    for line in (folder / f"{i}.log").read_text().splitlines():
        log[line[0]].append(line[2:])
    words = [_word(text) for text in log["o"]]
    differ = [n for n, pair in enumerate(zip_longest(words, case.expected)) if pair[0] != pair[1]]
    stopped, cycles = map(int, log["e"][0].split())
    return StreamResult(
        words=words,
        mismatches=len(differ),
        first_mismatch=differ[0] if differ else None,
        accepted=[int(c) for c in log["a"]],
        finished=[int(c) for c in log["f"]],
        unheld=[int(c) for c in log["v"]],
        stopped=bool(stopped),
        cycles=cycles,
        seed=seed,
        seconds=seconds,
        probes=_probes(case, i, folder),
    )


def _probes(case: StreamCase, i: int, folder: Path) -> dict[str, ProbeRecord]:
    records = {}
    for n, prefix in enumerate(case.probes):
        path = folder / f"{i * PROBES_PER_CASE + n}.probe"
        if path.exists():
            *words, last = path.read_text().splitlines()
            _, valid, ready = last.split()
            records[prefix] = ProbeRecord([_word(w) for w in words], valid == "1", ready == "1")
    return records
