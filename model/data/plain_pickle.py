"""Pickles of plain things alone: numbers, texts, lists, dicts and arrays of numbers.

Nothing is unpickled: a few opcodes are interpreted, names of classes and functions are compared
with those by which numpy writes arrays, and none is imported or called.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from model.data.limits import DataError


class _Name(NamedTuple):
    """A global by its name, never looked up."""

    module: str
    name: str


@dataclass(eq=False)
class _Array:
    """An array, or the type of one, until its state is there."""

    kind: str = ""
    state: Any = None


_MARK = object()
_ARRAY_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
_BUFFER_MODULES = ("numpy.core.numeric", "numpy._core.numeric")
_TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "b1")
_PLAIN = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "BYTEARRAY8", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(eq=False)
class _Machine:
    """The stack machine of the pickle format, without what makes objects."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def marked(self) -> list[Any]:
        """What is above the topmost mark, taken off with it."""
        at = max(n for n, item in enumerate(self.stack) if item is _MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def step(self, code: str, value: Any) -> None:
        """One opcode with its argument. Raises DataError, or what a stack raises."""
        stack = self.stack
        if code in _PLAIN:
            stack.append(value)
        elif code in _CONSTANTS:
            stack.append(_CONSTANTS[code])
        elif code in ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"):
            self.memo[len(self.memo) if code == "MEMOIZE" else int(value)] = stack[-1]
        elif code in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[int(value)])
        elif code == "MARK":
            stack.append(_MARK)
        elif code in ("EMPTY_DICT", "EMPTY_LIST"):
            stack.append({} if code == "EMPTY_DICT" else [])
        elif code in _TUPLES:
            count = _TUPLES[code]
            stack[len(stack) - count :] = [tuple(stack[len(stack) - count :])]
        elif code in ("TUPLE", "LIST"):
            stack.append(tuple(self.marked()) if code == "TUPLE" else self.marked())
        elif code in ("APPEND", "APPENDS"):
            items = [stack.pop()] if code == "APPEND" else self.marked()
            _expect(isinstance(stack[-1], list))
            stack[-1].extend(items)
        elif code in ("SETITEM", "SETITEMS", "DICT"):
            items = [stack.pop(), stack.pop()][::-1] if code == "SETITEM" else self.marked()
            if code == "DICT":
                stack.append({})
            _expect(isinstance(stack[-1], dict))
            _expect(all(isinstance(key, str | bytes | int) for key in items[::2]))
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif code == "GLOBAL":
            stack.append(_Name(*str(value).split(" ", 1)))
        elif code == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            _expect(isinstance(name, str) and isinstance(module, str))
            stack.append(_Name(module, name))
        elif code == "REDUCE":
            arguments = stack.pop()
            stack.append(_made(stack.pop(), arguments))
        elif code == "BUILD":
            state = stack.pop()
            _expect(isinstance(stack[-1], _Array))
            stack[-1].state = state
        elif code not in ("PROTO", "FRAME", "STOP", "POP_MARK"):
            raise DataError(f"holds {code}, which no plain array needs")


def _expect(held: bool) -> None:
    """ValueError unless it held; also where Python runs without assertions."""
    if not held:
        raise ValueError


def _made(name: object, arguments: tuple[Any, ...]) -> Any:
    """What a call would make, for the few calls by which arrays and bytes are written."""
    if isinstance(name, _Name):
        if name.module in _ARRAY_MODULES and name.name == "_reconstruct":
            return _Array("array")
        if name == ("numpy", "dtype") and isinstance(arguments[0], str | bytes):
            kind = arguments[0]
            return _Array(kind if isinstance(kind, str) else kind.decode())
        if name == ("_codecs", "encode") and isinstance(arguments[0], str):
            return arguments[0].encode("latin-1")
        if name.name == "_frombuffer" and name.module in _BUFFER_MODULES:
            raw, dtype, shape, order = arguments
            return _Array("array", (1, shape, dtype, order == "F", raw))
        raise DataError(f"holds {name.module}.{name.name}, which no plain array needs")
    raise DataError("holds a call of something that has no name")


def loads(content: bytes) -> Any:
    """The plain thing in a pickle; texts of Python 2 are str. Raises DataError, without a name."""
    machine = _Machine()
    try:
        for code, value in _codes(content):
            machine.step(code, value)
        (thing,) = machine.stack
        return _finished(thing)
    except DataError:
        raise
    except Exception as error:  # a damaged pickle may break any step
        raise DataError(f"is damaged ({type(error).__name__})") from None


def _codes(content: bytes) -> Iterator[tuple[str, Any]]:
    for opcode, value, _ in pickletools.genops(content):
        yield opcode.name, value


def _finished(thing: Any) -> Any:
    """Arrays of a dict or of its lists in place of their states; nothing nested deeper is asked."""
    if isinstance(thing, dict):
        return {key: _array(value) for key, value in thing.items()}
    return _array(thing)


def _array(thing: Any) -> Any:
    if isinstance(thing, _Name):
        raise DataError(f"holds {thing.module}.{thing.name}, which no plain array needs")
    if not isinstance(thing, _Array):
        return thing
    _, shape, dtype, fortran, raw = thing.state
    kind = str(dtype.kind)
    order = dtype.state[1] if dtype.state else "|"
    if kind not in _TYPES or order not in ("|", "<", ">", "="):
        raise DataError(f"holds an array of type {kind}; plain numbers are read")
    raw = raw.encode("latin-1") if isinstance(raw, str) else bytes(raw)
    flat = np.frombuffer(bytearray(raw), np.dtype(f"{order}{kind}"))
    return flat.reshape(shape, order="F" if fortran else "C")
