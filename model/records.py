"""Files that someone else may have written, read: JSON and TOML into frozen dataclasses.

What a file says is either a value of the form that is asked for, every field of it of its declared
type and range, or one line: the file, the place in it (`$.blocks[2].kernel`), the rule, the way
out. Nothing is taken for something else: no field is skipped, no text becomes a number. Bounded
before it is parsed or worked with: what is opened, the size of a file, how deep it is nested, how
large a number is.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn, TypeVar

import msgspec

from model.errors import ShiftaddError

T = TypeVar("T")
DEEPEST = 32
LARGEST_FILE, LARGEST_TOML = 1 << 22, 1 << 14
"""Bytes. Reading TOML takes time and memory that grow with the square of a long dotted key."""
LARGEST_INTEGER, LARGEST_REAL = (1 << 63) - 1, 1e100
"""Of either sign. No figure of ours is near it, and products of a few such stay finite."""
WAY_OUT = "restore the file or make it again"

Whole = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)] | Annotated[float, msgspec.Meta(ge=0)]
"""A number that is not negative; an integer stays one."""
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
"""SHA-256, in hexadecimal."""


class FileHead(NamedTuple):
    """What a file calls itself: its first fields, `format` and `version`."""

    format: str
    version: int


def read(
    path: Path, form: type[T], *, error: type[ShiftaddError], head: FileHead | None = None,
    way_out: str = WAY_OUT,
) -> T:  # fmt: skip
    """What the JSON file at `path` says (TOML where its name ends so), as `form`."""
    toml = path.suffix == ".toml"
    most = LARGEST_TOML if toml else LARGEST_FILE
    content = contents(path, error=error, most=most, way_out=way_out)
    return decode(
        content, form, source=str(path), error=error, head=head, way_out=way_out, toml=toml
    )


def decode(
    content: bytes | str, form: type[T], *, source: str, error: type[ShiftaddError],
    head: FileHead | None = None, way_out: str = WAY_OUT, toml: bool = False,
) -> T:  # fmt: skip
    """`content` as a value of `form`: a dataclass, or any type that msgspec knows.

    head: format and version that an object must begin with; they are no fields of `form`.
    Raises `error` in one line, with `source` in front and `way_out` at the end.
    """
    fault = partial(_fail, source=source, error=error, way_out=way_out)
    plain = _parsed(content, fault, toml)
    if head:
        plain = _behind(head, plain, source, error, way_out)
    return _formed(plain, form, fault)


def convert(
    plain: Any, form: type[T], *, source: str, error: type[ShiftaddError], way_out: str = WAY_OUT,
    beside: tuple[type, ...] = (),
) -> T:  # fmt: skip
    """Lists, dicts, texts and numbers that something else has parsed, as `form`, by `decode`'s
    rules. beside: other types that may stand among them, for which `form` has a place."""
    fault = partial(_fail, source=source, error=error, way_out=way_out)
    _hold(plain, fault, beside)
    return _formed(plain, form, fault)


def contents(
    path: Path, *, error: type[ShiftaddError], most: int = LARGEST_FILE, way_out: str = WAY_OUT
) -> bytes:
    """The bytes of a regular file of at most `most` bytes; nothing else is opened to be read."""
    try:
        # Non-blocking: a FIFO without a writer would keep us for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise error(f"{path}: is no regular file; {way_out}")
            content = file.read(min(about.st_size, most) + 1)  # no more is taken for it
    except (OSError, ValueError) as reason:  # ValueError: a NUL in the name
        words = getattr(reason, "strerror", None) or str(reason)
        raise error(f"{path}: cannot be read ({words}); {way_out}") from None
    if len(content) > most:
        raise error(f"{path}: larger than {most} bytes, the most that is read; {way_out}")
    return content


Fault = Callable[[str], NoReturn]


def _fail(what: str, *, source: str, error: type[ShiftaddError], way_out: str) -> NoReturn:
    raise error(f"{source}: {what}; {way_out}") from None


def brief(value: object) -> str:
    """A value of a file as one short text for a message."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _parsed(content: bytes | str, fault: Fault, toml: bool) -> Any:
    """Lists, dicts, texts and numbers; `fault` where the syntax is broken or a bound passed."""
    try:
        text = content.decode() if isinstance(content, bytes) else content
        plain = tomllib.loads(text) if toml else json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        fault(f"nested deeper than {DEEPEST}, the deepest that is read")
    except (ValueError, OverflowError) as reason:
        fault(f"not {'TOML' if toml else 'JSON'} ({' '.join(str(reason).split())[:120]})")
    _hold(plain, fault)
    return plain


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"{brief(twice)} stands twice in one object")
    return made


def _hold(plain: Any, fault: Fault, beside: tuple[type, ...] = ()) -> None:
    """Refuses what is nested too deep, numbers that are too large or none, unfit texts, and values
    of other types.

    Not by recursion: what is deep must not end it.
    """
    below = [_entries([plain])]
    steps: list[Any] = []
    while below:
        for step, value in below[-1]:
            if isinstance(value, list | tuple | dict):
                if len(below) > DEEPEST:
                    fault(f"nested deeper than {DEEPEST}, the deepest that is read")
                below.append(_entries(value))
                steps.append(step)
                break
            for one in (step, value):
                if not isinstance(one, beside) and (rule := _broken(one)):
                    fault(f"{_place(steps, step)}: {rule}")
        else:
            below.pop()
            steps = steps[:-1]


def _entries(value: list[Any] | tuple[Any, ...] | dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    return iter(value.items() if isinstance(value, dict) else enumerate(value))


def _place(steps: list[Any], last: Any) -> str:
    """Of a value in the way that msgspec writes it; the first step leads to the whole."""
    names = [brief(step).strip("'\"") if isinstance(step, str) else step for step in (*steps, last)]
    return "$" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in names[1:])


def _broken(value: Any) -> str:
    """The rule that one text or number breaks, or nothing."""
    if isinstance(value, str):
        # Half of a surrogate pair: JSON can spell it, and no file or terminal can be given it.
        bad = not value.isprintable() and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)
        return f"{brief(value)} holds NUL or half a character" if bad else ""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return "an integer beyond 64 bits"
    if isinstance(value, float) and not abs(value) <= LARGEST_REAL:
        return f"{value!r} must be a number up to {LARGEST_REAL:g}"
    known = value is None or isinstance(value, str | int | float)
    return "" if known else f"a {type(value).__name__} must be a text or a number"


def _behind(
    head: FileHead, plain: Any, source: str, error: type[ShiftaddError], way_out: str
) -> dict[str, Any]:
    """The object `plain` without its head, which is checked."""
    if not isinstance(plain, dict) or plain.get("format") != head.format:
        raise error(f"{source}: not of format {head.format!r}; {way_out}")
    version = plain.get("version")
    if type(version) is not int or version != head.version:
        newer = type(version) is int and version > head.version
        raise error(
            f"{source}: format version {brief(version)} is not {head.version}, the one known here; "
            f"{'update shiftadd' if newer else way_out}"
        )
    return {key: part for key, part in plain.items() if key not in head._fields}


def _formed(plain: Any, form: type[T], fault: Fault) -> T:
    try:
        made = msgspec.convert(plain, form, strict=True)
    except msgspec.ValidationError as reason:
        what, _, place = str(reason).partition(" - at ")
        place = place.strip("`") or "$"
        fault(f"{place}: {what.replace('`', '')[:160]}{_value_at(plain, place)}")
    _refuse_unknown(plain, made, "$", fault)
    return made


def _value_at(plain: Any, place: str) -> str:
    """The value at msgspec's `place`, in brackets; nothing where it cannot be told or is large."""
    value = plain
    try:
        for step in place[1:].replace("[", ".[").split(".")[1:]:
            value = value[int(step[1:-1])] if step.startswith("[") else value[step]
    except (LookupError, ValueError, TypeError):
        return ""
    return "" if isinstance(value, list | dict) else f" ({brief(value)})"


def _refuse_unknown(plain: Any, made: Any, place: str, fault: Fault) -> None:
    """msgspec passes over fields that a dataclass does not have; here nothing is passed over."""
    if is_dataclass(made):
        names = [field.name for field in fields(made)]
        if unknown := sorted(set(plain) - set(names)):
            fault(f"{place}: unknown field {brief(unknown[0])}; known are {', '.join(names)}")
        for name in plain:
            _refuse_unknown(plain[name], getattr(made, name), f"{place}.{name}", fault)
    elif isinstance(made, list | tuple) and isinstance(plain, list | tuple):
        for i, (raw, part) in enumerate(zip(plain, made, strict=True)):
            _refuse_unknown(raw, part, f"{place}[{i}]", fault)
    elif isinstance(made, Mapping) and made.keys() == plain.keys():
        for key in plain:
            _refuse_unknown(plain[key], made[key], f"{place}.{key}", fault)
