"""The command line, called in this process."""

from __future__ import annotations

import pytest

import shiftadd

NEEDED = {
    "search": ["--data", "d"], "train": ["a", "--data", "d"], "compile": ["n"], "simulate": ["n"],
    "deploy": ["n"], "report": ["r"], "data": ["d"],
    "arch": ["list"],
}  # fmt: skip
"""Arguments that a verb cannot do without."""


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    try:
        status = shiftadd.main([str(w) for w in words])
    except SystemExit as end:  # argparse
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, out, err
