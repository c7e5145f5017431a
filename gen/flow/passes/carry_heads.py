"""The first ALU of Gowin carry chains, repaired in a routed netlist before it is packed.

nextpnr 0.11.1 starts a chain whose carry comes from logic with an ALU that gives I0 or the carry
that comes in; but what comes in is the carry of whatever chain ended in the tile beside it. Found
by simulating bitstreams; later versions of nextpnr write what is written here.
"""

from __future__ import annotations

from typing import Any

LETS_IN, KEEPS_OUT = "0101000001011010", "0000000000001010"
"""Contents of the ALU's LUT: carry out = I0 or carry in; carry out = I0."""


def repair(netlist: dict[str, Any]) -> int:
    """Repairs nextpnr's JSON in place; how many chains there were to repair."""
    repaired = 0
    for module in netlist["modules"].values():
        for cell in module["cells"].values():
            parameters = cell["parameters"]
            contents = parameters.get("RAW_ALU_LUT", "")
            if parameters.get("CIN_NETTYPE") == "LOGIC" and contents.endswith(LETS_IN):
                parameters["RAW_ALU_LUT"] = contents.removesuffix(LETS_IN) + KEEPS_OUT
                repaired += 1
    return repaired
