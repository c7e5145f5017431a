"""What the Verilog says of itself, and that what it says is so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gen.compile import compile, planned
from gen.engine import header
from gen.engine.assemble import Assembly, assemble
from gen.engine.core_options import CoreOptions
from gen.engine.elaborate import Accelerator, Top, answers, elaborate
from gen.engine.module_name import KEYWORDS, TOP, checked
from gen.flow.build import Build, MeasuredCost
from gen.plan.lower import lower
from gen.planner.planner import plan
from gen.support.devices import Device, device
from gen.support.verilog import verilog
from model import golden
from model.errors import RequestError
from model.spec import Network
from sim.verify.network import simulate
from tests.support.axis_core import Core, run
from tests.support.networks import pixels, residual_network


@pytest.fixture(scope="module")
def made() -> tuple[Network, Accelerator, Assembly]:
    network = residual_network()
    chosen = plan(network, device("up5k"), fps=2000)
    folds = {s.name: s.fold for s in chosen.stages}
    return network, elaborate(network, chosen), assemble(lower(network), folds, chosen.fifos)


def test_header_lists_the_ports_of_the_module(made: tuple[Network, Accelerator, Assembly]) -> None:
    _, accelerator, _ = made
    module = accelerator.verilog.partition(f"module {TOP}(")[2].partition("endmodule")[0]
    drawn = {
        name: (way, int(high or 0) + 1)
        for way, high, name in re.findall(
            r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", module, re.MULTILINE
        )
    }
    assert {name: (way, bits) for name, way, bits, _ in CoreOptions().ports} == drawn
    for name, way, bits, _ in CoreOptions().ports:
        assert re.search(rf"^//   {way} +{name} +{bits} ", accelerator.header, re.MULTILINE)


def test_header_says_what_it_is_of_and_how_long_it_takes(
    made: tuple[Network, Accelerator, Assembly],
) -> None:
    network, accelerator, _ = made
    assert f"shiftadd {header.version()}: module {TOP}" in accelerator.header
    assert accelerator.network_hash in accelerator.header
    assert accelerator.plan_hash in accelerator.header
    assert f"{accelerator.cycles_latency} cycles" in accelerator.header
    text = " ".join(accelerator.header.replace("//", "").split())
    assert "7 rows of 6 pixels of 2 channels: 84 bytes" in text
    assert "0 to 63, bits 7 to 6 are ignored" in text
    classes = len(network.classes) or 3
    size = (accelerator.bytes_out - 1) // classes
    assert (
        f"{accelerator.bytes_out} bytes: the scores of classes 0 to {classes - 1}, {size}" in text
    )


def test_header_is_of_comments_and_no_part_of_what_is_built(
    made: tuple[Network, Accelerator, Assembly],
) -> None:
    _, accelerator, _ = made
    lines = accelerator.header.splitlines()
    assert all(line.startswith("//") for line in lines[:-1])
    assert max(map(len, lines)) <= 100
    assert header.without(accelerator.header + accelerator.verilog) == accelerator.verilog
    assert header.without(accelerator.verilog) == accelerator.verilog


def test_name_of_a_network_cannot_leave_the_comment() -> None:
    network = residual_network()
    named = replace(network, about={"name": 'x\nmodule y;\r initial $system("z"); */'})
    accelerator = elaborate(named, plan(named, device("up5k"), fps=2000))
    assert "x_module y__ initial _system__" in accelerator.header
    assert all(line.startswith("//") for line in accelerator.header.split("\n")[:-2])


def test_reset_for_one_cycle_forgets_half_an_image(
    made: tuple[Network, Accelerator, Assembly],
) -> None:
    network, accelerator, assembly = made
    image = pixels(1)
    scores = golden.run(network, torch.as_tensor(image))[network.nodes[-1].name].flatten(1).numpy()
    right = answers(scores, accelerator.bytes_out)[0].tolist()
    sent = (np.asarray(image)[0].reshape(-1) & 0xFF).tolist()
    # bits beyond the input's are ignored, and so is tlast
    noisy = [int(value) | 0xC0 for value in sent]
    got: list[tuple[int, int]] = []

    async def scenario(core: Core) -> None:
        await core.offer(noisy[: len(noisy) // 2], last=1)
        core.set(rst=1)
        await core.step()
        core.set(rst=0)
        await core.offer(noisy, last=1)
        while not (held := await core.step())["m_axis_tvalid"]:
            pass
        for _ in range(50):
            assert await core.step() == held, "valid does not wait for ready; all stays"
        core.set(m_axis_tready=1)
        while len(got) < accelerator.bytes_out:
            now = await core.step()
            if now["m_axis_tvalid"]:
                got.append((now["m_axis_tdata"], now["m_axis_tlast"]))

    run(assembly, scenario)
    assert [byte for byte, _ in got] == right
    assert [last for _, last in got] == [0] * (len(right) - 1) + [1]


def bare(text: str) -> str:
    """Verilog without its notes."""
    return re.sub(r"^//.*\n", "", text, flags=re.MULTILINE)


def test_module_name_is_chosen_and_all_modules_inside_follow(
    made: tuple[Network, Accelerator, Assembly], tmp_path: Path, quick_simulator: str
) -> None:
    network, accelerator, assembly = made
    named = elaborate(network, plan(network, device("up5k"), fps=2000), top="my_core")
    assert named.top == "my_core"
    assert bare(named.verilog) == verilog(Top(assembly), "my_core")
    assert TOP not in named.verilog
    modules = re.findall(r"^module (\S+?)\(", named.verilog, re.MULTILINE)
    assert all(name.lstrip("\\").startswith("my_core") for name in modules)
    assert not {*modules} & {*re.findall(r"^module (\S+?)\(", accelerator.verilog, re.MULTILINE)}
    assert simulate(network, named, pixels(2), simulator=quick_simulator).ok


def no_build(verilog: str, top: str, target: Device, **rest: Any) -> Build:
    """Stands for gen.flow.build.build."""
    return Build(target, top, MeasuredCost(1, 1, 0, 0, 0, 50.0, 40.0, 1), {}, {}, {}, False, ())


def test_compile_delivers_header_and_name_and_finds_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen.compile.build", no_build)
    network = residual_network()
    report, accelerator = compile(network, board="up5k", out=tmp_path, top="my_core", fps=2000)
    text = (tmp_path / "my_core.v").read_text()
    assert text == accelerator.header + accelerator.verilog
    assert report.files["verilog"].endswith("my_core.v")
    _, again = planned(network, board="up5k", folder=tmp_path)
    assert again == accelerator
    monkeypatch.setattr(header, "version", lambda: "9.9")
    assert planned(network, board="up5k", folder=tmp_path)[1].verilog == accelerator.verilog


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "must be letters, digits"),
        ("1core", "must be letters, digits"),
        ("my core", "must be letters, digits"),
        ("kern\u00e9l", "must be letters, digits"),
        ("x;initial$system", "must be letters, digits"),
        ("x" * 65, "at most 64"),
        ("endmodule", "is a word of Verilog or SystemVerilog"),
        ("logic", "is a word of Verilog or SystemVerilog"),
        ("SB_LUT4", "must have a small letter"),
        ("bench", "is kept for modules of shiftadd"),
        ("shiftadd_board", "is kept for modules of shiftadd"),
    ],
)
def test_names_that_verilog_cannot_have_are_refused(name: str, rule: str) -> None:
    with pytest.raises(RequestError, match=rule) as error:
        checked(name)
    assert str(error.value).startswith("--top '")
    assert "\n" not in str(error.value)


def test_words_of_systemverilog_are_known() -> None:
    assert len(KEYWORDS) == 248
    assert checked("my_core") == "my_core"
