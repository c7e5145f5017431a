"""A full disk is one line with status 1, whoever writes: we, torch, yosys, a compiler; and what was
half-written goes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.disks import small_disks
from tests.support.paths import DIGITS_HYBRID, ROOT

COMMAND = f"{sys.executable} -m shiftadd"
TRAIN = f"{COMMAND} train digits_mlp --data digits --epochs 2"
COMPILE = f"{COMMAND} compile {DIGITS_HYBRID} --board up5k"
ON_SMALL_DISK = """
mount -t tmpfs -o size={size} tmpfs disk && cd disk || exit 99
TMPDIR=$PWD XDG_STATE_HOME=$PWD {command} >/dev/null
status=$?
find . -name "*.shiftadd-tmp" -o -name "*.bin" -o -name "top.v" -o -name "plan.json"
exit $status
"""


def last_line(err: str) -> str:
    assert "Traceback" not in err
    return err.splitlines()[-1]


CASES = [
    ("16k", COMPILE), ("1m", COMPILE), ("3m", COMPILE), ("300k", COMPILE), ("5m", COMPILE),
    ("4k", TRAIN), ("16k", TRAIN),
]  # fmt: skip


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize(
    ("size", "command"), CASES, ids=lambda part: part.split()[3:4][0] if " " in part else part
)
def test_small_disk(size: str, command: str, tmp_path: Path) -> None:
    if not small_disks():
        pytest.skip("unshare and mount are not allowed here")
    (tmp_path / "disk").mkdir()
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", ON_SMALL_DISK.format(size=size, command=command)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert last_line(done.stderr).endswith(": No space left on device"), done.stderr
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.slow(sample=1)
@pytest.mark.parametrize("command", [COMPILE, TRAIN], ids=["compile", "train"])
def test_largest_size_of_a_file(command: str, tmp_path: Path) -> None:
    """As `ulimit -f` sets it; for tools, too."""
    limit = 10_000
    done = subprocess.run(
        command.split(),
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert last_line(done.stderr).endswith(": File too large")
    assert not list(tmp_path.rglob("*.shiftadd-tmp"))
