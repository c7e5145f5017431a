"""Where networks are trained and scored: on the CPU, or on a GPU by CUDA.

What must be exact does not depend on the device. Integers are exported on the CPU, the golden model
is judged there, and the integer stage is evaluated with the integers of an export. Random numbers
are drawn on the CPU, so that both devices begin with the same weights and see the same batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from model.errors import RequestError

AUTO, DEVICES = "auto", ("auto", "cpu", "cuda")
CPU = torch.device("cpu")
RANK = "LOCAL_RANK"
"""Which of a machine's processes this one is, as torchrun and search.run.executor say."""


def device_of(name: str) -> torch.device:
    """The device called `name`, one of DEVICES; "auto": a GPU where there is one.

    Processes of a machine take its GPUs in turn, by their RANK. Raises RequestError.
    """
    if name not in DEVICES:
        raise RequestError(f"--device {name}: must be one of {', '.join(DEVICES)}")
    count = 0 if name == "cpu" else gpus()
    if count:
        return _gpu(int(os.environ.get(RANK, "0")) % count)
    if name == "cuda":
        why = "none is found" if torch.version.cuda else f"PyTorch {torch.__version__} has no CUDA"
        raise RequestError(f"--device cuda: no CUDA device here ({why}); --device cpu needs none")
    return CPU


def _gpu(index: int) -> torch.device:
    return torch.device("cuda", index)


def gpus() -> int:
    """CUDA devices that PyTorch can use here."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def name_of(where: torch.device) -> str:
    """ "cpu" or "cuda"."""
    return "cpu" if where.type == "cpu" else "cuda"


def named(where: torch.device) -> dict[str, str]:
    """`device` of a request that is kept: left out for the CPU, so that older runs go on."""
    return {} if where.type == "cpu" else {"device": name_of(where)}


def at_home(value: Any) -> Any:
    """`value`, of plain containers and tensors, with its tensors on the CPU: any machine loads
    them."""
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {name: at_home(one) for name, one in value.items()}
    return type(value)(map(at_home, value)) if isinstance(value, list | tuple) else value


@contextmanager
def repeatable(where: torch.device) -> Iterator[None]:
    """For computing on `where`: on a GPU products are not shortened to TF32, and sums are taken in
    the same order each time."""
    cudnn: Any = torch.backends.cudnn
    matmul: Any = torch.backends.cuda.matmul
    settings: list[tuple[Any, str, Any]]
    settings = [(cudnn, "deterministic", True), (cudnn, "benchmark", False)]
    if hasattr(matmul, "fp32_precision"):  # where it is, the other must not be asked for
        settings += [(of, "fp32_precision", "ieee") for of in (matmul, cudnn.conv)]
    else:
        settings += [(of, "allow_tf32", False) for of in (matmul, cudnn)]
    with _set(*settings) if where.type != "cpu" else nullcontext():
        yield


@contextmanager
def exact(where: torch.device) -> Iterator[None]:
    """For sums of integers, which float64 holds: on a GPU without cuDNN, some of whose ways to
    convolve (Winograd's, Fourier's) go by other numbers, and round."""
    off = (torch.backends.cudnn, "enabled", False)
    with _set(off) if where.type != "cpu" else nullcontext():
        yield


@contextmanager
def _set(*settings: tuple[Any, str, Any]) -> Iterator[None]:
    """With attributes (of what, name, value) set, then as before."""
    before = [(of, name, getattr(of, name)) for of, name, _ in settings]
    try:
        for of, name, value in settings:
            setattr(of, name, value)
        yield
    finally:
        for of, name, value in before:
            setattr(of, name, value)
