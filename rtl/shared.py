# amaranth: UnusedElaboratable=no
"""A component whose module may stand in a design many times, and is written once.

Simulated, it is the component itself. Where modules are written, the platform is a
:class:`ModuleLibrary`, which puts an instance of the module in its place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any

from amaranth.hdl import Elaboratable
from amaranth.lib import wiring


class ModuleLibrary(ABC):
    """Modules that are written once each."""

    @abstractmethod
    def instance(self, component: wiring.Component) -> Any:
        """An instance, at the ports of `component`, of the one module of all with its `key`."""


class Shared(Elaboratable):
    """`component`, which is described by its class and its public attributes, see `key`, and whose
    one clock domain is sync."""

    def __init__(self, component: wiring.Component) -> None:
        self.component = component

    def elaborate(self, platform: object) -> Any:
        if isinstance(platform, ModuleLibrary):
            return platform.instance(self.component)
        return self.component


def key(component: wiring.Component) -> Hashable:
    """Class and parameters: components of equal keys are the same hardware.

    Raises TypeError for a parameter that cannot be hashed.
    """
    ports = component.signature.members
    parameters = tuple(
        (name, value)
        for name, value in sorted(vars(component).items())
        if name not in ports and not name.startswith("_")
    )
    hash(parameters)
    return type(component), parameters
