"""Where the work of a search is done: local processes, or the workers of a Dask cluster.

Both are `concurrent.futures` executors. Work that a dying worker leaves behind is done by another.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType, TracebackType
from typing import Any, TypeVar

from gen.support import interruption, logs
from model.errors import RequestError, ShiftaddError

J = TypeVar("J")
R = TypeVar("R")
RANK = "LOCAL_RANK"
"""Says to a worker which one it is, as torchrun does to its processes. That of model.device, which
would bring all of torch into workers that do without."""
LIVES = 3
"""How often work is begun again after a worker has died."""


class SchedulerError(ShiftaddError, ValueError):
    """No cluster at the given address, or workers that keep dying; one line says which."""


class Pool:
    """Workers for a `with` block; leaving it by an exception ends them at once.

    workers: local processes. scheduler: address of a Dask scheduler whose workers do the work
    instead; timeout: seconds to wait for its answer. Raises SchedulerError.
    """

    def __init__(
        self, workers: int = 2, scheduler: str | None = None, *, timeout: float = 10
    ) -> None:
        if workers < 1:
            raise RequestError(f"--workers {workers}: at least 1")
        self.workers, self.scheduler, self.timeout = workers, scheduler, timeout
        self._client: Any = None
        self._executor: Executor | None = None

    def __enter__(self) -> Pool:
        if self.scheduler:
            self._client = _connect(self.scheduler, self.timeout)
        self._executor = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._stop(at_once=error is not None)
        if self._client is not None:
            self._client.close()

    def run(self, work: Callable[[J], R], jobs: Sequence[J]) -> Iterator[tuple[J, R]]:
        """Each job with what `work` made of it, as they are done; an exception of `work` is raised.

        `work` and jobs go to other processes: a function of a module, and what pickle can carry.
        """
        left = dict(enumerate(jobs))
        for _ in range(LIVES):
            try:
                assert self._executor is not None
                with interruption.blocked():  # workers come into being here: see `_begin`
                    futures = {self._executor.submit(work, job): i for i, job in left.items()}
                for done in as_completed(futures):
                    result = done.result()
                    yield left.pop(futures[done]), result
                return
            except BrokenProcessPool:
                self._stop(at_once=True)
                self._executor = self._start()
        raise SchedulerError(
            f"workers died {LIVES} times (out of memory?); try --workers {max(1, self.workers - 1)}"
        )

    @property
    def size(self) -> int:
        """Workers that there are."""
        if self._client is None:
            return self.workers
        return max(1, len(self._client.scheduler_info()["workers"]))

    def _start(self) -> Executor:
        if self._client is not None:
            executor: Executor = self._client.get_executor(pure=False)
            return executor
        workers = _Workers()
        told = (os.getpid(), logs.wanted(), workers.Value("i", 0))
        with interruption.blocked():
            return ProcessPoolExecutor(self.workers, workers, initializer=_begin, initargs=told)

    def _stop(self, *, at_once: bool) -> None:
        executor, self._executor = self._executor, None
        if executor is None:
            return
        if not isinstance(executor, ProcessPoolExecutor):
            executor.shutdown(wait=not at_once)
            return
        processes = list((executor._processes or {}).values()) if at_once else []
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(interruption.PATIENCE)
            process.kill()
        executor.shutdown(cancel_futures=at_once)  # at once, where the processes are dead


class _Worker(SpawnProcess):
    """Does not run the caller's script first, which may be nothing but a call of `search`.

    multiprocessing does, so that functions of the script can be sent; ours are those of modules.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = script


class _Workers(SpawnContext):
    """Fresh processes: torch and fork do not go together."""

    Process = _Worker


def _connect(address: str, timeout: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise SchedulerError(
            f"--scheduler {address}: needs Dask; pip install 'shiftadd[dask]'"
        ) from None
    try:
        return Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SchedulerError(
            f"--scheduler {address}: no scheduler answers there ({reason}); "
            "start one with `dask scheduler`"
        ) from None


def _begin(parent: int, verbose: bool, begun: Any) -> None:
    """In a fresh local worker, where signals are blocked until now. begun: how many others have, a
    shared number; by it workers take GPUs in turn."""
    interruption.install_in_worker(parent)
    os.environ["OMP_NUM_THREADS"] = "1"
    with begun.get_lock():
        os.environ[RANK] = str(begun.value)
        begun.value += 1
    if verbose:
        logs.start()
