"""The L1 layer in C++ gives what PyTorch gives; without a compiler PyTorch does."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model import l1, native, ops_add, whole
from model.ops_add import OPS

Case = tuple[int, int, tuple[int, int], int, int, int, int, bool]
CASES: list[Case] = [  # images, inputs, size, outputs, kernel, stride, padding, depthwise
    (3, 16, (14, 14), 32, 3, 1, 1, False),
    (2, 64, (7, 7), 64, 3, 1, 1, False),
    (2, 5, (9, 7), 10, 3, 2, 1, False),
    (4, 3, (8, 6), 17, 5, 1, 0, False),
    (5, 1, (6, 6), 49, 3, 1, 1, False),
    (2, 16, (7, 7), 33, 1, 2, 0, False),
    (6, 30, (1, 1), 11, 1, 1, 0, False),
    (1, 40, (3, 3), 1, 3, 1, 0, False),
    (2, 20, (6, 6), 20, 3, 1, 1, True),
    (5, 7, (5, 4), 7, 3, 2, 1, True),
    (3, 33, (4, 4), 33, 5, 1, 2, True),
    (0, 3, (5, 5), 4, 3, 1, 1, False),
    (0, 3, (5, 5), 3, 3, 1, 1, True),
]


@pytest.fixture
def compiled() -> None:
    if native.library("l1") is None:
        pytest.skip("the L1 layer in C++: needs g++; apt-get install g++")


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    native.library.cache_clear()
    native._tell.cache_clear()
    yield tmp_path / "cache" / "shiftadd"
    native.library.cache_clear()


def operands(case: Case, whole: bool) -> tuple[Tensor, Tensor]:
    """x and w: reals, or multiples of 1/64, of which every sum is exact."""
    n, c, (height, width), o, k, _, _, depthwise = case
    torch.manual_seed(n + c)
    x, w = torch.randn(n, c, height, width), torch.randn(o, 1 if depthwise else c, k, k)
    if whole:
        x, w = (torch.round(64 * t) / 64 for t in (x, w))
    return x.requires_grad_(), w.requires_grad_()


def in_pytorch(x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
    return ops_add._over_windows(ops_add._apply, x, w, stride, pad, depthwise)


def all_of(y: Tensor, x: Tensor, w: Tensor, g: Tensor) -> tuple[Tensor, ...]:
    return y.detach(), *torch.autograd.grad(y, (x, w), g)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("whole", [True, False], ids=["exact", "reals"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_sums_and_gradients_are_those_of_pytorch(case: Case, whole: bool) -> None:
    x, w = operands(case, whole)
    how = case[5:]
    theirs = in_pytorch(x, w, *how)
    g = torch.randn_like(theirs)
    if whole:
        g = torch.round(8 * g)
    ours = l1.sums(x, w, *how)
    for mine, want in zip(all_of(ours, x, w, g), all_of(theirs, x, w, g), strict=True):
        assert mine.shape == want.shape
        if whole:
            assert torch.equal(mine, want)
        else:
            torch.testing.assert_close(mine, want, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("compiled")
def test_any_order_in_memory_will_do() -> None:
    case = CASES[0]
    x, w = operands(case, True)
    spread = torch.zeros(3, 16, 14, 28)[..., ::2].copy_(x.detach()).requires_grad_()
    turned = w.detach().transpose(2, 3).contiguous().transpose(2, 3).requires_grad_()
    want, got = l1.sums(x, w, 1, 1, False), l1.sums(spread, turned, 1, 1, False)
    g = torch.round(8 * torch.randn(3, 32, 14, 28))[..., ::2]
    pairs = zip(all_of(got, spread, turned, g), all_of(want, x, w, g.contiguous()), strict=True)
    assert all(torch.equal(mine, other) for mine, other in pairs)


@pytest.mark.usefixtures("compiled")
def test_threads_divide_the_images_and_a_number_of_them_gives_one_result() -> None:
    x, w = operands(CASES[0], False)
    g = torch.randn(3, 32, 14, 14)
    before = torch.get_num_threads()
    rows = []
    try:
        for count in (1, 2, 2, 5):
            torch.set_num_threads(count)
            rows.append(all_of(l1.sums(x, w, 1, 1, False), x, w, g))
    finally:
        torch.set_num_threads(before)
    one, two, again, more = rows
    assert all(map(torch.equal, two, again))
    assert not torch.equal(two[2], one[2])  # the number counts, and so it is part of a recipe
    for other in (two, more):
        assert torch.equal(other[0], one[0])
        assert torch.equal(other[1], one[1])
        torch.testing.assert_close(other[2], one[2], rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("compiled")
def test_the_gradient_of_images_that_nobody_wants_is_not_worked_out() -> None:
    x, w = operands(CASES[0], True)
    g = torch.ones(3, 32, 14, 14)
    want = all_of(l1.sums(x, w, 1, 1, False), x, w, g)[2]
    (got,) = torch.autograd.grad(l1.sums(x.detach(), w, 1, 1, False), (w,), g)
    assert torch.equal(got, want)


def test_what_is_not_float32_is_left_to_pytorch() -> None:
    x, w = (t.detach().double() for t in operands(CASES[0], True))
    assert not l1.takes(x, w)
    assert torch.equal(OPS.integer(x, w, 1, 1, False), in_pytorch(x, w, 1, 1, False))


def test_without_a_compiler_one_line_says_so_and_pytorch_computes(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(whole, "LEAST", 0)
    x, w = operands(CASES[0], True)
    with caplog.at_level(logging.INFO, "shiftadd.native"):
        got = [OPS.trainable(x, w, 1, 1, False) for _ in range(2)]
    assert torch.equal(got[1], in_pytorch(x, w, 1, 1, False))
    assert whole.product(x, w, 1, 1) is None
    want = "slower, in PyTorch alone: needs g++; apt-get install g++"
    assert [record.getMessage() for record in caplog.records] == [want]
    assert not fresh.exists()


@pytest.mark.usefixtures("compiled")
def test_a_compiler_that_fails_is_quoted_in_one_line(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(native, "FLAGS", (*native.FLAGS, "-DLANES=no such thing"))
    assert native.library("l1") is None
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith("slower, in PyTorch alone: g++ cannot compile l1.cpp: ")
    assert "error" in line
    assert not list(fresh.iterdir())


@pytest.mark.usefixtures("compiled")
def test_a_library_that_was_cut_short_is_built_again(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, built = native.HERE / "l1.cpp", list[Path]()

    def compiled(_compiler: str, _source: Path, product: Path) -> None:
        built.append(product)
        product.write_bytes(bytes(5000))

    monkeypatch.setattr(native, "_compile", compiled)
    path = native._built(source)
    content = path.read_bytes()
    lengths = (0, 20, 4096, 5000, len(content) - 1)
    for length in lengths:
        path.write_bytes(content[:length])
        assert native._built(source) == path
        assert path.read_bytes() == content
    assert native._built(source) == path  # whole: it is not built again
    assert len(built) == 1 + len(lengths)
    assert list(fresh.iterdir()) == [path]


@pytest.mark.usefixtures("compiled")
def test_a_folder_that_others_can_write_is_not_trusted(
    fresh: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fresh.mkdir(parents=True)
    fresh.chmod(0o777)
    assert native.library("l1") is None
    assert f"{fresh} can be written by others" in caplog.text


def built(start: object, results: object) -> None:
    """In another process: waits for the others, then builds and computes."""
    start.wait()  # type: ignore[attr-defined]
    x, w = operands(CASES[0], True)
    results.put((l1.takes(x, w), l1.sums(x, w, 1, 1, False).tolist()))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("compiled")
def test_two_processes_that_build_at_the_same_time_both_compute(fresh: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(2), spawn.Queue()
    pair = [spawn.Process(target=built, args=(start, results), daemon=True) for _ in "ab"]
    for process in pair:
        process.start()
    got = [results.get(timeout=120) for _ in pair]
    for process in pair:
        process.join()
    x, w = operands(CASES[0], True)
    assert got == [(True, in_pytorch(x, w, 1, 1, False).tolist())] * 2
    kept = sorted(path.name.partition("-")[0] for path in fresh.iterdir())
    assert kept == ["l1", "whole"]
