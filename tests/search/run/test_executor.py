"""The pool loses no work: not when a worker dies, not on a cluster, and it ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gen.support import logs
from search.run.executor import Pool, SchedulerError
from tests.support import search_work as work
from tests.support.paths import ROOT


def test_runs_in_other_processes() -> None:
    with Pool(2) as pool:
        assert dict(pool.run(work.square, range(5))) == {n: n * n for n in range(5)}
        with pytest.raises(ValueError, match="3 is refused"):
            list(pool.run(work.fail, [3]))


@pytest.mark.parametrize("verbose", [False, True])
def test_workers_log_where_their_parent_does(
    verbose: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with logs.shown(verbose), Pool(1) as pool:
        assert dict(pool.run(work.logged, [7])) == {7: 7}
    assert ("shiftadd.tools: worked on 7" in capfd.readouterr().err) == verbose


def test_work_of_a_dead_worker_is_done_by_another(tmp_path: Path) -> None:
    jobs = [(n, str(tmp_path)) for n in range(6)]
    with Pool(2) as pool:
        assert sorted(r for _, r in pool.run(work.dies_once, jobs)) == [n * n for n in range(6)]
    assert (tmp_path / "dead").exists()


def test_workers_know_which_they_are(tmp_path: Path) -> None:
    """By that they take GPUs in turn."""
    with Pool(2) as pool:
        assert {rank for _, rank in pool.run(work.rank, [str(tmp_path)] * 2)} == {"0", "1"}


def test_workers_that_keep_dying_are_one_line() -> None:
    with Pool(1) as pool, pytest.raises(SchedulerError, match="workers died 3 times"):
        list(pool.run(work.dies, [1]))


def test_an_exception_ends_the_workers_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path)
    assert time.monotonic() - began < 10, "20 s of work were left"
    workers = {int(path.name.split("-")[1]) for path in tmp_path.iterdir()}
    assert workers
    assert not [pid for pid in workers if _alive(pid)]


def _interrupted(folder: Path) -> None:
    with Pool(2) as pool:
        for _ in pool.run(work.slow_square, [(n, str(folder)) for n in range(100)]):
            raise KeyboardInterrupt


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.filterwarnings("default")  # Dask's own, while a worker of it dies
def test_cluster_loses_a_worker_in_the_middle(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:

        def strike() -> None:
            while not list(tmp_path.iterdir()):
                time.sleep(0.02)
            os.kill(int(next(tmp_path.iterdir()).name.split("-")[1]), signal.SIGKILL)

        thread = threading.Thread(target=strike)
        thread.start()
        with Pool(scheduler=cluster.scheduler_address) as pool:
            results = list(pool.run(work.slow_square, [(n, str(tmp_path)) for n in range(8)]))
        thread.join()
    assert sorted(result for _, result in results) == [n * n for n in range(8)]
    assert len(list(tmp_path.iterdir())) > 8, "the job of the dead worker was begun twice"


def test_no_scheduler_is_one_line() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(SchedulerError, match="no scheduler answers there"):
        Pool(scheduler="nowhere:1", timeout=1).__enter__()
    with pytest.raises(ValueError, match="--workers 0: at least 1"):
        Pool(0)


def test_a_script_without_a_guard_is_not_run_again_by_workers(tmp_path: Path) -> None:
    """One that is nothing but a call, as the examples of the Python API are."""
    script = tmp_path / "mine.py"
    script.write_text(
        "from search.run.executor import Pool\n"
        "print('once', flush=True)\n"
        "with Pool(1) as pool:\n"
        "    print(list(pool.run(abs, [-1])))\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("once\n[(-1, 1)]\n", "")
