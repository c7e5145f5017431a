"""One network of a search space, in the choices that make it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model.errors import ShiftaddError
from model.kinds import kind


class SpaceError(ShiftaddError, ValueError):
    """A space file, or what is asked of a space, breaks a rule; one line says which."""


@dataclass(frozen=True, order=True)
class Choice:
    """One weighted layer: operator kind, block op (`conv`, `separable` or `residual`), kernel,
    weight bits, and bits of its output (0: there is no choice, they are the space's)."""

    kind: str
    op: str
    kernel: int
    bits: int
    act_bits: int = 0


@dataclass(frozen=True)
class StageChoice:
    """One resolution: how it is reached, channels (0 without layers), the layers that remain."""

    reduce: str
    channels: int
    layers: tuple[Choice, ...]


@dataclass(frozen=True)
class Candidate:
    """One network of a space, in canonical form. first, last: weight bits and channels there."""

    first_channels: int
    first: Choice
    stages: tuple[StageChoice, ...]
    head: str
    last: Choice

    @property
    def layers(self) -> Iterator[Choice]:
        """All but the last, in order."""
        yield self.first
        for stage in self.stages:
            yield from stage.layers

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the layers in order; products at the ends, as published, do not count."""
        inner = (layer.kind for stage in self.stages for layer in stage.layers)
        first, last = ([end.kind] * (not kind(end.kind).plain) for end in (self.first, self.last))
        return (*first, *inner, *last)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` reads them back. `act_bits` of the layers, but for the
        last, stand there where they were chosen."""
        stages = [
            {"reduce": s.reduce, "channels": s.channels, "layers": [_row(c) for c in s.layers]}
            for s in self.stages
        ]
        acts = [layer.act_bits for layer in self.layers]
        return {
            "first": [self.first_channels, *_row(self.first)], "stages": stages,
            "head": self.head, "last": _row(self.last),
        } | ({"act_bits": acts} if any(acts) else {})  # fmt: skip

    @staticmethod
    def from_dict(row: Mapping[str, Any]) -> Candidate:
        """Raises SpaceError where activation bits are not those of as many layers."""
        channels, *first = row["first"]
        count = 1 + sum(len(s["layers"]) for s in row["stages"])
        given = row.get("act_bits") or count * [0]
        if len(given) != count:
            raise SpaceError(f"a network of {count} layers has {len(given)} act_bits; mend its row")
        acts = iter(given)
        begin = _choice(first, next(acts))
        stages = tuple(
            StageChoice(
                s["reduce"], s["channels"], tuple(_choice(c, next(acts)) for c in s["layers"])
            )
            for s in row["stages"]
        )
        return Candidate(channels, begin, stages, row["head"], Choice(*row["last"]))


def unstrided(reduce: str) -> str:
    """Without a layer there is nothing that could stride."""
    return "maxpool" if reduce == "stride" else reduce


def plain(choice: Choice) -> Choice:
    """`choice` where shapes change: a residual block gives way to its convolution."""
    return replace(choice, op="conv") if choice.op == "residual" else choice


def _choice(row: Sequence[Any], act_bits: int) -> Choice:
    kind, op, kernel, bits = row
    return Choice(kind, op, kernel, bits, act_bits)


def _row(choice: Choice) -> list[str | int]:
    return [choice.kind, choice.op, choice.kernel, choice.bits]
