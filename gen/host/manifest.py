"""What a bundle holds: its manifest.json. Needs Python and pyserial alone: see
gen.deploy.bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gen.host.hashes import DamagedError, of_json, verify
from gen.host.link_protocol import BoardInfo
from model.errors import UNREADABLE

FORMAT = "shiftadd-bundle"
VERSION = 1
MANIFEST = "manifest.json"
PLAN, VERILOG = "plan.json", "shiftadd_board.v"
IMAGES, LABELS, SCORES = "test_images.npy", "test_labels.npy", "test_scores.npy"
AGAIN = "deploy the network again"


@dataclass(frozen=True)
class Manifest:
    """A network on a board.

    name: of the network. data: set of the test images. classes: their names. uart: the other side
    of the board's serial line. load: command that loads the bitstream. top: module in VERILOG with
    the serial line's pins. info: what the board answers to `identify`: hashes of design and
    network, shapes, clock and rate. plan: its hash. cycles_latency, cycles_interval: as planned.
    bitstream: its file; None before place and route, when the clock is a prediction. files: SHA-256
    of every other file by its name.
    """

    name: str
    data: str
    classes: tuple[str, ...]
    board: str
    device: str
    uart: str
    load: str
    top: str
    info: BoardInfo
    plan: str
    cycles_latency: int
    cycles_interval: int
    bitstream: str | None
    files: Mapping[str, str]

    def dumps(self) -> str:
        """As JSON, with its own hash."""
        content = json.loads(json.dumps(asdict(self)))
        head = {"format": FORMAT, "version": VERSION, "hash": of_json(content)}
        return json.dumps(head | content, indent=1) + "\n"


def load(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`, all files of which have the hashes that it names.

    Raises DamagedError, in one line.
    """
    manifest = _parse(folder / MANIFEST)
    verify(folder, manifest.files, again=AGAIN)
    return manifest


def _parse(path: Path) -> Manifest:
    if not path.is_file():
        raise DamagedError(f"{path.parent}: no {MANIFEST}; `shiftadd deploy` makes a bundle")
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = raw.pop("format"), raw.pop("version")
        digest = raw.pop("hash")
    except UNREADABLE as error:
        raise DamagedError(f"{path}: not a readable manifest ({error!r}); {AGAIN}") from None
    if known != (FORMAT, VERSION):
        raise DamagedError(f"{path}: {known[0]} {known[1]}, this program reads {FORMAT} {VERSION}")
    if of_json(raw) != digest:
        raise DamagedError(f"{path}: damaged or changed; {AGAIN}")
    try:
        info = BoardInfo(**raw["info"])
        return Manifest(**raw | {"info": info, "classes": tuple(raw["classes"])})
    except UNREADABLE as error:
        raise DamagedError(f"{path}: not a readable manifest ({error!r}); {AGAIN}") from None
