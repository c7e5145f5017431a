"""What a hardware block is before it is hardware: frozen data that knows its ports and its latency.

A block is described once. Everything else is found from its description: the component that it
creates, its cycle model (gen.engine.cycle_models), its counted features (gen.cost.block_features)
and the claims that prove it (tests.formal.claims). Assembling a network reads numbers from
descriptions and builds no hardware.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from amaranth.hdl import Shape
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


@dataclass(frozen=True)
class Words:
    """Words of a stream: `lanes` values of `shape`, the first lowest."""

    shape: Shape
    lanes: int

    @property
    def signature(self) -> stream.Signature:
        return stream.Signature(data.ArrayLayout(self.shape, self.lanes))


class BlockDescription(ABC):
    """A block with streams, as frozen data: keyword-only fields, checked when it is made.

    latency: cycles from the last word that a result needs to that result, at the end of the block's
    pipeline; what a handshake adds is said by the block.
    """

    @property
    @abstractmethod
    def inputs(self) -> dict[str, Words]:
        """Words of each input stream, by its port."""

    @property
    @abstractmethod
    def outputs(self) -> dict[str, Words]:
        """Words of each output stream, by its port."""

    @property
    @abstractmethod
    def latency(self) -> int: ...

    @abstractmethod
    def component(self) -> wiring.Component:
        """Its hardware, anew with each call: a component can be elaborated once."""


B = TypeVar("B", bound=BlockDescription)


class BlockUnit(wiring.Component, Generic[B]):
    """Hardware of a block: its ports are the streams that `block`, its description, names."""

    def __init__(self, block: B) -> None:
        self.block = block
        inputs = {name: In(words.signature) for name, words in block.inputs.items()}
        outputs = {name: Out(words.signature) for name, words in block.outputs.items()}
        super().__init__(inputs | outputs)
