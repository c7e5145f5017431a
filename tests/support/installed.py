"""Which distributions an install of shiftadd brings, by the metadata of those installed here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

CONSTRAINTS = ROOT / "constraints.txt"
Closure = dict[str, Distribution | None]
"""By canonical name; None for one that is not installed here."""


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    """Versions in constraints.txt, by canonical name."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pinned = [line.partition("#")[0].strip() for line in lines]
    pairs = [line.split("==") for line in pinned if line]
    return {canonicalize_name(name): version for name, version in pairs}


def wanted() -> Mapping[str, list[str]]:
    """Requirements of pyproject.toml: of each extra, of the build, and, as "", of shiftadd."""
    whole = project()
    return {
        "": whole["project"]["dependencies"],
        **whole["project"]["optional-dependencies"],
        "build": whole["build-system"]["requires"],
    }


def closure(requirements: Iterable[str]) -> Closure:
    """What these requirements bring, and what that brings, on this Python and platform."""
    reached: Closure = {}
    done: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        new = {(name, extra) for extra in ("", *one.extras)} - done
        done |= new
        if name != "shiftadd":  # of which an extra names others: `wanted` has them all
            reached[name] = installed = _installed(name)
            for _, extra in new:
                waiting += _needs(installed, extra)
    return reached


def _needs(installed: Distribution | None, extra: str) -> list[Requirement]:
    """What a distribution needs with an extra."""
    texts = (installed.requires or []) if installed else []
    needs = [Requirement(text) for text in texts]
    return [n for n in needs if n.marker is None or n.marker.evaluate({"extra": extra})]


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def version(installed: Distribution) -> str:
    """Without the part that names a build: 2.13.0+cpu is 2.13.0."""
    return re.sub(r"\+.*", "", installed.version)
