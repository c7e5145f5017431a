"""Documents: what they name is there, and the picture is what its script draws."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.support.paths import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
)
PATH = re.compile(r"(?:shiftadd|search|sim|gen|rtl|model|tests|docs)/[\w/.-]*")
MODULE = re.compile(r"python -m ((?:search|gen|tests)[\w.]*)")
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([\w-]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
KIND = re.compile(r"(?<![a-z])k\.py$")
"""Files of a kind `k`, which stands for any name."""


def anchors(text: str) -> set[str]:
    """What a link may point to, as GitHub makes it of headings."""
    words = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in words}


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_files_named_are_there(document: str) -> None:
    quoted = re.findall(r"`([^`\n]+)`", (ROOT / document).read_text(encoding="utf-8"))
    named = {text for text in quoted if PATH.fullmatch(text)}
    missing = {name for name in named if not (ROOT / name).exists() and not KIND.search(name)}
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_called_are_there(document: str) -> None:
    called = set(MODULE.findall((ROOT / document).read_text(encoding="utf-8")))
    assert {name for name in called if importlib.util.find_spec(name) is None} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target, anchor in LINK.findall(text):
        file = (ROOT / document).parent / target if target else ROOT / document
        assert file.exists(), f"{document}: {target}"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{document}: #{anchor}"


def test_modules_of_today_in_the_changelog_are_there() -> None:
    """The last column of its tables of modules, and the rooms before it."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    section = text.partition("### Modules that moved")[2].partition("### Classes")[0]
    modules: set[str] = set()
    for row in re.findall(r"^\| `.*\|$", section, re.MULTILINE):
        cells = [re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split("|")]
        modules |= set(cells[1]) if len(cells) == 2 else {cells[1][0] + name for name in cells[2]}
    assert len(modules) > 100
    assert {name for name in modules if importlib.util.find_spec(name) is None} == set()


def test_every_target_has_a_line_in_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE)) == set(phony.split())


def test_the_picture_is_what_its_script_draws() -> None:
    script = ROOT / "docs" / "dataflow.py"
    spec = importlib.util.spec_from_file_location("dataflow", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    svg = script.with_suffix(".svg").read_text(encoding="utf-8")
    assert svg == module.picture() + "\n"
