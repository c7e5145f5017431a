"""JSON and TOML values, mutated: types, fields, depth, sizes of numbers, names."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Raw:
    """Text that stands in a file as it is, where no value can be written so."""

    text: str


NUMBERS = (
    0, -1, 1, 2, 3, 7, 255, 1000, 65536, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63), 1 << 63,
    1 << 64, 10**30, 0.0, -0.0, 0.5, 1.5, 1e-320, 1e30, 1e99, 1e300, 1e308,
    Raw("1e999"), Raw("-1e999"), Raw("NaN"), Raw("Infinity"), Raw("9" * 5000), Raw("nan"),
)  # fmt: skip
TEXTS = (
    "", "x", "1", "../../../x", "/etc/passwd", "..", "x[/bold]", "[red]", "a\0b", "\ud800",
    "\u202e", "x" * 100_000, "mult", "add", "shift", "dsp", "module", "\n\r\t\x1b[2J", "`x`",
    "$(touch x)",
    "é", "None", "logic", "block", "-x", "%s%n", "{0}", "<script>",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [{}], {"": {}}, [None], [0] * 1000)


def value(rng: random.Random) -> Any:
    """Any value, odd ones above all."""
    pool: Any = rng.choice((NUMBERS, TEXTS, OTHERS))
    return copy.deepcopy(rng.choice(pool))


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value in `tree`."""
    left = [tree]
    while left:
        one = left.pop()
        items = one.items() if isinstance(one, dict) else enumerate(one)
        for key, part in items:
            yield one, key
            if isinstance(part, dict | list):
                left.append(part)


def mutated(tree: Any, rng: random.Random) -> Any:
    """`tree` with one to three changes."""
    whole = {"": copy.deepcopy(tree)}
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        there = list(places(whole))
        if not there:
            break
        holder, key = there[rng.randrange(len(there))]
        if rng.random() < 0.5:
            holder[key] = _alike(holder[key], [one[at] for one, at in there], rng)
        else:
            _change(holder, key, rng, whole)
    return whole.get("")


def _alike(old: Any, others: list[Any], rng: random.Random) -> Any:
    """Another value of the type of `old`, so that it is not the type that is refused."""
    match old:
        case bool():
            return not old
        case int():
            return rng.choice((old + 1, old - 1, -old, 2 * old, old << rng.randrange(50), 0, 1, 64))
        case float():
            return rng.choice((old * 2, -old, old * 1e9, old * 1e-9, 0.0, 1e99, old + 1))
        case str():
            texts = [one for one in others if isinstance(one, str)]
            return rng.choice((rng.choice(texts), rng.choice(texts), rng.choice(TEXTS)))
        case list() if old:
            at = rng.randrange(len(old))
            return rng.choice((
                old[:at] + old[at + 1 :], old[: at + 1] + copy.deepcopy(old[at:]), old[::-1],
                sorted(old, key=lambda one: rng.random()), [old[at]] * len(old),
            ))  # fmt: skip
        case dict() if old:
            values = list(old.values())
            rng.shuffle(values)
            return dict(zip(old, values, strict=True))
    return value(rng)


def _change(holder: Any, key: Any, rng: random.Random, whole: dict[str, Any]) -> None:
    old = holder[key]
    match rng.randrange(10):
        case 0 | 1 | 2:
            holder[key] = value(rng)
        case 3 if isinstance(old, int | float) and not isinstance(old, bool):
            holder[key] = rng.choice(
                (old + 1, old - 1, -old, old * 2, old * 10**9, float(old), str(old))
            )
        case 4:
            del holder[key]
        case 5 if isinstance(old, dict):
            old[rng.choice(TEXTS[1:])] = value(rng)
        case 5 if isinstance(old, list):
            old.insert(rng.randint(0, len(old)), copy.deepcopy(rng.choice(old)) if old else 0)
        case 6:
            holder[key] = Deep(rng.choice((20, 40, 500, 5000, 100_000)), rng.choice("[{"))
        case 7 if isinstance(holder, dict):
            holder[Twice(str(key))] = value(rng)
        case 8:
            others = [place[key] for place, key in places(whole)]
            holder[key] = copy.deepcopy(others[rng.randrange(len(others))])
        case 9 if isinstance(old, list) and old:
            holder[key] = old * rng.choice((2, 100, 1000)) if len(old) < 1000 else old[:1]
        case _:
            holder[key] = value(rng)


@dataclass(frozen=True)
class Deep:
    """Brackets in brackets."""

    depth: int
    bracket: str


class Twice(str):
    """A key that stands a second time in an object."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(("twice", str(self)))

    def __eq__(self, other: object) -> bool:
        return self is other


def to_json(tree: Any) -> str:
    """As JSON, or what looks like it."""
    match tree:
        case Raw():
            return tree.text
        case Deep(depth, "["):
            return "[" * depth + "]" * depth
        case Deep(depth):
            return '{"a":' * depth + "0" + "}" * depth
        case dict():
            return (
                "{"
                + ", ".join(f"{json.dumps(str(k))}: {to_json(v)}" for k, v in tree.items())
                + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(map(to_json, tree)) + "]"
    return json.dumps(tree)


def to_toml(tree: Any, top: bool = True) -> str:
    """As TOML, or what looks like it: everything below the first level in its line."""
    match tree:
        case dict() if top:
            return "\n".join(f"{_key(k)} = {to_toml(v, False)}" for k, v in tree.items()) + "\n"
        case dict():
            return (
                "{" + ", ".join(f"{_key(k)} = {to_toml(v, False)}" for k, v in tree.items()) + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(to_toml(v, False) for v in tree) + "]"
        case Deep(depth, "{"):
            return "{" + ".".join(["a"] * depth) + " = 0}"
        case None:
            return "1979-05-27T07:32:00Z"
    return to_json(tree)


def _key(key: Any) -> str:
    text = str(key)
    return text if text.isidentifier() and text.isascii() else json.dumps(text)
