"""The bitstream of a routed design."""

from __future__ import annotations

import json
from pathlib import Path

from gen.flow.passes import carry_heads
from gen.flow.place import PlacedDesign
from gen.flow.routing import ROUTED_FILE
from gen.support import tools
from gen.support.cache import Cache, CacheEntry, sources
from gen.support.devices import Device
from model import temporary

BITSTREAM_FILE = {"ecp5": "bitstream.bit", "ice40": "bitstream.bin", "gowin": "bitstream.fs"}


def pack(placed: PlacedDesign, device: Device, *, cache: Cache, timeout: float) -> CacheEntry:
    """The step that writes BITSTREAM_FILE of the family. Raises ToolError."""
    source, target = ROUTED_FILE[device.family], BITSTREAM_FILE[device.family]
    tool, flags = {
        "ecp5": ("ecppack", ("--compress", "--input", source, "--bit", target)),
        "ice40": ("icepack", (source, target)),
        "gowin": ("gowin_pack", ("-d", "GW1N-9C", "-o", target, source)),
    }[device.family]
    routed = placed.entry.folder / source

    def make(folder: Path) -> float:
        with temporary.folder() as scratch:
            return tools.run(
                tool,
                flags,
                step="bitstream",
                folder=folder,
                log=folder / "pack.log",
                timeout=timeout,
                inputs=(_repaired(routed, scratch) if device.family == "gowin" else routed,),
            )

    inputs = {"routed": placed.entry.files[source], "flags": flags, "tool": tools.version(tool)}
    if device.family == "gowin":
        inputs["repair"] = sources(carry_heads)
    return cache.step("pack", inputs, make)


def _repaired(routed: Path, folder: Path) -> Path:
    """A copy of a netlist routed for Gowin, in which all carry chains start right."""
    netlist = json.loads(routed.read_text(encoding="utf-8"))
    carry_heads.repair(netlist)
    copy = folder / routed.name
    copy.write_text(json.dumps(netlist))
    return copy
