"""Image files by Pillow: each stays what it is, grey or colour, in its full depth."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.data.limits import MAX_PIXELS, DataError, check_bytes
from model.data.raw import shown

FORMATS = ("PNG", "BMP", "GIF", "JPEG", "PPM", "TIFF", "WEBP")
"""All that is tried, whatever a file is called: Pillow starts other programs for some others."""
SUFFIXES = (
    ".png", ".bmp", ".gif", ".jpg", ".jpeg", ".pgm", ".ppm", ".pbm", ".pnm", ".tif", ".tiff",
    ".webp",
)  # fmt: skip
DEEP = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
_SAID = {
    "1": "black and white", "P": "with a palette", "PA": "with a palette", "CMYK": "CMYK",
    "YCbCr": "YCbCr", "LAB": "LAB", "HSV": "HSV",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Picture:
    """pixels (H, W, 1 or 3) in the file's own depth; alpha (H, W, 1) uint8 where not opaque.

    high: the largest value that the file's form can hold; None: it does not say. note: what was
    done to it.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    high: int | None = 255
    note: str = ""


def picture(content: bytes, what: object) -> Picture:
    """The one image of a file's content. Raises DataError naming `what`."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, and of sizes checked below
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                width, height = image.size
                if not 0 < width * height <= MAX_PIXELS:
                    raise DataError(
                        f"{what}: {height} × {width} pixels; must be 1 to {MAX_PIXELS:,}, "
                        "so make larger ones smaller first"
                    )
                high = _high(image.format, image)
                frames = int(getattr(image, "n_frames", 1))
                one = _picture(ImageOps.exif_transpose(image), high)
                note = "of several frames, of which the first was taken," if frames > 1 else ""
                return replace(one, note=" ".join(filter(None, (one.note, note))))
    except DataError:
        raise
    except Exception as error:  # Pillow raises many types for a damaged file
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        reason = (
            "no PNG, BMP, GIF, JPEG, PGM, PPM, TIFF or WebP" if "identify" in reason else reason
        )
        raise DataError(f"{what}: cannot be read as an image ({reason})") from None


def _high(form: str | None, image: object) -> int | None:
    mode = getattr(image, "mode", "")
    if mode not in DEEP:
        return 255
    if form == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, (0,))
        depth = int(bits[0] if isinstance(bits, tuple) else bits)
        return (1 << depth) - 1 if 8 < depth <= 16 else None
    return 65535 if mode != "F" else None


def _picture(image: object, high: int | None) -> Picture:
    from PIL import Image

    assert isinstance(image, Image.Image)
    mode = image.mode
    if mode in DEEP:
        pixels = np.asarray(image)
        key = image.info.get("transparency")
        alpha = (pixels != key).astype(np.uint8)[..., None] * 255 if isinstance(key, int) else None
        return Picture(pixels[..., None], alpha, high)
    if image.has_transparency_data:
        layers = np.asarray(image.convert("RGBA"))
        colours, alpha = layers[..., :3], layers[..., 3:]
        colours = colours if mode in ("RGB", "RGBA", "RGBa") else _grey(colours)
        return Picture(colours, None if (alpha == 255).all() else alpha)
    note = _SAID.get(mode, "")
    if mode in ("1", "L"):
        return Picture(np.asarray(image.convert("L"))[..., None], note=note)
    colours = np.asarray(image.convert("RGB"))
    return Picture(_grey(colours) if mode == "P" else colours, note=note)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1) of (H, W, 3) where the channels are equal."""
    first = pixels[..., :1]
    return first if (pixels == first).all() else pixels


def alike(one: Picture, first: Picture, name: str) -> None:
    """DataError unless `one`, the image called `name`, has the size and the depth of the first."""
    if one.pixels.shape[:2] != first.pixels.shape[:2]:
        raise DataError(
            f"{name}: is {shown(one.pixels.shape[:2])} pixels, others are "
            f"{shown(first.pixels.shape[:2])}; make all of one size"
        )
    if one.high != first.high:
        raise DataError(f"{name}: has another depth than those before; save all with one depth")


def stack(
    pictures: Sequence[Picture], name: str, background: int | None = None
) -> tuple[np.ndarray, int | None, int | None, tuple[str, ...]]:
    """(images (N, H, W, C), largest value that they can hold, background of alpha, notes).

    All are `alike`. Grey ones among coloured ones get three equal channels.
    """
    notes = [f"{n} images {how} were converted" for how, n in sorted(_counted(pictures).items())]
    size, high = pictures[0].pixels.shape[:2], pictures[0].high
    seen = [one for one in pictures if one.alpha is not None]
    if seen:
        background = _background(seen, high) if background is None else background
        colour = "white" if background else "black"
        notes.append(f"{len(seen)} images with transparency were laid on {colour}")
    channels = max(one.pixels.shape[2] for one in pictures)
    out_type = np.result_type(*{one.pixels.dtype for one in pictures})
    check_bytes(name, len(pictures) * size[0] * size[1] * channels * out_type.itemsize)
    out = np.empty((len(pictures), *size, channels), out_type)
    for at, one in zip(out, pictures, strict=True):
        at[...] = one.pixels if one.alpha is None else _laid(one, background or 0)
    return out, high, background, tuple(notes)


def _counted(pictures: Sequence[Picture]) -> Counter[str]:
    return Counter(one.note for one in pictures if one.note)


def _background(pictures: Sequence[Picture], high: int | None) -> int:
    """White (the largest value), or black where what is opaque is bright: ink must stay visible."""
    ink = weight = 0.0
    for one in pictures:
        alpha = np.asarray(one.alpha, np.float64)
        ink += float((one.pixels.mean(-1, keepdims=True) * alpha).sum())
        weight += float(alpha.sum())
    top = high or 255
    return top if weight == 0 or ink / weight <= top / 2 else 0


def _laid(one: Picture, background: int) -> np.ndarray:
    """The pixels over a background of one value, rounded."""
    share = np.asarray(one.alpha, np.float64) / 255
    return np.round(one.pixels * share + background * (1 - share)).astype(one.pixels.dtype)
