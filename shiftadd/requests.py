"""What is asked of any verb, checked before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import RequestError

if TYPE_CHECKING:
    from gen.plan.plan import Plan
    from model.spec import Network

SEEDS = 1 << 32


def check_seed(seed: int) -> None:
    """RequestError for a seed that a random generator cannot take."""
    if not -SEEDS < seed < SEEDS:
        raise RequestError(f"--seed {seed}: must be between -2^32 and 2^32")


def check_folder(path: Path | None, option: str = "--out") -> None:
    """RequestError where `path` cannot be a folder, as it or one above it is a file."""
    if path is None:
        return
    there = next((p for p in (path, *path.parents) if p.exists()), None)
    if there is not None and not there.is_dir():
        which = "it" if there == path else str(there)
        raise RequestError(f"{option} {path}: {which} is a file; name a folder, or a new one")


def source_of(net: Path, network: Network, data: str | None) -> str:
    """The data set that is asked for, or the one that `network`, in `net`, was trained on."""
    source = data or network.about.get("data")
    if not source:
        raise RequestError(f"{net}: the network does not name its data set; give --data")
    return str(source)


def plan_of(path: Path, board: str, **limits: float | None) -> Plan:
    """The plan in a file, which must be for `board` and leaves nothing to ask of planning."""
    from gen.plan.plan import load
    from gen.support.devices import device

    if asked := [f"--{name}" for name, value in limits.items() if value is not None]:
        raise RequestError(f"{', '.join(asked)}: {path} is planned already; drop --plan or these")
    plan = load(path)
    if plan.device != (wanted := device(board).name):
        raise RequestError(f"{path}: planned for {plan.device}, not for {wanted}; mind --board")
    return plan
