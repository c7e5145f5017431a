"""A signal ends the process with all that it started, workers and their tools included."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gen.support import interruption
from tests.support.interruptions import MARK, STATUS, living
from tests.support.paths import ROOT

PROGRAM = """
import sys, threading
from pathlib import Path
from gen.support import interruption
from search.run.executor import Pool
from tests.support.search_work import holds
def main():
    interruption.install()
    here = Path(sys.argv[1])
    for n in range(2):
        threading.Thread(target=holds, args=[here]).start()
    with interruption.advised("go on with --resume"), Pool(2) as pool:
        for _ in pool.run(holds, [here, here]):
            pass
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def running(tmp_path: Path, number: signal.Signals) -> Iterator[subprocess.Popen[str]]:
    """A process with two threads and two workers, each with a folder and a tool that waits."""
    if number == signal.SIGINT and signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("SIGINT is ignored here, as in jobs in the background")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "tmp").mkdir()
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path)],
        env=os.environ
        | {"PYTHONPATH": str(ROOT), MARK: str(tmp_path), "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as run:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("held-*/ready"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(living(str(tmp_path))) > 10, "guards, shells and their children"
        yield run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("group", [False, True])
def test_nothing_outlives_it(
    number: signal.Signals, group: bool, running: subprocess.Popen[str], tmp_path: Path
) -> None:
    (os.killpg if group else os.kill)(running.pid, number)
    _, err = running.communicate(timeout=30)
    deadline = time.monotonic() + 5
    while living(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert living(str(tmp_path)) == []
    if number == signal.SIGKILL:  # the next one cleans up
        assert running.returncode == -signal.SIGKILL
        return
    assert running.returncode == STATUS[number]
    assert err == f"{message(number)}; go on with --resume\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["program.py", "tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []


def message(number: int) -> str:
    how = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM"}[signal.Signals(number)]
    return f"shiftadd: {how}; finished steps are kept"


def test_words() -> None:
    assert interruption.message(signal.SIGINT) == message(signal.SIGINT)
    assert interruption.message(signal.SIGTERM) == message(signal.SIGTERM)
    assert "SIGHUP" in interruption.message(signal.SIGHUP)
    with interruption.advised("first"), interruption.advised("last"):
        assert interruption.message(signal.SIGINT) == f"{message(signal.SIGINT)}; last"


def test_ignored_signal_stays_ignored() -> None:
    """As SIGHUP under nohup, and SIGINT in a job in the background."""
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from gen.support import interruption\n"
        "interruption.install()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('on')\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "on\n")
