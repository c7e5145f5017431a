"""Modules of a design that are converted once and instantiated wherever they are needed."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Instance, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.shared import ModuleLibrary, key

SHARED = "shared."
"""What the names of these modules begin with."""

_PORT = re.compile(r"^  wire .*\b(?:input|output) \d+ .*\\(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class SharedModule:
    """Its name and RTLIL, and whether it has a clock and a reset."""

    name: str
    text: str
    ports: frozenset[str]


class Library(ModuleLibrary):
    """The modules of one design, in the order in which they were first needed.

    They are numbered; `gen.support.module_names` names them after their places.
    """

    def __init__(self) -> None:
        self.modules: dict[Hashable, SharedModule] = {}
        self._numbers = count()

    def instance(self, component: wiring.Component) -> Instance:
        """See `rtl.shared.ModuleLibrary`."""
        same = key(component)
        if same not in self.modules:
            self.modules[same] = self._convert(component, f"{SHARED}{next(self._numbers)}")
        module = self.modules[same]
        ports = _ports(component)
        clock: dict[str, tuple[str, Value]] = {
            "clk": ("i", ClockSignal()),
            "rst": ("i", ResetSignal()),
        }
        ports |= {name: signal for name, signal in clock.items() if name in module.ports}
        assert set(ports) == module.ports, f"{module.name} has other ports: {module.ports}"
        return Instance(module.name, *((way, name, at) for name, (way, at) in ports.items()))

    def _convert(self, component: wiring.Component, name: str) -> SharedModule:
        ports = {port: (value, None) for port, (_, value) in _ports(component).items()}
        text = rtlil.convert(component, name=name, platform=self, ports=ports, emit_src=False)
        top = text[text.index(f"\nmodule \\{name}\n") :]
        top = top[: top.index("\nend\n")]
        return SharedModule(name, text, frozenset(_PORT.findall(top)))


def _ports(component: wiring.Component) -> dict[str, tuple[str, Value]]:
    """Direction, `i` or `o`, and signal of each port by its name; ports of no bits are none."""
    flat = (
        ("__".join(map(str, path)), "i" if member.flow == In else "o", Value.cast(value))
        for path, member, value in component.signature.flatten(component)
    )
    return {name: (way, value) for name, way, value in flat if len(value)}
