"""Writes docs/api.md from the docstrings of the package: `python -m docs.api`.

What `shiftadd` exports, sorted into functions, results, what functions take, and errors.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shiftadd

PAGE = Path(__file__).with_name("api.md")
HEAD = """# Python API

<!-- made by `python -m docs.api` from docstrings; change those -->

Every verb of the command line is a function of the same name and arguments:

```python
import shiftadd

print(len(shiftadd.boards().boards) > 10)
```

```text
True
```

The [notebooks](../examples/) show them at work.
"""
COMMAND_LINE = "main"
"""Is no part of the API."""


def page() -> str:
    names = [name for name in shiftadd.__all__ if name != COMMAND_LINE]
    things = {name: getattr(shiftadd, name) for name in names}
    functions = {n: t for n, t in things.items() if inspect.isfunction(t)}
    classes = {n: t for n, t in things.items() if inspect.isclass(t)}
    errors = {n: t for n, t in classes.items() if issubclass(t, Exception)}
    results = {n: t for n, t in classes.items() if n.endswith("Outcome")}
    rest = {n: t for n, t in classes.items() if n not in errors | results}
    parts = [HEAD]
    for title, group in (
        ("Functions", functions), ("Results", results), ("What they take", rest),
        ("Errors", errors),
    ):  # fmt: skip
        parts.append(f"## {title}\n")
        for name, thing in group.items():
            parts.extend(entry(name, thing))
    return "\n".join(parts)


def entry(name: str, thing: Any) -> Iterator[str]:
    """A heading, the signature, the docstring; of a class its public properties and methods."""
    yield f"### {name}\n"
    if inspect.isfunction(thing):
        yield f"```text\n{signature(name, thing)}\n```\n"
    elif fields := getattr(thing, "__dataclass_fields__", None):
        parts = [f"{field.name}: {shown(field.type)}" for field in fields.values()]
        yield f"```text\n{call(name, parts)}\n```\n"
    yield f"{told(thing)}\n"
    if inspect.isclass(thing):
        rows = list(members(thing))
        if rows:
            yield "| | |\n|---|---|\n" + "\n".join(rows) + "\n"


def signature(name: str, function: Any) -> str:
    described = inspect.signature(function)
    parts, starred = [], False
    for parameter in described.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {shown(parameter.annotation)}{default}")
    returns = described.return_annotation
    return call(name, parts) + ("" if returns is described.empty else f" -> {shown(returns)}")


def call(name: str, parts: list[str]) -> str:
    """One line, or a line for each part where that is long."""
    line = f"{name}({', '.join(parts)})"
    return line if len(line) < 80 else f"{name}(\n" + "".join(f"    {p},\n" for p in parts) + ")"


def shown(annotation: Any) -> str:
    text = (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", str(annotation))
    )
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text).replace("'", "")


def told(thing: Any) -> str:
    """The docstring as paragraphs of Markdown, with nothing taken for HTML; examples are code."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(
        f"```pycon\n{one}\n```" if one.startswith(">>>") else one.replace("<", "&lt;")
        for one in paragraphs
    )


def members(thing: type) -> Iterator[str]:
    for name, member in sorted(vars(thing).items()):
        if name.startswith("_") or not (isinstance(member, property) or inspect.isfunction(member)):
            continue
        text = " ".join(told(member).split()).replace("|", "\\|")
        if text:
            yield f"| `{name}{'' if isinstance(member, property) else '()'}` | {text} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
