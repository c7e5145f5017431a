"""The command line, called as a user calls it."""

from __future__ import annotations

import pytest

import shiftadd


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of `shiftadd words…`, in this process."""
    try:
        status = shiftadd.main([str(w) for w in words])
    except SystemExit as end:  # argparse
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, out, err
