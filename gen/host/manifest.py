"""What a bundle holds: its manifest.json. Needs Python and pyserial alone: see
gen.deploy.bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gen.host.hashes import DamagedError, of_json, shown, verify_tree
from gen.host.link_protocol import BoardInfo
from gen.host.scaling import RawScaling
from model.errors import UNREADABLE

FORMAT = "shiftadd-bundle"
VERSION = 2
MANIFEST = "manifest.json"
LARGEST = 1 << 22
"""Bytes of a manifest, at most."""
PLAN, VERILOG, PINS = "plan.json", "shiftadd_board.v", "shiftadd_pins.v"
IMAGES, LABELS, SCORES = "test_images.npy", "test_labels.npy", "test_scores.npy"
ALWAYS = (PLAN, VERILOG, IMAGES, LABELS, SCORES, "classify.py", "README.md")
BITSTREAMS = ("shiftadd_pins.bit", "shiftadd_pins.bin", "shiftadd_pins.fs")
AGAIN = "deploy the network again"


@dataclass(frozen=True)
class Manifest:
    """A network on a board.

    name: of the network. data: set of the test images. classes: their names. uart: the other side
    of the board's serial line. load: command that loads the bitstream. top: module in VERILOG with
    the serial line's pins. info: what the board answers to `identify`: hashes of design and
    network, shapes, clock and rate. plan: its hash. cycles_latency, cycles_interval: as planned.
    bitstream: its file; None before place and route, when the clock is a prediction. input: how raw
    numbers become the network's integers; None where they are integers as they are. files: SHA-256
    of every other file by its path in the bundle.
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
    input: RawScaling | None
    files: Mapping[str, str]

    def dumps(self) -> str:
        """As JSON, with its own hash."""
        content = json.loads(json.dumps(asdict(self)))
        head = {"format": FORMAT, "version": VERSION, "hash": of_json(content)}
        return json.dumps(head | content, indent=1) + "\n"


def load(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`, the files of which are those that it names, with
    their hashes, and no others.

    Raises DamagedError, in one line.
    """
    manifest = _parse(folder / MANIFEST)
    verify_tree(folder, manifest.files, again=AGAIN, without=(MANIFEST,))
    return manifest


def _parse(path: Path) -> Manifest:
    if not path.is_file():
        raise DamagedError(f"{shown(path.parent)}: no {MANIFEST}; `shiftadd deploy` makes a bundle")
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"more than {LARGEST:,} bytes")
        raw: dict[str, Any] = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_once, parse_constant=_finite
        )
        known = raw.pop("format"), raw.pop("version")
        digest = raw.pop("hash")
    except UNREADABLE as error:
        raise _unreadable(path, error) from None
    if known != (FORMAT, VERSION):
        was = shown(f"{known[0]} {known[1]}")[:80]
        raise DamagedError(f"{path}: {was}, this program reads {FORMAT} {VERSION}; {AGAIN}")
    try:
        if of_json(raw) != digest:
            raise DamagedError(f"{path}: damaged or changed; {AGAIN}")
        manifest = _manifest(raw)
    except DamagedError:
        raise
    except UNREADABLE as error:
        raise _unreadable(path, error) from None
    if problem := _problem(manifest):
        raise DamagedError(f"{path}: {problem}; {AGAIN}")
    return manifest


def _unreadable(path: Path, error: Exception) -> DamagedError:
    reason = shown(f"{type(error).__name__}: {error}")[:200]
    return DamagedError(f"{shown(path)}: not a readable manifest ({reason}); {AGAIN}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(content := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _finite(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _manifest(raw: dict[str, Any]) -> Manifest:
    """Of what a file says. ValueError or TypeError for a field that is missing, too many or of
    another type."""
    if not isinstance(raw["classes"], list) or not isinstance(raw["files"], dict):
        raise TypeError("classes must be a list, files an object")
    if (scaling := raw["input"]) is not None:
        scaling = RawScaling(**{name: tuple(part) for name, part in scaling.items()})
    info = BoardInfo(**raw["info"])
    made = Manifest(**raw | {"info": info, "classes": tuple(raw["classes"]), "input": scaling})
    _typed(info)
    _typed(made)
    for text in (*made.classes, *made.files, *made.files.values()):
        if not isinstance(text, str):
            raise TypeError(f"{ascii(text)[:40]}: must be a text")
    return made


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "bool": (bool,), "str | None": (str, type(None)),
}  # fmt: skip


def _typed(made: Manifest | BoardInfo) -> None:
    for field in fields(made):
        value, types = getattr(made, field.name), _TYPES.get(str(field.type))
        if types and type(value) not in types:
            raise TypeError(f"{field.name} {ascii(value)[:40]}: must be {field.type}")


def _problem(made: Manifest) -> str | None:
    """The first rule that a manifest breaks, in words."""
    if problem := made.info.problem():
        return problem
    if len(made.classes) != made.info.classes:
        return f"{len(made.classes)} names for {made.info.classes} classes"
    if min(made.cycles_latency, made.cycles_interval) < 1:
        return "cycles must be at least 1"
    if made.bitstream is not None and made.bitstream not in BITSTREAMS:
        return f"bitstream {ascii(made.bitstream)[:80]}: must be one of {', '.join(BITSTREAMS)}"
    needed = ALWAYS if made.bitstream is None else (*ALWAYS, made.bitstream)
    if lacking := [name for name in needed if name not in made.files]:
        return f"files name no {lacking[0]}"
    return made.input.problem(made.info.channels) if made.input else None
