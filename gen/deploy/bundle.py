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
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

import gen.host
import model.errors
from gen.boards.board import Board
from gen.boards.top import TOP
from gen.deploy.deployable import Deployable, prepare
from gen.deploy.examples import Examples
from gen.host import hashes, manifest
from gen.host.link_protocol import BoardInfo
from gen.host.manifest import MANIFEST, Manifest
from gen.plan import plan as plans
from gen.plan.plan import Plan
from gen.support.promises import Promise
from model import temporary
from model.errors import RequestError
from model.files import copy, replace_folder, write
from model.spec import Network

LAUNCHER = '''"""Classifies images on the board of this folder: see README.md."""

from pathlib import Path

from gen.host.classify import main

raise SystemExit(main(Path(__file__).parent))
'''
README = Path(__file__).with_name("bundle.md")


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, whose files are what its manifest says. Also a design for
    sim.board.virtual.VirtualBoard."""

    folder: Path
    manifest: Manifest
    promises: tuple[Promise, ...] = ()
    """Limits that a new one was asked for, beside what was measured."""
    advice: tuple[str, ...] = ()
    """What would meet those that were missed."""

    @property
    def verilog(self) -> str:
        return (self.folder / manifest.VERILOG).read_text()

    @property
    def plan(self) -> Plan:
        return plans.load(self.folder / manifest.PLAN)

    @property
    def top(self) -> str:
        return self.manifest.top

    @property
    def info(self) -> BoardInfo:
        return self.manifest.info


def load(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises DamagedError where a file is not what it was."""
    return Bundle(folder, manifest.load(folder))


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
        files = hashes.of_files(path for path in fresh.iterdir() if path.is_file())
        described = _manifest(deployable, tests, bitstream, files)
        write(fresh / MANIFEST, described.dumps())
        write(fresh / "README.md", _readme(described))
        replace_folder(fresh, folder)
    return Bundle(folder, described, deployable.promises, deployable.advice)


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


def _manifest(
    deployable: Deployable, tests: Examples, bitstream: str | None, files: dict[str, str]
) -> Manifest:
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
        files=files,
    )


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
    }
    return Template(README.read_text()).substitute(words)
