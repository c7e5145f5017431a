"""deploy on the virtual board, as a stranger uses it: the verb, the bundle, what goes wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import serial

import shiftadd
import sim.board.deploy
from gen.deploy import bundle as bundles
from gen.deploy import examples as example_images
from gen.deploy import loader
from gen.deploy.bundle import Bundle
from gen.deploy.examples import examples
from gen.host.connection import BoardConnection
from gen.host.link_protocol import DeviceError
from model import data, store
from sim.bench.installed import missing
from sim.board.deploy import deploy
from sim.board.virtual import VirtualBoard
from tests.support.command_line import call
from tests.support.deploy_cases import IMAGES, flip, with_bitstream, with_files
from tests.support.deploy_cases import with_manifest as changed
from tests.support.fake_board import INFO, FakeBoard, right_reply
from tests.support.paths import DIGITS_HYBRID as NET

pytestmark = pytest.mark.skipif(missing("verilator") is not None, reason=str(missing("verilator")))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path]:
    """What the verb said of a board without place and route, and the bundle that it left."""
    out = tmp_path_factory.mktemp("digits") / "it's a möglicher $(folder)"
    words = ["deploy", NET, "--board", "icebreaker", "--virtual", "--fps", 2000, "--images", IMAGES]
    with redirect_stdout(StringIO()) as said:
        status = shiftadd.main([str(w) for w in (*words, "--out", out, "--json")])
    assert status == 0
    return json.loads(said.getvalue()), out / "deploy-virtual"


@pytest.fixture
def built(digits: tuple[object, Path], tmp_path: Path) -> Bundle:
    """A copy with something like a bitstream, which is never loaded."""
    shutil.copytree(digits[1], tmp_path / "deploy")
    return with_bitstream(bundles.load(tmp_path / "deploy"))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """What would have been loaded: boards, files, and whether to keep them."""
    seen: list[tuple[str, str, bool]] = []
    monkeypatch.setattr(
        loader, "load", lambda board, file, flash: seen.append((board.name, file.name, flash))
    )
    monkeypatch.setattr(sim.board.deploy, "WAKING", 0.0)
    return seen


@pytest.fixture(scope="module")
def running(digits: tuple[object, Path]) -> Iterator[VirtualBoard]:
    """The board of `digits`, plugged in."""
    with VirtualBoard(bundles.load(digits[1]).design(store.load(NET))) as board:
        yield board


def test_virtual_board_answers_as_the_golden_model(digits: tuple[dict[str, object], Path]) -> None:
    answer, folder = digits
    assert (answer["images"], answer["mismatches"], answer["self_test"]) == (IMAGES, 0, True)
    assert answer["board_accuracy"] == answer["golden_accuracy"]
    assert float(str(answer["golden_accuracy"])) > 0.9
    assert answer["cycles_latency"] == answer["planned_cycles_latency"]
    assert answer["cycles_interval"] == answer["planned_cycles_interval"]
    assert (answer["virtual"], answer["port"], answer["clock_predicted"]) == (True, None, True)
    assert answer["bundle"] == str(folder)
    what = bundles.load(folder).manifest
    assert answer["inferences_per_s"] == pytest.approx(what.info.clock_hz / what.cycles_interval)


def test_board_is_loaded_and_asked(
    running: VirtualBoard,
    built: Bundle,
    loaded: list[tuple[str, str, bool]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--bundle", built.folder, "--port", running.port, "--images", 9)
    status, out, _ = call(capsys, "deploy", NET, *words, "--flash")
    assert (status, loaded) == (0, [("icebreaker", "shiftadd_pins.bit", True)])
    assert "0 of 9" in out
    assert "as built" in out


def test_difference_is_a_failed_check(
    running: VirtualBoard,
    built: Bundle,
    loaded: list[object],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen from here, a golden model that is one off is a board that is."""
    honest = example_images.golden_scores
    off = np.eye(1, 10, dtype=np.int64)
    monkeypatch.setattr(example_images, "golden_scores", lambda *what: honest(*what) + off)
    words = ("--bundle", built.folder, "--port", running.port, "--images", 5, "--json")
    status, out, _ = call(capsys, "deploy", NET, *words)
    answer = json.loads(out)
    assert (status, answer["mismatches"]) == (1, 5)
    assert answer["first_mismatch"].startswith("image 0: Answer(scores=(")
    planned = built.manifest.cycles_latency + 1
    slow = changed(built, cycles_latency=planned)
    monkeypatch.undo()
    monkeypatch.setattr(loader, "load", lambda *what, **more: 0.0)
    status, out, _ = call(capsys, "deploy", NET, *words)
    assert (status, json.loads(out)["mismatches"]) == (1, 0), "not in the cycles that were planned"
    assert slow.manifest.cycles_latency == json.loads(out)["planned_cycles_latency"]


def test_faults_are_counted_and_recorded(
    digits: tuple[object, Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--bundle", digits[1], "--virtual", "--images", 5, "--faults", 40)
    status, out, _ = call(capsys, "deploy", NET, *words)
    assert status == 0, out
    assert re.search("in all +│ +40 │", out)
    assert re.search("cable pulled.* 10 │ +10 │", out)
    (file,) = tmp_path.glob("build/evidence/*.json")
    assert json.loads(file.read_text())["faults"]["total"]["sent"] == 40
    honest = example_images.golden_scores
    off = np.eye(1, 10, dtype=np.int64)
    monkeypatch.setattr(example_images, "golden_scores", lambda *what: honest(*what) + off)
    status, out, err = call(capsys, "deploy", NET, *words, "--json")
    fault_report = json.loads(out)["faults"]
    assert (status, fault_report["ok"], err) == (1, False, "")
    assert fault_report["total"]["wrong"] == fault_report["total"]["good"] > 0
    assert "Answer(scores=(" in fault_report["first"]


def failing(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Exit status and the last line of stderr, which explains it."""
    status, out, err = call(capsys, "deploy", NET, *words)
    assert out == ""
    assert "Traceback" not in err
    return status, err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (("--board", "icebraker"), 2, "unknown board 'icebraker': did you mean icebreaker?"),
        (("--board", "up5k"), 2, "an FPGA, not a board; boards with it: icebreaker, icesugar"),
        (("--board", "icestick", "--virtual"), 2, "the serial link alone takes 1500 of 1280"),
        (("--board", "tinyfpga-bx"), 1, "no USB chip of its own; name the adapter's port"),
        (("--port", "/dev/none"), 1, "/dev/none: cannot be opened: No such file"),
        (("--port", "x", "--virtual"), 2, "--port: --virtual leaves no choice of that; drop one"),
        (("--flash", "--virtual"), 2, "--flash: --virtual leaves no choice of that"),
        (("--bundle", "x", "--fps", 3, "--out", "y"), 2, "--fps, --out: --bundle leaves no choice"),
        (("--faults", 5), 2, "--faults 5: only the virtual board is given faults; add --virtual"),
        (("--faults", 0, "--virtual"), 2, "--faults 0: must be a whole number, at least 1"),
        (("--faults", 5, "--virtual", "--no-load"), 2, "--faults: --no-load leaves no choice"),
        (("--build", "x", "--luts", 9), 2, "--luts: --build leaves no choice of that; drop one"),
        (("--build", "x", "--virtual"), 2, "x: no plan.json; name the folder that `shiftadd comp"),
        (("--bundle", "x", "--virtual"), 2, "x: no manifest.json; `shiftadd deploy` makes"),
        (("--virtual", "--data", "mnist"), 2, "mnist: no such data set; give digits"),
        (("--virtual", "--images", 0), 2, "--images 0: must be a whole number, at least 1"),
        (("--virtual", "--fps", 1e9), 1, "ask for fewer images a second"),
    ],
)
def test_wrong_requests(
    words: tuple[object, ...],
    status: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, said = failing(capsys, *words)
    assert got == status
    assert line in said
    assert not list(tmp_path.rglob("manifest.json"))


def test_port_of_something_else(
    built: Bundle, loaded: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(FakeBoard(lambda *request: b"")) as mute:
        status, line = failing(capsys, "--bundle", built.folder, "--port", mute.port)
    assert (status, len(loaded)) == (1, 1)
    assert "no answer within 3 s at" in line
    assert "is it this port" in line


def test_board_that_runs_another_network(
    built: Bundle, loaded: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(FakeBoard(right_reply)) as other:
        status, line = failing(capsys, "--bundle", built.folder, "--port", other.port)
    have, want = INFO.network[:12], built.info.network[:12]
    assert status == 1
    assert f"the board runs network {have}, not {want}; load the bitstream" in line


def test_board_that_is_not_there_to_be_loaded(
    running: VirtualBoard, built: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the real tool: no machine that runs these tests has an iCEBreaker plugged in."""
    status, line = failing(capsys, "--bundle", built.folder, "--port", running.port)
    assert status == 1
    assert "icebreaker: openFPGALoader: " in line


def test_second_program_is_told_before_anything_is_loaded(
    running: VirtualBoard,
    built: Bundle,
    loaded: list[object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with BoardConnection.open(running.port, built.info.baud):
        status, line = failing(capsys, "--bundle", built.folder, "--port", running.port)
    assert (status, loaded) == (1, [])
    assert "in use by another program; close that first" in line


def test_damaged_bitstream_is_refused(
    built: Bundle, loaded: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    flip(built.folder / "shiftadd_pins.bit")
    status, line = failing(capsys, "--bundle", built.folder, "--port", "/dev/null")
    assert (status, loaded) == (2, [])
    assert "shiftadd_pins.bit: damaged or changed" in line


def test_verilog_of_somebody_else_is_never_simulated(
    built: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Though every hash is right."""
    path, mark = built.folder / "shiftadd_board.v", tmp_path / "mark"
    task = f'initial $system("touch {mark}");\nendmodule'
    path.write_text(path.read_text().replace("endmodule", task))
    with_files(built)
    status, line = failing(capsys, "--bundle", built.folder, "--virtual")
    assert (status, mark.exists()) == (2, False)
    assert "shiftadd_board.v: not what network and plan make: changed, or of another" in line


def test_cable_pulled_in_the_middle(
    running: VirtualBoard, built: Bundle, loaded: list[object]
) -> None:
    tests = examples(store.load(NET), data.load("digits")).first(IMAGES)

    def pull(done: int, total: int) -> None:
        if done == total // 2:
            running.pull()

    with pytest.raises(DeviceError, match=r"the line broke .*; plug the board in again"):
        deploy(built, store.load(NET), tests, port=running.port, tick=pull)
    running.plug()
    assert deploy(built, store.load(NET), tests, port=running.port).ok


def stranger(tmp_path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """The bundle's program in a Python that has pyserial and nothing else of this repository."""
    packages = tmp_path / "packages"
    packages.mkdir(exist_ok=True)
    package = packages / "serial"
    if not package.exists():
        package.symlink_to(Path(serial.__file__).parent)
    python = [sys.executable, "-S", *map(str, words)]
    env = os.environ | {"PYTHONPATH": str(packages), "PYTHONIOENCODING": "ascii"}
    return subprocess.run(python, cwd=tmp_path, env=env, capture_output=True, text=True)


def test_bundle_works_without_the_repository(
    running: VirtualBoard, built: Bundle, tmp_path: Path
) -> None:
    program = built.folder / "classify.py"
    for module in ("numpy", "gen", "model", "shiftadd"):
        assert stranger(tmp_path, "-c", f"import {module}").returncode
    done = stranger(tmp_path, program, "--port", running.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search("differ +0 of 360 +0\n", done.stdout)
    images = np.load(built.folder / "test_images.npy")
    labels = np.load(built.folder / "test_labels.npy")
    np.save(tmp_path / "some.npy", images[:3])
    done = stranger(tmp_path, program, "some.npy", "--port", running.port)
    assert (done.returncode, done.stderr) == (0, "")
    said = [line.split(":")[1].split()[0] for line in done.stdout.splitlines()]
    assert said == [str(label) for label in labels[:3]]
    assert not list(built.folder.rglob("__pycache__"))


def test_bundle_refuses_in_one_line(running: VirtualBoard, built: Bundle, tmp_path: Path) -> None:
    program = built.folder / "classify.py"
    done = stranger(tmp_path, program, "none.npy", "--port", running.port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("classify: [Errno 2] No such file")
    flip(built.folder / "shiftadd_pins.bit")
    done = stranger(tmp_path, program)
    assert done.returncode == 2
    assert "shiftadd_pins.bit: damaged or changed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    flip(built.folder / "shiftadd_pins.bit")
    changed(built, info=replace(built.info, network="0" * 64))
    done = stranger(tmp_path, program, "--port", running.port)
    assert done.returncode == 1
    assert "not 000000000000; load the bitstream of this build" in done.stderr


def test_ctrl_c_leaves_nothing(digits: tuple[object, Path], tmp_path: Path) -> None:
    """The signal comes to the program alone, as it begins to ask the virtual board."""
    words = ["deploy", str(NET), "--bundle", str(digits[1]), "--virtual"]
    program = """
import os, signal
from gen.host import board_check
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
real = board_check.run
def interrupted(*given):
    os.kill(os.getpid(), signal.SIGINT)
    return real(*given)
board_check.run = interrupted
import shiftadd
shiftadd.command()
"""
    run = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    _, err = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)
    assert not list(tmp_path.glob("shiftadd-board-*"))
