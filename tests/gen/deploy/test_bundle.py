"""Bundles and builds on disk: everything in them, and nothing that was changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from serial.tools import list_ports

from gen import compile as compiling
from gen.boards import board
from gen.boards.board import Board
from gen.compile import planned
from gen.deploy import bundle as bundles
from gen.deploy.board_plan import plan_for_board
from gen.deploy.bundle import Bundle
from gen.deploy.deployable import OVER_LINE, line_rate, prepare
from gen.deploy.examples import examples
from gen.flow.build import Build, MeasuredCost
from gen.host import hashes, npy, ports
from gen.host.hashes import DamagedError
from gen.host.image_files import read_images
from gen.host.link_protocol import INFER, DeviceError, frame
from gen.host.manifest import MANIFEST
from gen.plan.plan import Plan
from gen.support.devices import device
from model import data, store
from model.data import DataError
from model.spec import Network
from model.store import content_hash
from sim.board.deploy import check_bundle
from tests.support.deploy_cases import (
    BOARD,
    flip,
    small_bundle,
    with_bitstream,
    with_files,
)
from tests.support.networks import residual_network
from tests.support.paths import DIGITS_HYBRID


@pytest.fixture(scope="module")
def network() -> Network:
    return residual_network()


@pytest.fixture(scope="module")
def made(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(network, tmp_path_factory.mktemp("made") / "deploy")


@pytest.fixture
def bundle(made: Bundle, tmp_path: Path) -> Bundle:
    """A copy to spoil."""
    shutil.copytree(made.folder, tmp_path / "deploy")
    return bundles.load(tmp_path / "deploy")


def test_bundle_says_what_it_is(network: Network, made: Bundle) -> None:
    what = bundles.load(made.folder).manifest
    assert what == made.manifest
    assert what.info.network == content_hash(network)
    assert (what.info.height, what.info.width, what.info.channels) == network.input.shape
    assert what.classes == ("0", "1", "2")
    assert what.bitstream is None
    assert what.info.design in (made.folder / MANIFEST).read_text()
    assert f"{what.info.baud:,} baud" in (made.folder / "README.md").read_text()
    assert str(Path.cwd()) not in (made.folder / MANIFEST).read_text()


def test_every_damaged_file_is_refused(bundle: Bundle) -> None:
    built = with_bitstream(bundle)
    names = [MANIFEST, *built.manifest.files]
    assert {"plan.json", "shiftadd_board.v", "shiftadd_pins.bit", "test_scores.npy"} < set(names)
    for name in names:
        whole = (bundle.folder / name).read_bytes()
        flip(bundle.folder / name)
        with pytest.raises(DamagedError, match=name) as error:
            bundles.load(bundle.folder)
        assert "deploy the network again" in str(error.value)
        assert "\n" not in str(error.value)
        (bundle.folder / name).write_bytes(whole)
    (bundle.folder / "plan.json").unlink()
    with pytest.raises(DamagedError, match=r"plan\.json: cannot be read \(No such file"):
        bundles.load(bundle.folder)


def test_every_file_has_a_hash(made: Bundle) -> None:
    files = {p.relative_to(made.folder).as_posix() for p in made.folder.rglob("*") if p.is_file()}
    assert made.manifest.files.keys() | {MANIFEST} == files
    assert {"README.md", "classify.py", "gen/host/npy.py", "model/errors.py"} < files


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "more.v").touch(), "more.v: does not belong to this folder; remove it"),
        (lambda f: (f / "gen/sitecustomize.py").touch(), "sitecustomize.py: does not belong"),
        (lambda f: (f / "a\nb").touch(), r"a\\nb'?: does not belong"),
        (lambda f: os.mkfifo(f / "pipe"), "pipe: a link or no file; a bundle has files alone"),
        (lambda f: (f / "model/more").symlink_to("/"), "model/more: a link or no file"),
        (lambda f: (f / "__pycache__").symlink_to("/"), "__pycache__: a link or no file"),
        (
            lambda f: (
                (f / "plan.json").rename(f.parent / "p")
                and (f / "plan.json").symlink_to(f.parent / "p")
            ),
            "plan.json: a link or no file",
        ),
        (lambda f: (f / "gen/host/npy.py").write_text("evil"), "npy.py: damaged or changed"),
        (lambda f: (f / "README.md").unlink(), "README.md: cannot be read"),
    ],
)
def test_foreign_files_are_refused(
    spoil: Callable[[Path], object], words: str, bundle: Bundle
) -> None:
    (bundle.folder / "gen" / "__pycache__").mkdir()  # Python's own is left out of account
    (bundle.folder / "gen" / "__pycache__" / "x.pyc").touch()
    bundles.load(bundle.folder)
    spoil(bundle.folder)
    with pytest.raises(DamagedError, match=words) as error:
        bundles.load(bundle.folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"bitstream": "../../shiftadd_pins.bit"},
        {"bitstream": "--reset"},
        {"bitstream": "shiftadd_pins.bit"},  # which is not among the files
        {"top": 3},
        {"classes": "abc"},
        {"classes": ("a", "b")},
        {"classes": ("a", "b", 3)},
        {"cycles_latency": True},
        {"cycles_interval": 0},
        {"files": {"../x": "0" * 64}},
        {"files": {}},
        {"files": 3},
        {"input": {"offset": [0.0], "step": [0.0]}},
        {"input": {"offset": [0.0, 1.0, 2.0], "step": [1.0, 1.0, 1.0]}},
        {"input": {"offset": [0.0]}},
        {"input": [1]},
        {"info": None},
        {"plan": None},
        {"more": 1},
    ],
)
def test_manifest_that_says_what_cannot_be_is_refused(
    changes: dict[str, Any], bundle: Bundle
) -> None:
    """With its right hash, in one line."""
    path = bundle.folder / MANIFEST
    said = {k: v for k, v in json.loads(path.read_text()).items() if k != "hash"} | changes
    content = {k: v for k, v in said.items() if k not in ("format", "version")}
    path.write_text(json.dumps(said | {"hash": hashes.of_json(content)}))
    with pytest.raises(DamagedError, match=r"manifest\.json|not the name of a file") as error:
        bundles.load(bundle.folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": NaN}',
        '{"a": 1, "a": 2}',
        "[]",
        "{}",
        '{"format": "shiftadd-bundle", "version": 2, "hash": 3}',
        "9" * 5000,
        " " * (1 << 23),
    ],
)
def test_manifest_that_is_none_is_refused(text: str, bundle: Bundle) -> None:
    (bundle.folder / MANIFEST).write_text(text)
    with pytest.raises(DamagedError, match=r"manifest\.json: ") as error:
        bundles.load(bundle.folder)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_design_is_made_again_and_foreign_verilog_refused(
    network: Network, made: Bundle, bundle: Bundle
) -> None:
    """Verilog can start programs when it is simulated; right hashes do not make it ours."""
    assert bundle.made is None
    assert bundle.design(network) == made.design(network)
    verilog = bundle.folder / "shiftadd_board.v"
    text = verilog.read_text()
    verilog.write_text(text.replace("endmodule", 'initial $system("id"); endmodule', 1))
    with pytest.raises(DamagedError, match=r"shiftadd_board\.v: not what network and plan make"):
        with_files(bundle).design(network)
    verilog.write_text(text)
    for changes in (
        {"cycles_latency": 5},
        {"plan": "0" * 64},
        {"info": replace(bundle.info, baud=1 << 31)},
    ):
        with pytest.raises(DamagedError, match=r"cannot be made again of its plan and image"):
            with_files(bundle, **changes).design(network)
    images = np.load(bundle.folder / "test_images.npy")
    for other in (images[:, :3], images[..., 0, 0, 0], images + 50):
        np.save(bundle.folder / "test_images.npy", other)
        with pytest.raises(DamagedError, match=r"test_images\.npy has no images of this network"):
            with_files(bundle).design(network)
    np.save(bundle.folder / "test_images.npy", images[1:])
    with pytest.raises(DamagedError, match=r"manifest\.json: says what network and plan do not"):
        with_files(bundle).design(network)


def test_bundle_of_another_time_board_or_network_is_refused(
    network: Network, bundle: Bundle
) -> None:
    check_bundle(bundle, network, BOARD, virtual=True)
    with pytest.raises(DamagedError, match=r"for network .*; deploy this one without --bundle"):
        check_bundle(bundle, residual_network(1), BOARD, virtual=True)
    with pytest.raises(DamagedError, match="made for ulx3s-25f, not for icebreaker; drop --board"):
        check_bundle(bundle, network, "icebreaker", virtual=True)
    with pytest.raises(DamagedError, match="has no bitstream, as it was made for the virtual"):
        check_bundle(bundle, network, None, virtual=False)
    path = bundle.folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 9}))
    with pytest.raises(DamagedError, match=r"shiftadd-bundle 9, this program reads .* 2; deploy"):
        bundles.load(bundle.folder)


def test_bundle_replaces_a_bundle_and_nothing_else(network: Network, bundle: Bundle) -> None:
    (bundle.folder / "old").touch()
    small_bundle(network, bundle.folder)
    assert not (bundle.folder / "old").exists()
    assert bundles.load(bundle.folder).manifest == bundle.manifest, "the same at each run"
    (bundle.folder / MANIFEST).unlink()
    with pytest.raises(ValueError, match="exists and is not a bundle; choose another --out"):
        small_bundle(network, bundle.folder)


def test_compiled_folder_is_held_to_its_report(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the tools, which are proven elsewhere, is real."""
    made = {"bitstream": tmp_path / "top.bin", "report": tmp_path / "report.json"}
    for path in made.values():
        path.write_bytes(bytes(range(256)))
    measured = MeasuredCost(1, 1, 0, 0, 0, 50.0, 40.0, 1)

    def built(verilog: str, top: str, target: Any, **rest: Any) -> Build:
        return Build(target, top, measured, {}, made, {}, False, ())

    monkeypatch.setattr(compiling, "build", built)
    out = tmp_path / "out"
    _, accelerator = compiling.compile(network, board=BOARD, out=out, fps=60_000)
    assert planned(network, board=BOARD, folder=out)[1] == accelerator
    for name in ("plan.json", "shiftadd_top.v", "shiftadd_top.bin"):
        whole = (out / name).read_bytes()
        flip(out / name)
        with pytest.raises(DamagedError, match=f"{name}: damaged or changed.*compile the network"):
            planned(network, board=BOARD, folder=out)
        (out / name).write_bytes(whole)
    monkeypatch.setattr(
        compiling, "elaborate", lambda *what, **names: replace(accelerator, verilog="module x;")
    )
    with pytest.raises(DamagedError, match="compiled by another version of shiftadd"):
        planned(network, board=BOARD, folder=out)


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u4", "i8"])
def test_arrays_are_read_without_numpy(kind: str, tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(kind) - (kind[0] == "i") * np.array(9, kind)
    np.save(tmp_path / "a.npy", array)
    loaded = npy.load(tmp_path / "a.npy")
    assert loaded.tolist() == array.tolist()
    assert loaded.shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (np.zeros((2, 2)), r"<f8 \(2, 2\): must be integers"),
        (np.zeros((2, 3), int).T, "in C order"),
        (np.zeros((0, 3), int), r"\(0, 3\): must be"),
        (b"something else", "it does not start as one"),
        (b"\x93NUMPY\x01\x00", "not a .npy file that can be read"),
    ],
)
def test_other_files_are_not_arrays(content: Any, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
    with pytest.raises(ValueError, match=reason):
        npy.load(path)


def packed(array: np.ndarray) -> bytes:
    return array.astype(np.uint8).tobytes()


def test_images_are_read_from_arrays_and_pictures(made: Bundle, tmp_path: Path) -> None:
    from PIL import Image

    what, path = made.manifest, tmp_path / "a.npy"
    one = np.arange(84).reshape(7, 6, 2) % 64
    np.save(path, one)
    assert read_images(path, what) == [packed(one)]
    np.save(path, np.stack([one, (one + 1) % 64]))
    assert read_images(path, what) == [packed(one), packed((one + 1) % 64)]
    np.save(path, one[:5])
    with pytest.raises(ValueError, match=r"shape \(5, 6, 2\): must be \(7, 6, 2\), or several"):
        read_images(path, what)
    with pytest.raises(ValueError, match=r"does not take bytes of a picture; give a .npy"):
        read_images(tmp_path / "a.png", what)
    gray = replace(what, info=replace(what.info, input_bits=8, channels=1))
    picture = np.arange(42, dtype=np.uint8).reshape(7, 6)
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert read_images(tmp_path / "a.png", gray) == [picture.tobytes()]
    np.save(path, picture)
    assert read_images(path, gray) == [picture.tobytes()]
    Image.fromarray(picture[:3]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="6 × 3 pixels: must be 6 × 7"):
        read_images(tmp_path / "a.png", gray)


class Port(NamedTuple):
    """As pyserial lists them."""

    device: str
    vid: int | None
    pid: int | None
    location: str | None


UART = Port("/dev/ttyS0", None, None, None)
DUAL = [Port(f"/dev/ttyUSB{i}", 0x0403, 0x6010, f"1-2:1.{i}") for i in (1, 0)]
OTHER = [Port(f"/dev/ttyUSB{2 + i}", 0x0403, 0x6010, f"1-4:1.{i}") for i in (0, 1)]


@pytest.mark.parametrize(
    ("name", "listed", "answer"),
    [
        ("icebreaker", [UART, *DUAL], "/dev/ttyUSB1"),
        ("ulx3s-25f", [*DUAL, Port("/dev/ttyUSB7", 0x0403, 0x6015, "1-3")], "/dev/ttyUSB7"),
        ("icebreaker", [], "icebreaker: no serial port with the USB ids of its FT2232H.*are none"),
        ("icebreaker", [UART], "no serial port .*--port: there are /dev/ttyS0"),
        ("icebreaker", [*DUAL, *OTHER], "2 chips with .* its port with --port: .*ttyUSB3"),
        ("tinyfpga-bx", DUAL, "no USB chip of its own; name the adapter's port with --port: th"),
    ],
)
def test_port_is_found_or_it_is_said_why_not(
    name: str, listed: list[Port], answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: listed)
    if answer.startswith("/dev"):
        assert ports.find(name, board(name).uart) == answer
        return
    with pytest.raises(DeviceError, match=answer):
        ports.find(name, board(name).uart)


def test_all_boards_have_a_chip_with_known_ids_or_an_adapter() -> None:
    from gen.boards import BOARDS

    assert {b.uart for b in BOARDS.values()} == ports.USB_IDS.keys() | {"adapter"}


def test_fpga_is_no_board() -> None:
    with pytest.raises(ValueError, match="hx8k: an FPGA, not a board; boards with it: hx8k-evn"):
        board("hx8k")
    assert board("HX8K-EVN").device == device("hx8k")


def test_data_of_another_kind_is_refused(network: Network) -> None:
    digits = data.load("digits")
    with pytest.raises(DataError, match=r"digits: images of 8 × 8 × 1 .* takes 7 × 6 × 2 values"):
        examples(network, digits)
    known = store.load(DIGITS_HYBRID)
    few = replace(digits, test_images=digits.test_images[:9], test_labels=digits.test_labels[:9])
    assert len(examples(known, few).scores) == 9
    with pytest.raises(DataError, match="digits: 7 classes; this network knows 10"):
        examples(known, replace(few, classes=few.classes[:7]))


def test_accelerator_is_planned_for_what_the_line_carries(network: Network) -> None:
    """On a large FPGA; on a small one it is as fast as fits; and as it is asked."""
    size = len(frame(0, INFER, bytes([1] * 84)))
    assert line_rate(3_000_000, 84) == 300_000 / size
    big, rate = board(BOARD), OVER_LINE * 300_000 / size

    def prepared(one: Board, **asked: Any) -> Plan:
        image = np.zeros((7, 6, 2), np.int64)
        return prepare(network, one, image=image, place=False, **asked).plan

    least, most = plan_for_board(network, big, fps=rate), plan_for_board(network, big)
    assert prepared(big) == least
    assert least.cost.lut < most.cost.lut / 2
    assert prepared(big, fps=3 * rate).cycles_interval < least.cycles_interval
    assert prepared(big, luts=big.device.lut) == most
