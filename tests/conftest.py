"""What all tests share: the `slow` marker, and where simulators are kept between tests."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip `slow` tests unless SHIFTADD_SLOW=1, but for `sample` evenly spread cases of each."""
    if os.environ.get("SHIFTADD_SLOW") == "1":
        return
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("slow"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for group in cases.values():
        marker = group[0].get_closest_marker("slow")
        assert marker is not None
        sample = marker.kwargs.get("sample", 0)
        kept = {i * len(group) // sample for i in range(sample)}
        for i, item in enumerate(group):
            if i not in kept:
                item.add_marker(pytest.mark.skip(reason="slow: SHIFTADD_SLOW=1 runs it"))
