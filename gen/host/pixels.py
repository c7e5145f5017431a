"""Images as the bytes of a request. Needs Python alone: see gen.deploy.bundle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gen.host.link_protocol import BoardInfo
from model.errors import RequestError

MOST_AXES = 4
"""Of an image as nested sequences, at most."""


def pack_image(image: Any, info: BoardInfo) -> bytes:
    """An image as bytes; RequestError when its size or a value does not fit the input."""
    values = list(image if isinstance(image, bytes | bytearray) else flat(image))
    if len(values) != info.image_bytes:
        raise RequestError(
            f"image of {len(values)} values: must have {info.height}·{info.width}·"
            f"{info.channels} = {info.image_bytes}"
        )
    low, high = info.input_range
    for value in (min(values), max(values)):
        if not low <= value <= high:
            raise RequestError(f"pixel {value}: must be {low} to {high}")
    return bytes(value & 0xFF for value in values)


def flat(
    image: Any, numbers: type | tuple[type, ...] = int, axes: int = MOST_AXES
) -> Iterator[Any]:
    """Values of an array or of nested sequences. RequestError unless they are `numbers`."""
    if hasattr(image, "tolist"):
        image = image.tolist()
    if isinstance(image, str | bytes) or not hasattr(image, "__iter__") or axes == 0:
        raise RequestError(f"image {shortened(image)}: must be an array of up to {MOST_AXES} axes")
    for part in image:
        if isinstance(part, numbers):
            yield part
        elif hasattr(part, "__iter__") and not isinstance(part, str | bytes):
            yield from flat(part, numbers, axes - 1)
        elif hasattr(part, "tolist") and isinstance(value := part.tolist(), numbers):
            yield value
        else:
            what = "an integer" if numbers is int else "a number"
            raise RequestError(f"pixel {shortened(part)}: must be {what}")


def shortened(value: object) -> str:
    """A value in a message: on one line, and not too long."""
    return ascii(value)[:40]
