"""The comment before an accelerator's Verilog: how to use the module, for who has that file alone.

It is no part of what is hashed, built or simulated, so its words may change.
"""

from __future__ import annotations

from importlib import metadata
from textwrap import wrap

from gen.engine.assemble import Assembly
from gen.engine.core_options import PLAIN, CoreOptions
from gen.plan.plan import Plan
from model.spec import Head, Network, infer

WIDTH = 96
WAIVED = (
    ("DECLFILENAME", "all modules are in one file"),
    ("PROCASSINIT", "registers begin as the bitstream says"),
    ("UNUSEDSIGNAL", "signals keep their names for waves"),
    ("WIDTHEXPAND", "operands of exact sums are narrower than these"),
)
"""Warnings of `verilator --lint-only -Wall` that are meant to be so, and why."""


def header(
    network: Network,
    plan: Plan,
    assembly: Assembly,
    *,
    top: str,
    options: CoreOptions = PLAIN,
) -> str:
    """Comment lines for module `top`, which is `network` as `plan` folds it."""
    bytes_of = {"s_axis_tdata": assembly.word_in, "m_axis_tdata": assembly.word_out}
    lines = [
        f"shiftadd {version()}: module {top}, a neural network. Do not edit; compile it again.",
        "",
        f"network  {_name(network)}, sha256 {plan.network_hash}",
        f"plan     sha256 {plan.hash}",
        f"         made for {plan.device}; the Verilog has no cells of a vendor",
        f"time     {plan.cycles_latency} cycles from the first word in to the last word out,",
        f"         an image every {plan.cycles_interval} cycles",
        "",
        "Ports (AXI-Stream in and out)",
        *(_port(n, way, bits * bytes_of.get(n, 1), what) for n, way, bits, what in options.ports),
        "",
        *_paragraph("image", _image(network, assembly.bytes_in)),
        *_paragraph("answer", _answer(network, assembly.bytes_out)),
        *_paragraph(
            "pressure",
            "While m_axis_tready is low, nothing is lost: m_axis holds its word, and s_axis_tready "
            "goes low once the module is full. Images may follow each other without a gap; answers "
            "come in their order.",
        ),
        "",
        *(f"verilator lint_off {name} // {reason}" for name, reason in WAIVED),
    ]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"


def without(text: str) -> str:
    """Verilog `text` without the header, as it was generated."""
    lines = text.splitlines(keepends=True)
    comment = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    blank = comment < len(lines) and not lines[comment].strip()
    return "".join(lines[comment + blank :]) if comment else text


def version() -> str:
    """Of shiftadd, as installed."""
    try:
        return metadata.version("shiftadd")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _name(network: Network) -> str:
    """The network's name, with nothing in it that could end the comment."""
    name = str(network.about.get("name", "network"))
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in name)[:30]


def _port(name: str, way: str, bits: int, meaning: str) -> str:
    return f"  {way:6} {name:13} {bits:2}  {meaning}"


def _paragraph(title: str, text: str) -> list[str]:
    first, *rest = wrap(text, WIDTH - 13)
    return [f"{title:8} {first}", *(f"         {line}" for line in rest)]


def _image(network: Network, size: int) -> str:
    height, width, channels = network.input.shape
    form = network.input.format
    kind = "two's complement" if form.signed else "unsigned"
    unused = f", bits 7 to {form.bits} are ignored" if form.bits < 8 else ""
    return (
        f"{height} rows of {width} pixels of {channels} channel{'s' * (channels > 1)}: {size} "
        f"bytes, rows from the top, pixels from the left, channels innermost. A byte is one value, "
        f"{kind}, {form.lo} to {form.hi}{unused}."
    )


def _answer(network: Network, size: int) -> str:
    head = next(node for node in network.nodes if isinstance(node, Head))
    scores = infer(network)[head.name]
    classes = scores.shape[2]
    each = (size - 1) // classes
    kind = "two's complement" if scores.signed else "unsigned"
    return (
        f"{size} bytes: the scores of classes 0 to {classes - 1}, {each} byte{'s' * (each > 1)} "
        f"each, {kind}, low byte first; then the class of the largest score, of equal ones the "
        f"first, with m_axis_tlast."
    )
