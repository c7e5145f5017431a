"""Commands of the documents: the fenced blocks of a page, run in order as its reader would.

`sh` blocks are commands and `python` blocks scripts, all in one shell in one folder. A `text` block
behind one is what it prints, `…` standing for anything. `<!-- slow -->` on the line before a block
keeps it, and all that follow, for SHIFTADD_SLOW=1; `<!-- not run: why -->` is for what no test can.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.bench import simulators
from tests.support.paths import ROOT
from tests.support.simulator_runtime import lend_runtime

PAGES = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(
    r"(?:^<!-- (slow|not run: [^>]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
MARK = "---- end of block ----"
TIMEOUT = 1800


@dataclass(frozen=True)
class CommandBlock:
    """Commands, and what they print if the page shows it. slow: marked so, or behind one."""

    text: str
    shown: str | None
    slow: bool


def blocks(page: str) -> list[CommandBlock]:
    """The commands of a page's text that tests run."""
    made: list[CommandBlock] = []
    slow = False
    fences = list(FENCE.finditer(page))
    for i, fence in enumerate(fences):
        note, language, text = fence.groups()
        slow = slow or note == "slow"
        if language not in ("sh", "python") or (note or "").startswith("not run"):
            continue
        after = fences[i + 1] if i + 1 < len(fences) else None
        shown = after[3] if after and after[2] == "text" else None
        command = text if language == "sh" else f"python - <<'END OF BLOCK'\n{text}END OF BLOCK\n"
        made.append(CommandBlock(command, shown, slow))
    return made


def run(commands: Sequence[CommandBlock], folder: Path) -> list[str]:
    """What each block prints on stdout. AssertionError with all output where one fails."""
    programs = folder / ".bin"
    programs.mkdir()
    for name, module in (("python", ""), ("shiftadd", " -m shiftadd")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
        program.chmod(0o755)
    home = folder / "work"
    home.mkdir()
    lend_runtime(home / simulators.BUILD)
    text = "set -eu\n" + "".join(f"{c.text}\necho '{MARK}'\n" for c in commands)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    ended = subprocess.run(
        ["bash", "-c", text],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    outputs = ended.stdout.split(f"{MARK}\n")
    assert ended.returncode == 0, f"{text}\n{ended.stdout}\n{ended.stderr}"
    return outputs[:-1]


def agrees(shown: str, printed: str) -> bool:
    """Whether output is as a page shows it, `…` being anything and white space alike."""
    parts = [re.escape(" ".join(part.split())) for part in shown.split("…")]
    return re.fullmatch(r"\s*.*?\s*".join(parts), " ".join(printed.split()), re.DOTALL) is not None
