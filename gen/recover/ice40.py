"""The bitstream of an iCE40 as Verilog, by icebox_vlog."""

from __future__ import annotations

import re
from pathlib import Path

from gen.flow.build import Build
from gen.flow.routing import PINS_FILE
from gen.host.hashes import of_file
from gen.recover.cell_models import SECONDS
from gen.support import tools
from gen.support.cache import Cache
from gen.support.devices import Device

VLOG = "icebox_vlog"


def read_back(built: Build, device: Device, cache: Cache) -> Path:
    """Verilog of the cells that a bitstream configures, with the names of its pins."""
    pins, bits = built.files["log"].with_name(PINS_FILE["ice40"]), built.files["bitstream"]
    package = device.part[device.part.index("--package") + 1]

    def make(folder: Path) -> float:
        def run(tool: str, *arguments: str) -> float:
            return tools.run(
                tool,
                arguments,
                step="unpack",
                folder=folder,
                log=folder / f"{tool}.log",
                timeout=SECONDS,
                inputs=(bits, pins),
            )

        seconds = run("icepack", "-u", bits.name, "top.asc")
        options = ("-s", "-c", "-n", built.top, "-p", pins.name, "-d", package)
        seconds += run(VLOG, "top.v", *options, "top.asc")
        # escaped names of buses are plain names
        text = re.sub(r"\\(\w+) ", r"\1 ", (folder / "top.v").read_text())
        (folder / "recovered.v").write_text(text)
        return seconds

    inputs = {"bitstream": of_file(bits), "pins": of_file(pins), "top": built.top}
    return cache.step("unpack", inputs, make).folder / "recovered.v"
