"""`--tools native`: programs from PATH, here stand-ins, which hand on to the tools of pip."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from gen.flow.build import build
from gen.support import native_tools, tools
from gen.support.devices import device
from gen.support.native_tools import chosen
from model.errors import RequestError
from tests.support.verilog import memory

SAYS = {
    "yosys": "Yosys 0.64 (git sha1 0123456)",
    "nextpnr-ice40": '"nextpnr-ice40" -- Next Generation Place and Route (Version nextpnr-0.8-1)',
    "icepack": "",
}


def stand_in(folder: Path, tool: str, says: str, skip: int = 0) -> None:
    """A program that says its version, and does all else as the tool of pip; `skip` arguments."""
    python = shlex.join([sys.executable, "-P", "-c", tools.PROGRAMS[tool]])
    path = folder / tool
    path.write_text(
        f'#!/bin/sh\ncase "$1" in -V|--version) echo {shlex.quote(says)}; exit;; esac\n'
        f'shift {skip}\nexec {python} "$@"\n'
    )
    path.chmod(0o755)


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins that is all of PATH but for the shell's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool, says in SAYS.items():
        stand_in(folder, tool, says, skip=int(tool == "yosys"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_native_tools_build_say_their_versions_and_have_cache_entries_of_their_own(
    on_path: Path, tmp_path: Path
) -> None:
    target, text = device("up5k"), memory(64, 8)
    plain = build(text, "top", target, cache=tmp_path / "cache")
    with chosen("native"):
        native = build(text, "top", target, cache=tmp_path / "cache")
        again = build(text, "top", target, cache=tmp_path / "cache")
    assert not native.cached
    assert again.cached
    assert native.measured == plain.measured
    yosys, nextpnr, icepack = native.tools
    assert yosys == f"native yosys: {SAYS['yosys']}"
    assert nextpnr == f"native nextpnr-ice40: {SAYS['nextpnr-ice40']}"
    assert re.fullmatch("native icepack: sha256 [0-9a-f]{12}", icepack)
    assert not any(tool.startswith("native") for tool in plain.tools)
    assert not native_tools.asked()


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("Yosys 0.9 (git sha1 1)", "yosys 0.9 is too old, 0.40 is needed: put a newer one first"),
        ("who knows", "yosys says no version, but 'who knows': put a newer one first on PATH"),
    ],
)
def test_tool_that_is_too_old_is_refused(on_path: Path, says: str, message: str) -> None:
    stand_in(on_path, "yosys", says)
    with chosen("native"), pytest.raises(tools.MissingToolError, match=re.escape(message)):
        tools.version("yosys")


def test_router_that_is_too_old_is_refused_before_synthesis(on_path: Path, tmp_path: Path) -> None:
    stand_in(on_path, "nextpnr-ice40", "nextpnr-ice40 (Version 0.4-1+b1)")
    with chosen("native"), pytest.raises(tools.MissingToolError) as raised:
        build(memory(64, 8), "top", device("up5k"), cache=tmp_path / "cache")
    assert str(raised.value) == (
        "nextpnr-ice40 0.4 is too old, 0.7 is needed: "
        "put a newer one first on PATH, or leave out --tools native"
    )
    assert not (tmp_path / "cache").exists()


def test_what_keeps_a_tool_from_starting_is_said(on_path: Path) -> None:
    library = "error while loading shared libraries: libboost.so: cannot open shared object file"
    stand_in(on_path, "yosys", f"/a/long/path/of/{'folders/' * 9}yosys: {library}")
    with chosen("native"), pytest.raises(tools.MissingToolError, match=library):
        tools.version("yosys")


def test_tool_that_is_not_there_is_named(on_path: Path) -> None:
    with chosen("native"), pytest.raises(tools.MissingToolError) as raised:
        tools.version("nextpnr-ecp5")
    assert str(raised.value) == (
        "nextpnr-ecp5 is not on PATH: install it, put it first on PATH, or leave out --tools native"
    )


def test_other_program_of_the_same_version_has_another_hash(on_path: Path) -> None:
    with chosen("native"):
        before = tools.version("icepack")
        stand_in(on_path, "icepack", "another")
        assert tools.version("icepack") != before


def test_verilog_is_written_by_the_tools_of_pip(on_path: Path, tmp_path: Path) -> None:
    (tmp_path / "s.ys").write_text("read_verilog top.v\nstat\n")
    (tmp_path / "top.v").write_text("module top; endmodule\n")
    stand_in(on_path, "yosys", "Yosys 0.9")
    with chosen("native"):
        tools.run(
            "yosys", ["s.ys"], step="s", folder=tmp_path, log=tmp_path / "log", timeout=60,
            from_pip=True,
        )  # fmt: skip


def test_other_sources_are_refused() -> None:
    with (
        pytest.raises(RequestError, match="--tools docker: must be pip or native"),
        chosen("docker"),
    ):
        pass
