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

_PORT = re.compile(r"^  wire .*\b(?:input|output) \d+ \\(\S+)$", re.MULTILINE)


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
        ports: dict[str, Value] = {}
        for path, member, value in component.signature.flatten(component):
            way = "i" if member.flow == In else "o"
            ports[f"{way}_{'__'.join(map(str, path))}"] = Value.cast(value)
        if "clk" in module.ports:
            ports["i_clk"] = ClockSignal()
        if "rst" in module.ports:
            ports["i_rst"] = ResetSignal()
        return Instance(module.name, **ports)

    def _convert(self, component: wiring.Component, name: str) -> SharedModule:
        text = rtlil.convert(component, name=name, platform=self, emit_src=False)
        top = text[text.index(f"\nmodule \\{name}\n") :]
        top = top[: top.index("\nend\n")]
        return SharedModule(name, text, frozenset(_PORT.findall(top)))
