"""Built-in architectures by name: the demo, the Fashion-MNIST reference and the bench workloads."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from model.arch import (
    WAY_OUT,
    Architecture,
    ArchitectureError,
    Block,
    from_json,
    validate,
    with_kind,
)
from model.kinds import ordered_kinds
from model.records import contents


def _digits_hybrid() -> Architecture:
    """8×8 digits, all three kinds, 3.2 k weights: small enough for a UP5K."""
    return Architecture(
        name="digits_hybrid",
        shape=(8, 8, 1),
        input_bits=5,
        blocks=(
            Block("conv", "mult", 8, weight_bits=6, act_bits=6),
            Block("conv", "add", 12, weight_bits=6, act_bits=6),
            Block("maxpool", kernel=2, stride=2),
            Block("conv", "shift", 16, weight_bits=4, act_bits=6),
            Block("maxpool", kernel=2, stride=2),
            Block("dense", "mult", 10, weight_bits=6, act_bits=10),
        ),
    )


def _fashion_hybrid() -> Architecture:
    """28×28 Fashion-MNIST, all three kinds, 70 k weights at 8 bits or fewer."""
    return Architecture(
        name="fashion_hybrid",
        shape=(28, 28, 1),
        blocks=(
            Block("conv", "mult", 16),
            Block("maxpool", kernel=2, stride=2),
            Block("conv", "add", 32),
            Block("maxpool", kernel=2, stride=2),
            Block("conv", "shift", 64, weight_bits=4),
            Block("conv", "shift", 64, weight_bits=4),
            Block("maxpool", kernel=2, stride=2),
            Block("dense", "mult", 10, act_bits=12),
        ),
    )


def _digits_conv(kind: str) -> Architecture:
    """Bench workload (a): conv 4×3×3, max-pool 2, dense 10; 4-bit weights and activations."""
    return Architecture(
        name=f"digits_conv_{kind}",
        shape=(8, 8, 1),
        input_bits=5,
        blocks=(
            Block("conv", kind, 4, padding="valid", weight_bits=4, act_bits=4),
            Block("maxpool", kernel=2, stride=2),
            Block("dense", "mult", 10, weight_bits=4, act_bits=8),
        ),
    )


def _digits_mlp() -> Architecture:
    """Bench workload (c): MLP 64-16-10, int8."""
    blocks = (Block("dense", "mult", 16), Block("dense", "mult", 10))
    return Architecture(name="digits_mlp", shape=(8, 8, 1), input_bits=5, blocks=blocks)


def _all() -> dict[str, Architecture]:
    hybrids = [_digits_hybrid(), _fashion_hybrid()]
    uniform = [
        replace(with_kind(h, kind), name=h.name.replace("hybrid", kind))
        for h in hybrids
        for kind in ordered_kinds()
    ]
    bench = [_digits_conv(kind) for kind in ordered_kinds()]
    return {arch.name: validate(arch) for arch in (*hybrids, *uniform, *bench, _digits_mlp())}


ARCHITECTURES = _all()


def load(name_or_path: str | os.PathLike[str]) -> Architecture:
    """An Architecture from a JSON file, or one of the built-in ones by name."""
    name = os.fspath(name_or_path)
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if not Path(name).is_file():
        raise ArchitectureError(
            f"{name}: neither a file nor built in; built in are {', '.join(ARCHITECTURES)}"
        )
    return from_json(contents(Path(name), error=ArchitectureError, way_out=WAY_OUT), name)
