"""Running tools: one line on failure, a time limit, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gen.support import tools
from gen.support.tools import HopelessError, ToolError

HANG = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
time.sleep(60)
"""
Run = Callable[..., float]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(tool: str, *arguments: str, timeout: float = 60) -> float:
        log = tmp_path / "log"
        return tools.run(tool, arguments, step="a step", folder=tmp_path, log=log, timeout=timeout)

    return call


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(folder: Path) -> bool:
    """Whether both processes of HANG end within five seconds."""
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(map(alive, pids)):
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_yosys_runs_and_leaves_its_log(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.ys").write_text("read_verilog -sv a.v\nstat\n")
    (tmp_path / "a.v").write_text("module a(output o); assign o = 1; endmodule\n")
    assert run("yosys", "s.ys") > 0
    assert "1 wires" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("frobnicate", "No such command: frobnicate"),
        ("read_verilog nothing.v", "nothing.v"),
        ("read_verilog bad.v", "bad.v:2: ERROR: syntax error"),
    ],
)
def test_failure_is_one_line_that_says_why(
    run: Run, tmp_path: Path, script: str, said: str
) -> None:
    (tmp_path / "s.ys").write_text(script)
    (tmp_path / "bad.v").write_text("module bad;\n  wire 3;\nendmodule\n")
    with pytest.raises(ToolError) as error:
        run("yosys", "s.ys")
    message = str(error.value)
    assert message.startswith("a step: yosys: ")
    assert said in message
    assert "\n" not in message
    assert "Traceback" not in message


def test_nextpnr_failure_names_its_own_error(run: Run) -> None:
    with pytest.raises(ToolError, match=r"a step: nextpnr-ice40: .*nothing\.json"):
        run("nextpnr-ice40", "--up5k", "--json", "nothing.json")


def test_time_limit_stops_the_tool_and_its_children(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tools.PROGRAMS, "yosys", HANG)
    with pytest.raises(ToolError, match="took more than 3 s and was stopped; raise the time limit"):
        run("yosys", timeout=3)
    assert gone(tmp_path)


def test_interrupt_stops_the_tool_and_its_children(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tools.PROGRAMS, "yosys", HANG)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run("yosys")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert gone(tmp_path)


def test_tool_ends_when_this_process_is_killed(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from gen.support import tools
tools.PROGRAMS["yosys"] = {HANG!r}
here = Path({str(tmp_path)!r})
tools.run("yosys", [], step="s", folder=here, log=here / "log", timeout=60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program])
    pids = tmp_path / "pids"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (
        pids.exists() and len(pids.read_text().split()) == 2
    ):
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    tool, grandchild = map(int, pids.read_text().split())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and alive(tool):
        time.sleep(0.05)
    os.kill(grandchild, signal.SIGKILL)
    assert not alive(tool)


def test_a_tool_that_goes_round_in_circles_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import time\nfor i in range(999): print('again', flush=True); time.sleep(0.01)"
    monkeypatch.setitem(tools.PROGRAMS, "yosys", program)
    with pytest.raises(HopelessError, match="s: yosys: goes round in circles and was stopped"):
        tools.run(
            *("yosys", []),
            step="s",
            folder=tmp_path,
            log=tmp_path / "log",
            timeout=60,
            hopeless=lambda log: log.count("again") > 50,
        )


def test_a_killed_tool_is_reported_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    program = f"import os; os.kill(os.getpid(), {signal.SIGKILL:d})"
    monkeypatch.setitem(tools.PROGRAMS, "yosys", program)
    with pytest.raises(ToolError, match=f"was killed by signal {signal.SIGKILL:d}"):
        run("yosys")


def test_missing_package_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tools.PACKAGES, "yosys", "no-such-package-here")
    with pytest.raises(ModuleNotFoundError, match="yosys is missing: pip install no-such-package"):
        run("yosys")


def test_lent_inputs_are_taken_back(tmp_path: Path) -> None:
    source = tmp_path / "elsewhere" / "a.v"
    source.parent.mkdir()
    source.write_text("module a; endmodule\n")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "s.ys").write_text("read_verilog a.v")
    log = folder / "log"
    tools.run("yosys", ["s.ys"], step="s", folder=folder, log=log, timeout=60, inputs=(source,))
    assert sorted(p.name for p in folder.iterdir()) == ["log", "s.ys"]
    assert source.exists()


def test_reason_prefers_the_first_error() -> None:
    assert tools.reason("Info: a\nERROR: first\nERROR: second\nlast\n") == "first"
    assert (
        tools.reason("Traceback\n  x\nException: no such device\n\n") == "Exception: no such device"
    )
    assert tools.reason("\n") == "ended without a word"
