"""A bundle: the folder with all that a board needs, and a host program that needs no shiftadd.

manifest.json        hashes of everything, board, clock, link, shapes, classes: gen.host.manifest
shiftadd_board.v     the network behind its link; with the board's pins in shiftadd_pins.v
shiftadd_pins.*      those, and the bitstream, where the board was built
classify.py          the host program: gen/host and model/errors.py, which import pyserial alone
test_*.npy           test images, their labels, and the scores of the golden model
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

import gen.host
import model.errors
from gen.boards.board import Board
from gen.boards.top import TOP
from gen.deploy.board_design import BoardDesign, board_design
from gen.deploy.deployable import Deployable, prepare
from gen.deploy.examples import Examples
from gen.engine.elaborate import elaborate
from gen.host import hashes, manifest, npy
from gen.host.hashes import DamagedError
from gen.host.link_protocol import BoardInfo
from gen.host.manifest import MANIFEST, Manifest
from gen.host.scaling import RawScaling
from gen.plan import plan as plans
from gen.plan.plan import Plan
from gen.support.promises import Promise
from model import temporary
from model.errors import UNREADABLE, RequestError
from model.files import copy, replace_folder, write
from model.spec import Network
from rtl.link.uart import divisor

LAUNCHER = '''"""Classifies images on the board of this folder: see README.md."""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.pycache_prefix = os.devnull  # compiled modules that lie in this folder are not read

from gen.host.classify import main  # noqa: E402

raise SystemExit(main(Path(__file__).parent))
'''
_NUMBERS = """
Numbers in .npy and .csv files are taken as those of the training data were: shifted, divided by a
step each (`input` in manifest.json), rounded, and clipped to the input's range; with `--integers`
they are the network's integers already.
"""
README = Path(__file__).with_name("bundle.md")


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, whose files are what its manifest says. made: the design that was written
    there just now; None of a bundle that was found there."""

    folder: Path
    manifest: Manifest
    made: BoardDesign | None = field(default=None, compare=False, repr=False)
    promises: tuple[Promise, ...] = ()
    """Limits that a new one was asked for, beside what was measured."""
    advice: tuple[str, ...] = ()
    """What would meet those that were missed."""

    @property
    def plan(self) -> Plan:
        return plans.load(self.folder / manifest.PLAN)

    @property
    def info(self) -> BoardInfo:
        return self.manifest.info

    def design(self, network: Network) -> BoardDesign:
        """The hardware of `network` as planned here, for sim.board.virtual.VirtualBoard.

        Verilog can start programs when it is simulated. So that of a bundle never is: it is made
        again of network, plan and built-in image. Raises DamagedError where the bundle's is another
        text, or its manifest says anything else.
        """
        return self.made or remade(self, network)


def load(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises DamagedError where a file is not what it was."""
    return Bundle(folder, manifest.load(folder))


def remade(bundle: Bundle, network: Network) -> BoardDesign:
    """See Bundle.design."""
    says, path = bundle.manifest, bundle.folder / manifest.VERILOG
    try:
        plan = bundle.plan
        divisor(says.info.clock_hz, says.info.baud)
        image = _first_image(bundle.folder / manifest.IMAGES, network)
        said = says.plan, says.cycles_latency, says.cycles_interval
        if said != (plan.hash, plan.cycles_latency, plan.cycles_interval):
            raise ValueError("the manifest says other cycles, or another plan")
        accelerator = elaborate(network, plan)
        design = board_design(
            accelerator, network, clock_hz=says.info.clock_hz, baud=says.info.baud, image=image
        )
    except UNREADABLE as error:
        raise DamagedError(
            f"{bundle.folder}: cannot be made again of its plan and image "
            f"({hashes.shown(str(error))}); {manifest.AGAIN}"
        ) from None
    if (says.top, says.info) != (design.top, design.info):
        raise DamagedError(
            f"{bundle.folder / MANIFEST}: says what network and plan do not; {manifest.AGAIN}"
        )
    if path.read_text(errors="replace") != design.verilog:
        raise DamagedError(
            f"{path}: not what network and plan make: changed, or of another version of shiftadd; "
            f"{manifest.AGAIN}"
        )
    return design


def _first_image(path: Path, network: Network) -> np.ndarray:
    """The built-in image. ValueError where it is none of the network's."""
    image, form = np.array(next(iter(npy.load(path)))), network.input.format
    if image.shape != network.input.shape or image.min() < form.lo or image.max() > form.hi:
        raise ValueError(f"{path.name} has no images of this network")
    return image


def make(
    network: Network,
    board: Board,
    tests: Examples,
    folder: Path,
    *,
    place: bool,
    progress: Callable[[str], None] = lambda step: None,
    **limits: Any,
) -> Bundle:
    """A bundle of `network` for `board`, in `folder`. `place`: with its bitstream.

    limits: as for gen.deploy.deployable.prepare, which also says what is raised; see `save`.
    """
    image = tests.images[0]
    deployable = prepare(network, board, image=image, place=place, progress=progress, **limits)
    return save(deployable, tests, folder)


def save(deployable: Deployable, tests: Examples, folder: Path) -> Bundle:
    """Writes a bundle, replacing one that is there, whole or not at all.

    Raises RequestError for a `folder` that exists and is not a bundle.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise RequestError(f"{folder}: exists and is not a bundle; choose another --out")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary.folder(f".{folder.name[:80]}", folder.parent) as scratch:
        fresh = scratch / "new"
        (fresh / "gen").mkdir(parents=True)
        bitstream = _hardware(deployable, fresh)
        _tests(tests, fresh)
        _host(fresh)
        described = _manifest(deployable, tests, bitstream)
        write(fresh / "README.md", _readme(described))
        described = replace(described, files=hashes.of_tree(fresh))
        write(fresh / MANIFEST, described.dumps())
        replace_folder(fresh, folder)
    limits = deployable.promises, deployable.advice
    return Bundle(folder, described, deployable.design, *limits)


def _hardware(deployable: Deployable, folder: Path) -> str | None:
    """Writes plan, Verilog and, where there is one, the bitstream; the name of that."""
    plans.save(deployable.plan, folder / manifest.PLAN)
    write(folder / manifest.VERILOG, deployable.design.verilog)
    if deployable.built is None:
        return None
    write(folder / f"{TOP}.v", deployable.built.verilog.removesuffix(deployable.design.verilog))
    source = deployable.built.build.files["bitstream"]
    return copy(source, folder / f"{TOP}{source.suffix}").name


def _tests(tests: Examples, folder: Path) -> None:
    for name, array in (
        (manifest.IMAGES, tests.images),
        (manifest.LABELS, tests.labels),
        (manifest.SCORES, tests.scores),
    ):
        raw = io.BytesIO()
        np.save(raw, np.ascontiguousarray(array))
        write(folder / name, raw.getvalue())


def _host(folder: Path) -> None:
    room, errors = Path(str(gen.host.__file__)).parent, Path(str(model.errors.__file__))
    (folder / "gen" / "host").mkdir()
    (folder / "model").mkdir()
    packages = (errors.parent, room.parent)
    for source in (*(p / "__init__.py" for p in packages), errors, *room.glob("*.py")):
        copy(source, folder / source.relative_to(room.parent.parent))
    write(folder / "classify.py", LAUNCHER)


def _manifest(deployable: Deployable, tests: Examples, bitstream: str | None) -> Manifest:
    """Without the hashes of the files."""
    board, network = deployable.board, deployable.network
    return Manifest(
        name=str(network.about.get("name", "network")),
        data=tests.name,
        classes=network.classes or tuple(map(str, range(deployable.design.info.classes))),
        board=board.name,
        device=board.device.name,
        uart=board.uart,
        load=" ".join((board.loading, *board.loader, bitstream)) if bitstream else "",
        top=deployable.design.top,
        info=deployable.design.info,
        plan=deployable.plan.hash,
        cycles_latency=deployable.plan.cycles_latency,
        cycles_interval=deployable.plan.cycles_interval,
        bitstream=bitstream,
        input=_scaling(network),
        files={},
    )


def _scaling(network: Network) -> RawScaling | None:
    """How the numbers that the network was trained on were scaled, where they were. Raises
    RequestError for a scaling that is none of its input."""
    about = network.about.get("input")
    if not isinstance(about, dict) or "step" not in about:
        return None
    try:
        scaling = RawScaling(*(tuple(map(float, about[k])) for k in ("offset", "step")))
    except UNREADABLE as error:
        raise RequestError(f"the network's input scaling: {error}; train it again") from None
    channels = network.input.shape[2]
    if problem := scaling.problem(channels):
        raise RequestError(f"the network's input scaling: {problem}; train it again")
    return scaling


def _readme(manifest: Manifest) -> str:
    words: dict[str, Any] = {name: getattr(manifest, name) for name in ("name", "board", "data")}
    info = manifest.info
    signed = "signed " if info.input_signed else ""
    built = manifest.bitstream is not None
    words |= {
        "load": f"`{manifest.load}`" if built else "it is made without `--virtual`",
        "mhz": f"{info.clock_hz / 1e6:.2f}",
        "clock": "" if built else " (predicted: it was not placed and routed)",
        "baud": f"{info.baud:,}",
        "rate": info.baud,
        "shape": f"{info.height} × {info.width} × {info.channels}",
        "pixel": f"{signed}integers of {info.input_bits} bits",
        "classes": ", ".join(manifest.classes),
        "numbers": _NUMBERS if manifest.input else "",
    }
    return Template(README.read_text()).substitute(words)
