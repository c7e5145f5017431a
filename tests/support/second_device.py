"""A second device where there is no GPU: its tensors lie apart from those of the CPU.

Values are worked out on the CPU, by PyTorch, so that results can be compared. An operation on
tensors of both devices is refused, as by CUDA (which has two exceptions: a CPU tensor without
dimensions is taken, and is taken here; CPU indices are taken, and wait for the GPU: not here).
NumPy, data pointers and so the loops in C++ are refused as well. `torch.device("meta")` stands for
it: that is known to every build of PyTorch, and has no values of its own.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _foreach_utils
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

from model import device
from search.supernet import sharing, supernet

SECOND = torch.device("meta")
ACROSS = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}
"""Operations that bring tensors from one device to the other."""


class MixedDevicesError(Exception):
    """An operation has tensors of both devices."""


class Apart(Tensor):
    """A tensor of the second device; `held` has its values, on the CPU."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> Apart:
        made: Apart = Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, device=SECOND,
        )  # fmt: skip
        made.held = held
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        made = self.detach().clone()
        made = torch.nn.Parameter(made) if isinstance(self, torch.nn.Parameter) else made
        memo[id(self)] = made.requires_grad_(self.requires_grad)
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _computed(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Sees what has no tensor of the second device among its arguments, but is to make one."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given: list[Tensor] = []
    inner = tuple(_inside(one, given) for one in args)
    named = {name: _inside(one, given) for name, one in kwargs.items()}
    here = [tuple(one.shape) for one in given if not isinstance(one, Apart) and one.dim()]
    apart = any(isinstance(one, Apart) for one in given)
    if apart and here and func not in ACROSS:
        raise MixedDevicesError(f"{func}: {here} of the CPU beside tensors of the second device")
    wanted = kwargs.get("device")
    if func is torch.ops.aten.copy_.default:
        apart = isinstance(args[0], Apart)
    elif wanted is not None:
        apart = torch.device(wanted) == SECOND
    made = func(*inner, **named if wanted is None else named | {"device": "cpu"})
    if not apart:
        return made
    return return_and_correct_aliasing(func, args, kwargs, _outside(made))


def _inside(value: Any, seen: list[Tensor]) -> Any:
    """`value` with tensors of the CPU, which are entered into `seen` as they were given."""
    if isinstance(value, Tensor):
        seen.append(value)
        return value.held if isinstance(value, Apart) else value
    if isinstance(value, list | tuple):
        return type(value)(_inside(one, seen) for one in value)
    return value


def _outside(value: Any) -> Any:
    if isinstance(value, Tensor):
        return Apart(value)
    if isinstance(value, list | tuple):
        return type(value)(_outside(one) for one in value)
    return value


@contextmanager
def second_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """`--device cuda` is the second device. What is kept by the process is forgotten."""
    fused = _foreach_utils._get_fused_kernels_supported_devices()
    with monkeypatch.context() as patch:
        patch.setattr(
            sys.modules["torch.optim.optimizer"],
            "_get_fused_kernels_supported_devices",
            lambda: [*fused, SECOND.type],
        )
        patch.setattr(device, "gpus", lambda: 1)
        patch.setattr(device, "_gpu", lambda index: SECOND)
        with _Mode(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "for .* copying from a non-meta parameter")  # it does
            yield SECOND
    supernet._skeleton.cache_clear()
    sharing._quantiles.cache_clear()


def without_loops(patch: pytest.MonkeyPatch) -> None:
    """The CPU computes as other devices do, without the loops in C++."""
    for name in ("l1", "norm", "whole"):
        patch.setattr(f"model.{name}.library", lambda name: None)
