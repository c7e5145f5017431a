"""The Verilog top of a bench: devices, each between a source and a sink of harness.v."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROBES_PER_CASE = 1024  # so that every probe of every case has a number of its own

_MODULE = re.compile(r"^\s*module\s+(\\\S+|\w+)", re.MULTILINE)
_PORT = re.compile(
    r"\b(?:input|output)\s+(?:(?:wire|reg|logic|signed)\s+)*(?:\[\s*(\d+)\s*:\s*(\d+)\s*\]\s*)?(\w+)"
)


@dataclass(frozen=True)
class StreamPorts:
    """Names of the ports of a stream. Several payload ports make one word, the first lowest."""

    payload: tuple[str, ...]
    valid: str
    ready: str


def stream(name: str) -> StreamPorts:
    """The ports that Amaranth makes of a stream called `name`."""
    return StreamPorts((f"{name}__payload",), f"{name}__valid", f"{name}__ready")


SOURCE, SINK = stream("i"), stream("o")
CLOCKS = {"clk": "clk", "rst": "rst", "aclk": "clk", "aresetn": "!rst"}
"""What ports for clock and reset are wired to, by their names."""


def axi_stream(prefix: str) -> StreamPorts:
    """AXI-Stream ports: bit 8 of a word is tlast, below it is tdata."""
    return StreamPorts(
        (f"{prefix}_tdata", f"{prefix}_tlast"), f"{prefix}_tvalid", f"{prefix}_tready"
    )


@dataclass(frozen=True)
class StreamCase:
    """A device (module `top` of `verilog`), the words that go in and those that must come out.

    words_in, words_out: words of one image, for latency and interval; by default all are one image.
    probes: signal prefix -> payload bits of streams inside `top`: wires `<prefix>_payload`,
    `<prefix>_valid` and `<prefix>_ready`.
    """

    verilog: str
    top: str
    inputs: Sequence[int]
    expected: Sequence[int]
    words_in: int | None = None
    words_out: int | None = None
    source: StreamPorts = SOURCE
    sink: StreamPorts = SINK
    probes: Mapping[str, int] = field(default_factory=dict)


def ports(verilog: str, top: str) -> dict[str, int]:
    """Width in bits of each port of module `top`; ValueError when there is no such module."""
    module = re.search(
        rf"^\s*module\s+{re.escape(top)}\b(.*?)^\s*endmodule", verilog, re.MULTILINE | re.DOTALL
    )
    if module is None:
        names = ", ".join(_MODULE.findall(verilog)) or "none"
        raise ValueError(f"no module {top!r} in this Verilog: it has {names}")
    return {
        name: abs(int(high) - int(low)) + 1 if high else 1
        for high, low, name in _PORT.findall(module[1])
    }


def wrapper(cases: Sequence[StreamCase]) -> str:
    """All Verilog of a bench: harness, devices and a module `bench` with `clk` and `done`."""
    texts = list(dict.fromkeys(case.verilog for case in cases))
    names = [name for text in texts for name in _MODULE.findall(text)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"module {twice[0]!r} is defined twice: give each device its own top name")
    harness = Path(__file__).with_name("harness.v").read_text()
    body = [line for i, case in enumerate(cases) for line in _instance(i, case)]
    finished = ", ".join(f"done{i}" for i in range(len(cases)))
    top = [
        "module bench(",
        "    input wire clk /* verilator public_flat_rw */,",
        "    output wire done /* verilator public_flat_rw */",
        ");",
        "    reg [2:0] boot = 0;",
        "    wire rst = boot != 7;",
        "    always @(posedge clk) if (rst) boot <= boot + 1;",
        f"    assign done = &{{{finished}}};",
        *body,
        "endmodule",
        "",
    ]
    return "\n".join([harness, *texts, *top])


def _instance(i: int, case: StreamCase) -> Iterator[str]:
    """Device number i with its source, sink and probes."""
    widths = ports(case.verilog, case.top)
    bits_in, bits_out = (_bits(case, end, widths) for end in (case.source, case.sink))
    yield f"    wire [{bits_in - 1}:0] i{i};"
    yield f"    wire [{bits_out - 1}:0] o{i};"
    yield f"    wire iv{i}, ir{i}, ov{i}, or{i}, probing{i}, done{i};"
    yield f"    stream_bench #(.ID({i}), .IN_BITS({bits_in}), .OUT_BITS({bits_out})) bench{i} ("
    yield f"        clk, rst, i{i}, iv{i}, ir{i}, o{i}, ov{i}, or{i}, probing{i}, done{i});"
    wires = {name: wire for name, wire in CLOCKS.items() if name in widths}
    wires |= {case.source.valid: f"iv{i}", case.source.ready: f"ir{i}"}
    wires |= {case.sink.valid: f"ov{i}", case.sink.ready: f"or{i}"}
    wires |= _slices(f"i{i}", case.source, widths) | _slices(f"o{i}", case.sink, widths)
    yield f"    {case.top} device{i} ({', '.join(f'.{p}({w})' for p, w in wires.items())});"
    for n, (prefix, bits) in enumerate(case.probes.items()):
        yield f"    stream_monitor #(.ID({i * PROBES_PER_CASE + n}), .BITS({bits})) probe{i}_{n} ("
        parts = (f"device{i}.{prefix}_{part}" for part in ("payload", "valid", "ready"))
        yield f"        clk, rst, probing{i}, done{i}, {', '.join(parts)});"


def _bits(case: StreamCase, end: StreamPorts, widths: Mapping[str, int]) -> int:
    for name in (*end.payload, end.valid, end.ready):
        if name not in widths:
            raise ValueError(f"{case.top}: no port {name!r}: it has {', '.join(widths)}")
    return sum(widths[name] for name in end.payload)


def _slices(word: str, end: StreamPorts, widths: Mapping[str, int]) -> dict[str, str]:
    """Slice of `word` that belongs to each payload port."""
    slices, low = {}, 0
    for name in end.payload:
        slices[name] = f"{word}[{low + widths[name] - 1}:{low}]"
        low += widths[name]
    return slices
