"""The bitstream of a routed design."""

from __future__ import annotations

from pathlib import Path

from gen import tools
from gen.cache import Cache, Entry
from gen.devices import Device
from gen.place import Placed
from gen.routing import ROUTED_FILE

BITSTREAM_FILE = {"ecp5": "bitstream.bit", "ice40": "bitstream.bin", "gowin": "bitstream.fs"}


def pack(placed: Placed, device: Device, *, cache: Cache, timeout: float) -> Entry:
    """The step that writes BITSTREAM_FILE of the family. Raises ToolError."""
    source, target = ROUTED_FILE[device.family], BITSTREAM_FILE[device.family]
    tool, flags = {
        "ecp5": ("ecppack", ("--compress", "--input", source, "--bit", target)),
        "ice40": ("icepack", (source, target)),
        "gowin": ("gowin_pack", ("-d", "GW1N-9C", "-o", target, source)),
    }[device.family]
    routed = placed.entry.folder / source

    def make(folder: Path) -> float:
        return tools.run(
            tool,
            flags,
            step="bitstream",
            folder=folder,
            log=folder / "pack.log",
            timeout=timeout,
            inputs=(routed,),
        )

    inputs = {"routed": placed.entry.files[source], "flags": flags, "tool": tools.version(tool)}
    return cache.step("pack", inputs, make)
