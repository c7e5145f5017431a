"""The result of simulating a network, for reports and evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sim.verify.locate import Mismatch


@dataclass(frozen=True)
class SimulationResult:
    """Result of a simulation. `mismatches` counts images, those that never came included.

    cycles_latency: from an image's first byte in to its last byte out, in an idle device.
    cycles_interval: between the last bytes of two images in steady state. Both without stalls, and
    None when words stopped.
    """

    level: str
    simulator: str
    images: int
    mismatches: int
    cycles_latency: int | None
    cycles_interval: int | None
    first_mismatch: Mismatch | None
    stopped: str | None
    """The layer at which words stopped, when a time-out ended the simulation."""
    unheld: int
    """Output bytes that were taken back or changed before they were accepted."""
    seed: int
    cycles: int
    cycles_per_second: float
    seconds: float
    answers: tuple[int | None, ...] = field(default=(), repr=False)
    """The class that each image was said to be; None where none came. Not part of the JSON."""

    @property
    def ok(self) -> bool:
        return not (self.mismatches or self.stopped or self.unheld)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: value for name, value in asdict(self).items() if name != "answers"}
