"""What the user of a core may choose about its ports, and the ports that follow from that."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PORT = re.compile(r"\w+")
_NAMES = {"clk": "aclk", "rst": "aresetn"}

Port = tuple[str, str, int, str]
"""Name, direction, bits (of tdata, those of one byte) and what it means."""

_PORTS: tuple[Port, ...] = (
    ("clk", "input", 1, "clock; everything happens at its rising edge"),
    ("rst", "input", 1, "synchronous, active high, one cycle or more; forgets what is inside"),
    ("s_axis_tdata", "input", 8, "values of an image, a byte each, the first one lowest"),
    ("s_axis_tvalid", "input", 1, "there is a word; hold both until it is taken"),
    ("s_axis_tready", "output", 1, "it is taken in each cycle in which tvalid is high too"),
    ("s_axis_tlast", "input", 1, "not needed: images are counted; tie it to 0 or drive it"),
    ("m_axis_tdata", "output", 8, "bytes of an answer, the first one lowest"),
    ("m_axis_tvalid", "output", 1, "there is a word; it waits for no tready, and stays until then"),
    ("m_axis_tready", "input", 1, "it is taken in each cycle in which tvalid is high too"),
    ("m_axis_tlast", "output", 1, "high with the last word of an answer"),
)
_TLAST = "ends a frame of whole images; an image that it cuts short is dropped"
_DROPPED = ("dropped", "output", 16, "images dropped since reset, at most 65535")
_RESETN = "synchronous, active low, one cycle or more; forgets what is inside"


@dataclass(frozen=True)
class CoreOptions:
    """frame_guard: tlast ends a frame, see rtl.frame_guard; about 60 LUTs, so it must be asked for.
    axi_names: clock and reset are called aclk and aresetn, the latter active low."""

    frame_guard: bool = False
    axi_names: bool = False

    @property
    def clock(self) -> str:
        """Port of the clock."""
        return _NAMES["clk"] if self.axi_names else "clk"

    @property
    def reset(self) -> str:
        """Port of the reset."""
        return _NAMES["rst"] if self.axi_names else "rst"

    @property
    def ports(self) -> tuple[Port, ...]:
        """All ports, in their order."""
        texts = {"s_axis_tlast": _TLAST} if self.frame_guard else {}
        if self.axi_names:
            texts["rst"] = _RESETN
        ports = [(name, way, bits, texts.get(name, text)) for name, way, bits, text in _PORTS]
        if self.axi_names:
            ports = [(_NAMES.get(name, name), way, bits, text) for name, way, bits, text in ports]
        return (*ports, _DROPPED) if self.frame_guard else tuple(ports)


PLAIN = CoreOptions()
"""The network alone, with short names."""


def of(verilog: str, top: str) -> CoreOptions:
    """The choices with which module `top` of `verilog` was made, by its ports."""
    ports = re.search(rf"^module {re.escape(top)}\((.*?)\);", verilog, re.MULTILINE | re.DOTALL)
    names = set(_PORT.findall(ports[1])) if ports else set()
    return CoreOptions(frame_guard="dropped" in names, axi_names="aclk" in names)
