"""Modules of an RTLIL text: equal ones merged, and named after their places in the design."""

from __future__ import annotations

import re
from collections import defaultdict

from gen.support.module_library import SHARED

_MODULE = re.compile(r"^(?:attribute [^\n]*\n)*module \\(\S+)\n.*?^end\n", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"^  cell \\(\S+) \\(\S+)$", re.MULTILINE)

Modules = dict[str, str]
"""Texts by name, the top module first."""


def split(text: str) -> Modules:
    """Modules of an RTLIL text."""
    return {module[1]: module[0] for module in _MODULE.finditer(text)}


def merged(modules: Modules) -> Modules:
    """One module of each content, the first of its name, deepest ones first merged."""
    while True:
        first: dict[str, str] = {}
        same: dict[str, str] = {}
        for name, text in modules.items():
            body = text.replace(f"module \\{name}\n", "", 1)
            same[name] = first.setdefault(body, name)
        if len(first) == len(modules):
            return modules
        modules = {
            name: _instances(text, same) for name, text in modules.items() if same[name] == name
        }


def users(modules: Modules) -> dict[str, list[tuple[str, str]]]:
    """Of each module, the instances: module that they are in, and name, in the order of the text.

    Cells that are no modules, such as those of a vendor, are left out.
    """
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, text in modules.items():
        for cell in _CELL.finditer(text):
            if cell[1] in modules:
                places[cell[1]].append((name, cell[2]))
    return places


def paths(modules: Modules) -> dict[str, tuple[str, ...]]:
    """Of each module, the names of the instances that lead to its first one from the top.

    Inside the blocks of the top module, the number of an instance that is one of many of its module
    is left out.
    """
    instances = users(modules)
    top = next(iter(modules))
    known: dict[str, tuple[str, ...]] = {top: ()}

    def path(name: str) -> tuple[str, ...]:
        if name not in known:
            parent, instance = instances[name][0]
            alike = sum(user == parent for user, _ in instances[name]) > 1
            numbered = parent != top and (alike or name.startswith(SHARED))
            own = instance.rstrip("0123456789_") if numbered else ""
            known[name] = (*path(parent), own or instance)
        return known[name]

    return {name: path(name) for name in modules}


def plain(places: dict[str, tuple[str, ...]], top: str) -> dict[str, str]:
    """A name for each module, of letters, digits and _: `top`, two of these, and where it is."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for module, place in places.items():
        inner = re.sub(r"\W", "_", "_".join(place), flags=re.ASCII)
        name = wanted = f"{top}__{inner}" if place else top
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        names[module] = name
    return names


def renamed(modules: Modules, names: dict[str, str]) -> str:
    """The text of all modules under other names."""
    texts = []
    for name, text in modules.items():
        text = text.replace(f"module \\{name}\n", f"module \\{names[name]}\n", 1)
        texts.append(_instances(text, names))
    return "\n".join(texts)


def _instances(text: str, names: dict[str, str]) -> str:
    """`text` with instances of modules under other names."""
    return _CELL.sub(lambda cell: f"  cell \\{names.get(cell[1], cell[1])} \\{cell[2]}", text)
