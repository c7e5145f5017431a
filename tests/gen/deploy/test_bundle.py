"""Bundles and builds on disk: everything in them, and nothing that was changed."""

from __future__ import annotations

import json
import shutil
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
from gen.host import npy, ports
from gen.host.classify import images_of
from gen.host.hashes import DamagedError
from gen.host.link_protocol import INFER, DeviceError, frame
from gen.host.manifest import MANIFEST
from gen.plan.plan import Plan
from gen.support.devices import device
from model import data, store
from model.data import DataError
from model.spec import Network
from model.store import content_hash
from sim.board.deploy import check_bundle
from tests.support.deploy_cases import BOARD, flip, small_bundle, with_bitstream
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
    with pytest.raises(DamagedError, match=r"shiftadd-bundle 9, this program reads .* 1"):
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
        compiling, "elaborate", lambda *what: replace(accelerator, verilog="module x;")
    )
    with pytest.raises(DamagedError, match="compiled by another version of shiftadd"):
        planned(network, board=BOARD, folder=out)


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u4", "i8"])
def test_arrays_are_read_without_numpy(kind: str, tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(kind) - (kind[0] == "i") * np.array(9, kind)
    np.save(tmp_path / "a.npy", array)
    values = npy.read(tmp_path / "a.npy")
    assert values == array.tolist()
    assert npy.shape(values) == (2, 3, 4)


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
        npy.read(path)


def test_images_are_read_from_arrays_and_pictures(made: Bundle, tmp_path: Path) -> None:
    from PIL import Image

    what, path = made.manifest, tmp_path / "a.npy"
    one = np.arange(84).reshape(7, 6, 2) % 64
    np.save(path, one)
    assert images_of(path, what) == [one.tolist()]
    np.save(path, np.stack([one, one + 1]))
    assert images_of(path, what) == [one.tolist(), (one + 1).tolist()]
    np.save(path, one[:5])
    with pytest.raises(ValueError, match=r"shape \(5, 6, 2\): must be \(7, 6, 2\), or several"):
        images_of(path, what)
    with pytest.raises(ValueError, match=r"does not take bytes of a picture; give a .npy"):
        images_of(tmp_path / "a.png", what)
    gray = replace(what, info=replace(what.info, input_bits=8, channels=1))
    picture = np.arange(42, dtype=np.uint8).reshape(7, 6)
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert images_of(tmp_path / "a.png", gray) == [picture.tobytes()]
    np.save(path, picture)
    assert images_of(path, gray) == [picture.tolist()]
    Image.fromarray(picture[:3]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="6 × 3 pixels: must be 6 × 7"):
        images_of(tmp_path / "a.png", gray)


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
