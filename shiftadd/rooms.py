"""Our packages have everyday names: a `model.py` in a folder where Python starts hides `model`.

That is looked for before any of them is imported. This module imports none, and neither do errors.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

ROOMS = ("model", "rtl", "gen", "sim", "search")
HOME = Path(__file__).resolve().parents[1]
"""The folder in which all of them lie, beside this package."""
WRONG = 2
"""Exit status of the command: see shiftadd.errors."""


class HiddenPackageError(ImportError):
    """Another file or folder is imported in place of a package of shiftadd."""


def check_rooms() -> None:
    """HiddenPackageError for a package of ours that another file hides; where this is the command,
    its line on stderr and exit status 2."""
    for room in ROOMS:
        place = _place(room)
        if place is not None and place.parent != HOME / room:
            error = _error(room, place)
            if _is_command():
                print(f"shiftadd: {error}", file=sys.stderr)
                raise SystemExit(WRONG) from None
            raise error


def _place(room: str) -> Path | None:
    """The file that `import room` reads; None where there is none, which importing it says."""
    loaded: ModuleType | None = sys.modules.get(room)
    spec: ModuleSpec | None = getattr(loaded, "__spec__", None) or find_spec(room)
    file = getattr(loaded, "__file__", None) or (spec.origin if spec else None)
    return Path(file).resolve() if file else None


def _error(room: str, place: Path) -> HiddenPackageError:
    name = place.parent if place.name == "__init__.py" else place
    return HiddenPackageError(
        f"{name} hides the package {room!r} of shiftadd; rename it, or start Python in another "
        "folder",
        name=room,
        path=str(place),
    )


def _is_command() -> bool:
    """Whether this process is `shiftadd` or `python -m shiftadd`, at its start."""
    words = sys.orig_argv
    at = words.index("-m") + 1 if "-m" in words else len(words)
    return words[at : at + 1] == ["shiftadd"] or Path(sys.argv[0]).stem == "shiftadd"
