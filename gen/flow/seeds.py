"""Placements with several seeds, two at a time, and the spread of the clock over them.

One placement is one draw: digits_hybrid at 1,000 images a second on a GW1NR-9 reaches 145.9 to
163.0 MHz with the seeds 1 to 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from statistics import fmean
from threading import Event
from typing import TypeVar

from gen.flow.slowest_path import SlowestPath
from model.records import Count, Positive

T = TypeVar("T")
AT_ONCE = 2
"""Placements at a time; nextpnr has one thread."""


@dataclass(frozen=True)
class SeedClock:
    """Clock that one placement reaches."""

    seed: Positive
    fmax_mhz: Count


def place_seeds(
    place: Callable[[int, Callable[[], bool]], T],
    seeds: int,
    progress: Callable[[str], None],
) -> list[T]:
    """The placements with the seeds 1 to `seeds`, in this order.

    place: makes one of a seed; it is to end soon once its second argument says True, which it does
    when another one has failed or this process is interrupted. Raises what the first to fail does.
    """
    stop = Event()
    progress(_step(0, seeds))
    with ThreadPoolExecutor(min(AT_ONCE, seeds)) as pool:
        jobs = [pool.submit(place, seed, stop.is_set) for seed in range(1, seeds + 1)]
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                job.result()
                if done < seeds:
                    progress(_step(done, seeds))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [job.result() for job in jobs]


def clock_lines(seeds: Sequence[SeedClock], slowest: SlowestPath | None) -> tuple[str, ...]:
    """What is known of a clock, in words: its spread over seeds, the slowest path."""
    path = f"slowest path: {slowest}" if slowest else ""
    return tuple(filter(None, (_spread(seeds), path)))


def _spread(seeds: Sequence[SeedClock]) -> str:
    """Mean, least and most; empty where fewer than two were tried."""
    if len(seeds) < 2:
        return ""
    clocks = [one.fmax_mhz for one in seeds]
    return (
        f"clock over {len(seeds)} seeds: mean {fmean(clocks):.1f}, least {min(clocks):.1f}, "
        f"most {max(clocks):.1f} MHz"
    )


def _step(done: int, seeds: int) -> str:
    return f"place and route, {done} of {seeds} seeds done" if seeds > 1 else "place and route"
