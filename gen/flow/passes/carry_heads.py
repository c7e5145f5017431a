"""The first ALU of Gowin carry chains, repaired in a routed netlist before it is packed.

nextpnr 0.11.1 starts a chain whose carry comes from logic with an ALU whose carry out is I0 or its
carry in; but its carry in is that of whatever chain ended in the tile beside it. Seen by simulating
bitstreams; later versions of nextpnr write what this pass writes.
"""

from __future__ import annotations

from typing import Any

LETS_IN, KEEPS_OUT = "0101000001011010", "0000000000001010"
"""Contents of the ALU's LUT: carry out = I0 or carry in; carry out = I0."""


def repair(netlist: dict[str, Any]) -> int:
    """Repairs nextpnr's JSON in place; returns the number of chains repaired."""
    repaired = 0
    for module in netlist["modules"].values():
        for cell in module["cells"].values():
            parameters = cell["parameters"]
            contents = parameters.get("RAW_ALU_LUT", "")
            if parameters.get("CIN_NETTYPE") == "LOGIC" and contents.endswith(LETS_IN):
                parameters["RAW_ALU_LUT"] = contents.removesuffix(LETS_IN) + KEEPS_OUT
                repaired += 1
    return repaired
