"""Raw numbers as the integers that a network takes. Needs Python alone: see gen.deploy.bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from gen.host.link_protocol import BoardInfo
from model.errors import RequestError


@dataclass(frozen=True)
class RawScaling:
    """As the training data were scaled: clip(round((x − offset) / step)) for each feature, to the
    ends of the input's format.

    offset, step: one of each for every channel, or one for all.
    """

    offset: tuple[float, ...]
    step: tuple[float, ...]

    def problem(self, channels: int) -> str | None:
        """Why this scaling is none for an input of `channels`, in words; None if it is."""
        numbers = (*self.offset, *self.step)
        if not all(type(n) in (int, float) and isfinite(n) for n in numbers) or 0 in self.step:
            return "offsets and steps must be finite numbers, steps not 0"
        if len(self.offset) != len(self.step) or len(self.step) not in (1, channels):
            return (
                f"{len(self.offset)} offsets and {len(self.step)} steps: as many of each, "
                f"1 or {channels}"
            )
        return None

    def apply(self, values: Sequence[float], info: BoardInfo) -> list[int]:
        """Integers of raw numbers, channels innermost. RequestError for what is not finite."""
        count, integers = len(self.step), list[int]()
        low, high = info.input_range
        for i, value in enumerate(values):
            if not isfinite(value):
                raise RequestError(f"value {value} at {i}: must be a finite number")
            scaled = (value - self.offset[i % count]) / self.step[i % count]
            integers.append(round(min(max(scaled, low), high)))
        return integers
