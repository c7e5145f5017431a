"""The PLL of each family as an instance of its cell."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Const, Instance, Signal

from gen.boards.pll import MHZ, PllSetting
from gen.support.devices import FamilyName

# upper ends of the detector's ranges, in MHz, for FILTER_RANGE 1 to 6; as in icepll
_FILTER = (17, 26, 44, 66, 101, 133)


def instance(
    family: FamilyName,
    setting: PllSetting,
    *,
    pad: bool,
    source: Signal,
    clock: Signal,
    lock: Signal,
) -> Instance:
    """The PLL from `source` to `clock`. pad: an iCE40's, fed by its own pin and nothing else."""
    if family == "ecp5":
        return _ecp5(setting, source, clock, lock)
    if family == "ice40":
        return _ice40(setting, pad, source, clock, lock)
    return _gowin(setting, source, clock, lock)


def _ecp5(setting: PllSetting, source: Signal, clock: Signal, lock: Signal) -> Instance:
    feedback = Signal(name="pll_feedback")
    fixed: dict[str, Any] = {
        **{f"a_{name}": value for name, value in _ECP5_ANALOGUE.items()},
        **{f"p_{name}": "DISABLED" for name in _ECP5_DISABLED},
        **{f"p_OUTDIVIDER_MUX{x}": f"DIV{x}" for x in "ABCD"},
        **{f"i_{name}": 0 for name in _ECP5_LOW},
        **{f"i_{name}": 1 for name in ("PHASEDIR", "PHASESTEP", "PHASELOADREG")},
    }
    for output in ("CLKOP", "CLKOS"):
        fixed |= {f"p_{output}_ENABLE": "ENABLED", f"p_{output}_CPHASE": 0}
        fixed[f"p_{output}_FPHASE"] = 0
    return Instance(
        "EHXPLLL",
        *(("p", name, value) for name, value in setting.dividers),
        p_FEEDBK_PATH="CLKOP",
        i_CLKI=source,
        i_CLKFB=feedback,
        o_CLKOP=feedback,
        o_CLKOS=clock,
        o_LOCK=lock,
        **fixed,
    )


# as ecppll writes them for every frequency
_ECP5_ANALOGUE = {
    "ICP_CURRENT": "12",
    "LPF_RESISTOR": "8",
    "MFG_ENABLE_FILTEROPAMP": "1",
    "MFG_GMCREF_SEL": "2",
}
_ECP5_DISABLED = ("PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE")
_ECP5_LOW = ("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PLLWAKESYNC", "ENCLKOP")


def _ice40(setting: PllSetting, pad: bool, source: Signal, clock: Signal, lock: Signal) -> Instance:
    widths = {"DIVR": 4, "DIVF": 7, "DIVQ": 3}
    detector = float(setting.detector / MHZ)
    filtered = next((i for i, top in enumerate(_FILTER, 1) if detector < top), len(_FILTER))
    source_port = "PACKAGEPIN" if pad else "REFERENCECLK"
    return Instance(
        "SB_PLL40_PAD" if pad else "SB_PLL40_CORE",
        *(("p", name, Const(value, widths[name])) for name, value in setting.dividers),
        ("i", source_port, source),
        p_FEEDBACK_PATH="SIMPLE",
        p_FILTER_RANGE=Const(filtered, 3),
        i_RESETB=1,
        i_BYPASS=0,
        o_PLLOUTGLOBAL=clock,
        o_LOCK=lock,
    )


def _gowin(setting: PllSetting, source: Signal, clock: Signal, lock: Signal) -> Instance:
    dividers = dict(setting.dividers)
    unused = {"FBDSEL": 6, "IDSEL": 6, "ODSEL": 6, "PSDA": 4, "DUTYDA": 4, "FDLY": 4}
    return Instance(
        "rPLL",
        *(("i", name, Const(0, width)) for name, width in unused.items()),
        p_DEVICE="GW1NR-9C",
        p_FCLKIN=f"{setting.reference / MHZ:g}",
        p_IDIV_SEL=dividers["IDIV"] - 1,
        p_FBDIV_SEL=dividers["FBDIV"] - 1,
        p_ODIV_SEL=dividers["ODIV"],
        i_RESET=0,
        i_RESET_P=0,
        i_CLKFB=0,
        i_CLKIN=source,
        o_CLKOUT=clock,
        o_LOCK=lock,
    )
