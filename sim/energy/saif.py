"""Reads SAIF, the Switching Activity Interchange Format, as Verilator writes it.

A file is nested lists; of one module the nets are read, each with its time at 1 and its toggles.
It is read line by line, as those of a large design have hundreds of thousands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import ShiftaddError

_TOKEN = re.compile(r'"[^"]*"|[()]|(?:\\[()\[\]]|[^\s()"])+')


class SaifError(ShiftaddError, ValueError):
    """A SAIF file cannot be read; the message says why."""


@dataclass(frozen=True)
class NetActivity:
    """high: time at 1. toggles: changes between 0 and 1."""

    high: int
    toggles: int


@dataclass(frozen=True)
class Activity:
    """Nets of one module by name, a bit of a bus as name[3]. duration: in the file's unit of
    time, that of `high` of the nets."""

    duration: int
    nets: dict[str, NetActivity]


def read(path: Path, instance: str) -> Activity:
    """Nets directly in the instance called `instance`, wherever it stands. Raises SaifError."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return parse(lines, instance)
    except SaifError as error:
        raise SaifError(f"{path}: {error}; simulate the netlist again") from None


def parse(lines: Iterable[str], instance: str) -> Activity:
    """As `read`, of the lines of a file."""
    duration, nets, seen = 0, dict[str, NetActivity](), False
    stack: list[list[str]] = []
    counts: dict[str, int] = {}
    for token in _tokens(lines):
        if token == "(":
            stack.append([])
        elif token != ")":
            if stack:
                stack[-1].append(token)
        elif not stack:
            raise SaifError("a parenthesis too many")
        else:
            words = stack.pop()
            if words[:1] == ["DURATION"] and len(words) > 1:
                duration = _number(words[1])
            if _inside(stack) != instance:
                continue
            seen = True
            if len(words) == 2 and words[0] in ("T0", "T1", "TX", "TZ", "TB", "TC", "IG"):
                counts[words[0]] = _number(words[1])
            elif counts and words:
                name = words[0].replace("\\", "")
                nets[name] = NetActivity(counts.get("T1", 0), counts.get("TC", 0))
                counts = {}
    if stack:
        raise SaifError("it ends before its lists do")
    if not seen:
        raise SaifError(f"no instance {instance!r}")
    return Activity(duration, nets)


def _inside(stack: list[list[str]]) -> str | None:
    """The innermost instance of the lists that are open."""
    return next((w[1] for w in reversed(stack) if w[:1] == ["INSTANCE"] and len(w) > 1), None)


def _tokens(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from _TOKEN.findall(line)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SaifError(f"{text!r} where a whole number should be") from None
