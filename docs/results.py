"""Writes docs/results.md, every figure that was measured: `python -m docs.results`.

The figures and how they were measured stand in docs/results.json: sections of blocks, each a
`text`, `commands`, or a `table` of numbers, whose columns may have a `unit` and `decimals`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE, PAGE = HERE / "results.json", HERE / "results.md"
HEAD = """# Results

<!-- made by `python -m docs.results` from docs/results.json; change that -->
"""
Cell = str | int | float | None


def page(results: dict[str, Any]) -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for section in results["sections"]:
        parts.append(f"## {section['title']}\n")
        parts.extend(_block(block) for block in section["blocks"])
    return "\n".join(parts)


def _block(block: dict[str, Any]) -> str:
    if "text" in block:
        return f"{block['text']}\n"
    if "commands" in block:
        return "".join(f"    {line}\n" for line in block["commands"])
    return "\n".join(_table(**block["table"])) + "\n"


def _table(columns: Sequence[dict[str, Any]], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    yield _row([column["title"] for column in columns])
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield _row([_cell(value, **c) for value, c in zip(row, columns, strict=True)])


def _row(cells: Sequence[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def _cell(value: Cell, *, title: str, unit: str = "", decimals: int | None = None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    digits = f"{value:,}" if decimals is None else f"{value:,.{decimals}f}"
    return digits.replace("-", "−") + (f" {unit}" if unit else "")


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(SOURCE.read_text(encoding="utf-8"))), encoding="utf-8")
