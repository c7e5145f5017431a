"""All kinds of files that are fuzzed."""

from __future__ import annotations

from tests.fuzz import builds, datasets, networks, searches

SUBJECTS = (
    *networks.SUBJECTS, *searches.SUBJECTS, *builds.SUBJECTS, *datasets.SUBJECTS,
)  # fmt: skip
