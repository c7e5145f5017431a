"""Files checked against the hashes that were taken when they were made. Needs Python alone: see
gen.deploy.bundle.

The hashes of a build are in its report.json, those of a bundle in its manifest.json.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from model.errors import ShiftaddError


class DamagedError(ShiftaddError, ValueError):
    """A file is not what it was when it was made; the message names it and the way out."""


def of_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def of_json(value: Any) -> str:
    """SHA-256 of a value that JSON can hold, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def of_files(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files by their names, sorted."""
    return {path.name: of_file(path) for path in sorted(paths)}


def verify(folder: Path, hashes: Mapping[str, str], *, again: str) -> None:
    """DamagedError unless each file in `folder` has its hash. again: what makes them anew."""
    for name, want in hashes.items():
        path = folder / name
        try:
            have = of_file(path)
        except OSError as error:
            raise DamagedError(f"{path}: cannot be read ({error.strerror}); {again}") from None
        except ValueError as error:  # not a name of a file
            raise DamagedError(f"{folder}: {name!r}: {error}; {again}") from None
        if have != want:
            raise DamagedError(
                f"{path}: damaged or changed (its hash is {have[:12]}, not {want[:12]}); {again}"
            )
