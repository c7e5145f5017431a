"""Writes the table in docs/evidence.md of what `make fuzz` tried: `python -m docs.fuzz`.

The counts stand in docs/fuzz.json, which `python -m tests.fuzz --json docs/fuzz.json` writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE, PAGE = HERE / "fuzz.json", HERE / "evidence.md"
BEGIN = "<!-- made by `python -m docs.fuzz` from docs/fuzz.json; change that -->\n\n"
END = "\n<!-- end -->\n"
FAULTS = ("traceback", "lines", "hang", "memory", "died")


def table(made: dict[str, Any]) -> str:
    """The counts as Markdown, by kind and in all."""
    rows = ["| kind of file | inputs | understood | refused in one line | faults | longest, s |"]
    rows.append("|---|---|---|---|---|---|")
    kinds = made["kinds"]
    names = ("inputs", "understood", "refused", *FAULTS)
    total = {name: sum(kind[name] for kind in kinds.values()) for name in names}
    longest = max(kind["longest_seconds"] for kind in kinds.values())
    for name, counts in (*kinds.items(), ("all", total | {"longest_seconds": longest})):
        faults = sum(counts[fault] for fault in FAULTS)
        rows.append(
            f"| {name} | {counts['inputs']:,} | {counts['understood']:,} | {counts['refused']:,} | "
            f"{faults} | {counts['longest_seconds']:.2f} |"
        )
    return "\n".join(rows) + "\n"


def page(text: str, made: dict[str, Any]) -> str:
    """`text` with the table of `made` between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, "a table has an end"
    return before + BEGIN + table(made) + END + after


if __name__ == "__main__":
    lies = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page(lies, json.loads(SOURCE.read_text(encoding="utf-8"))), encoding="utf-8")
