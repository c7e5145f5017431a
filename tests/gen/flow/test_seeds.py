"""Several placements: two at a time, in order, ended as soon as one fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from gen.flow.seeds import AT_ONCE, place_seeds

PATIENCE = 30.0
Stopped = Callable[[], bool]


def test_two_run_at_a_time_and_come_back_in_order() -> None:
    meet = threading.Barrier(AT_ONCE)
    at_work: list[int] = []
    most: list[int] = []

    def place(seed: int, stopped: Stopped) -> int:
        at_work.append(seed)
        most.append(len(at_work))
        meet.wait(PATIENCE)  # neither ends without the other
        at_work.remove(seed)
        return seed

    said: list[str] = []
    assert place_seeds(place, 4, said.append) == [1, 2, 3, 4]
    assert max(most) == AT_ONCE
    assert said == [f"place and route, {done} of 4 seeds done" for done in range(4)]


def test_one_seed_is_a_plain_step() -> None:
    said: list[str] = []
    place_seeds(lambda seed, stopped: seed, 1, said.append)
    assert said == ["place and route"]


def test_a_failure_ends_the_others_and_is_raised() -> None:
    begun = threading.Event()
    ended: list[int] = []

    def place(seed: int, stopped: Stopped) -> int:
        if seed == 1:
            begun.wait(PATIENCE)
            raise ValueError("seed 1 fails")
        begun.set()
        limit = time.monotonic() + PATIENCE
        while not stopped() and time.monotonic() < limit:
            time.sleep(0.01)
        ended.append(seed)
        return seed

    with pytest.raises(ValueError, match="seed 1 fails"):
        place_seeds(place, 9, lambda step: None)
    assert 1 <= len(ended) <= AT_ONCE


def test_an_interrupted_caller_ends_them() -> None:
    def place(seed: int, stopped: Stopped) -> int:
        limit = time.monotonic() + PATIENCE
        while seed > 1 and not stopped():
            assert time.monotonic() < limit
            time.sleep(0.01)
        return seed

    def interrupt(step: str) -> None:
        if "1 of" in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place_seeds(place, 3, interrupt)
