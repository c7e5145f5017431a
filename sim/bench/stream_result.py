"""What a stream bench recorded: words, cycles of transfers, and rules that were broken."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProbeRecord:
    """Words that a stream inside the device carried, and its state when the simulation ended."""

    words: list[int | None]
    valid: bool
    ready: bool

    @property
    def blocked(self) -> bool:
        """A word was offered and not taken."""
        return self.valid and not self.ready


@dataclass(frozen=True)
class StreamResult:
    """Output and timing of one device. A word with an unknown bit (Icarus' x) is None."""

    words: list[int | None]
    mismatches: int
    first_mismatch: int | None
    accepted: list[int]
    """Cycle in which the first word of each image went in."""
    finished: list[int]
    """Cycle in which the last word of each image came out."""
    unheld: list[int]
    """Cycles in which the device took back or changed a word that it had offered."""
    stopped: bool
    """No word went in or out for `timeout` cycles."""
    cycles: int
    seed: int
    seconds: float
    """Wall-clock time of the simulation, without the simulator's start."""
    probes: dict[str, ProbeRecord] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not (self.mismatches or self.stopped or self.unheld)

    @property
    def cycles_per_second(self) -> float:
        return self.cycles / self.seconds

    @property
    def latency(self) -> int:
        """Cycles from the first image's first word in to its last word out."""
        return self.finished[0] - self.accepted[0]

    @property
    def interval(self) -> int:
        """Cycles between the ends of the last two images: the initiation interval when steady."""
        return self.finished[-1] - self.finished[-2]

    def __str__(self) -> str:
        if self.ok:
            return f"{len(self.words)} words equal in {self.cycles} cycles (seed {self.seed})"
        return (
            f"{self.mismatches} words differ, the first at {self.first_mismatch}; "
            f"offered words not held: {len(self.unheld)}; "
            f"{'stopped' if self.stopped else 'ended'} at cycle {self.cycles} (seed {self.seed})"
        )
