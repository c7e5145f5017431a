"""A report drawn as a table: predicted beside measured, and how much of the device it takes."""

from __future__ import annotations

from dataclasses import fields

from rich.table import Table
from rich.text import Text

from gen.cost.power import power
from gen.report import FRAME_RATE, Figures, Report
from gen.support.devices import Device, device

BUDGET = ("lut", "ff", "dsp", "bram")
TITLES = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "block RAM",
    "fmax_mhz": "clock, MHz",
    "cycles_latency": "latency, cycles",
    "cycles_interval": "interval, cycles",
    "latency_us": "latency, µs",
    "inferences_per_s": "inferences/s",
    "energy_nj": "energy of an image, nJ",
    "energy_45nm_nj": "by a 45 nm table, nJ",
    "idle_uw": "power between images, µW",
}


def table(report: Report) -> Table:
    """Predicted, measured and error in percent of the measured, and the share of the device; below
    that, limits beside what was measured."""
    target = device(report.device)
    name = Text(f"{report.network} on {report.device}", "table.title")  # which is no markup
    drawn = Table(title=name, title_justify="left", caption_justify="left")
    if report.predicted.energy_nj is not None:
        drawn.caption = Text(f"of energies: {power(target).origins}", "table.caption")
    drawn.add_column("")
    for title in ("predicted", "measured", "error", "of the device"):
        drawn.add_column(title, justify="right")
    for key in (f.name for f in fields(Figures)):
        predicted = getattr(report.predicted, key)
        measured = getattr(report.measured, key) if report.measured else None
        share = _share(target, key, predicted if measured is None else measured)
        error = _error(predicted, measured)
        drawn.add_row(TITLES[key], _number(predicted), _number(measured), error, share)
    for fps in _rates(report):
        spent = report.predicted.power_uw(fps)
        if spent is not None:
            drawn.add_row(f"power at {fps:,.0f} images/s, µW", _number(spent), "–", "–", "")
    drawn.add_section()
    for promise in report.promises:
        verdict = {True: "met", False: "missed", None: "not measured"}[promise.met]
        drawn.add_row(promise.request, "", _number(promise.measured), verdict, "")
    return drawn


def _rates(report: Report) -> list[float]:
    """The rate that was asked for or FRAME_RATE, and the highest."""
    asked = [promise.asked for promise in report.promises if promise.name == "fps"]
    most = report.predicted.inferences_per_s
    return [*(asked or [FRAME_RATE]), *([most] if most else [])]


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) and value < 10_000 else f"{value:,.0f}"


def _error(predicted: float | None, measured: float | None) -> str:
    if predicted is None or not measured:
        return "–"
    return f"{100 * (predicted - measured) / measured:+.1f} %"


def _share(target: Device, key: str, value: float | None) -> str:
    if key not in BUDGET or value is None:
        return ""
    has = getattr(target, key)
    return f"{100 * value / has:.0f} % of {has:,}" if has else "none there"
