"""The command line. Each verb parses, calls one function and prints; heavy imports happen inside it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    found = argparse.ArgumentParser(
        prog="shiftadd",
        description="Hybrid multiplication, shift and add networks for small FPGAs.",
    )
    found.add_argument("--version", action="version", version=f"shiftadd {version('shiftadd')}")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit status: 0 done, 1 a check failed, 2 the request was wrong."""
    parser().parse_args(argv)
    parser().print_help()
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
