"""Image files: each stays what it is, whatever its mode; the right values in each case."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import data
from model.data.images import picture
from tests.support.data_files import grey, image_folder, refused

RAMP = np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3)
"""Six greys."""


def both(top: Path, make: Callable[[int], Image.Image], end: str = ".png") -> data.Dataset:
    """The data set of five images of each of two classes."""
    images = {name: [make(n) for _ in range(5)] for n, name in enumerate(("a", "b"))}
    return data.load(image_folder(top, images, end))


def first(dataset: data.Dataset, label: int = 0) -> np.ndarray:
    return np.asarray(dataset.train_images[dataset.train_labels == label][0])


def palette(greys: np.ndarray) -> Image.Image:
    """The same image by a palette of greys that is no ramp."""
    image = Image.fromarray(255 - greys).convert("P")
    image.putpalette([255 - n for n in range(256) for _ in range(3)])
    return image


def with_alpha(values: np.ndarray, alpha: int) -> Image.Image:
    image = Image.fromarray(values).convert("LA")
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (lambda values: Image.fromarray(values), ".png"),
        (lambda values: Image.fromarray(values), ".bmp"),
        (lambda values: Image.fromarray(values), ".pgm"),
        (lambda values: Image.fromarray(values), ".tif"),
        (palette, ".png"),
        (palette, ".gif"),
        (lambda values: with_alpha(values, 255), ".png"),
        (lambda values: Image.fromarray(values.astype(np.uint16) * 257), ".png"),
        (lambda values: Image.fromarray(values.astype(np.uint16) * 257), ".tiff"),
        (lambda values: Image.fromarray(values.astype(np.int32) * 257), ".pgm"),
    ],
)
def test_grey_stays_one_channel_with_its_values(
    tmp_path: Path, make: Callable[[np.ndarray], Image.Image], end: str
) -> None:
    dataset = both(tmp_path, lambda n: make(RAMP + n * np.uint8(15)), end)
    assert dataset.shape == (2, 3, 1)
    assert first(dataset, 0)[..., 0].tolist() == RAMP.tolist()
    assert first(dataset, 1)[..., 0].tolist() == (RAMP + 15).tolist()


def test_black_and_white_and_jpeg_and_webp(tmp_path: Path) -> None:
    bits = both(tmp_path / "1", lambda n: Image.fromarray(RAMP + 15 * np.uint8(n) > 100))
    assert first(bits)[..., 0].tolist() == [[0, 0, 0], [255, 255, 255]]
    lossy = both(tmp_path / "j", lambda n: Image.new("L", (8, 8), 10 + 80 * n), ".jpg")
    assert lossy.shape == (8, 8, 1)
    assert abs(int(first(lossy, 1).max()) - 90) < 3
    web = both(tmp_path / "w", lambda n: Image.new("RGB", (8, 8), (9, 80 * n, 70)), ".webp")
    assert web.shape == (8, 8, 3)


def test_deep_values_are_scaled_over_the_declared_range_never_clipped(tmp_path: Path) -> None:
    deep = np.array([[0, 256, 4096], [32768, 65280, 65535]], np.uint16)
    dataset = both(tmp_path, lambda n: Image.fromarray(deep))
    assert first(dataset)[..., 0].tolist() == np.round(deep / 257).astype(int).tolist()
    assert any("65535" in note and "declared" in note for note in dataset.notes)


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_ink_in_the_alpha_channel_alone_stays_visible(tmp_path: Path, ink: int, paper: int) -> None:
    def make(_: int) -> Image.Image:
        image = Image.new("LA", (3, 2), (ink, 0))
        image.putpixel((1, 0), (ink, 255))
        image.putpixel((2, 1), (ink, 128))
        return image

    dataset = both(tmp_path, make)
    half = round(ink * 128 / 255 + paper * 127 / 255)
    assert dataset.shape == (2, 3, 1)
    assert first(dataset)[..., 0].tolist() == [[paper, ink, paper], [paper, paper, half]]
    colour = "white" if paper else "black"
    assert any(f"transparency were laid on {colour}" in note for note in dataset.notes)


def test_transparent_colour_and_palette(tmp_path: Path) -> None:
    def coloured(_: int) -> Image.Image:
        image = Image.new("RGBA", (2, 1), (10, 20, 30, 255))
        image.putpixel((0, 0), (0, 0, 0, 0))
        return image

    dataset = both(tmp_path / "rgba", coloured)
    assert first(dataset).tolist() == [[[255, 255, 255], [10, 20, 30]]]

    def keyed(_: int) -> Image.Image:
        image = palette(RAMP)
        image.info["transparency"] = 255 - int(RAMP[0, 1])
        return image

    dataset = both(tmp_path / "p", keyed)
    expected = np.where(RAMP[0, 1] == RAMP, 255, RAMP)
    assert first(dataset)[..., 0].tolist() == expected.tolist()


def test_colour_and_grey_together_become_colour(tmp_path: Path) -> None:
    colour = Image.new("RGB", (3, 2), (1, 2, 3))
    folder = image_folder(tmp_path, {"a": [grey(9)] * 5, "b": [colour] * 5})
    dataset = data.load(folder)
    assert dataset.shape == (2, 3, 3)
    assert first(dataset, 0)[1, 1].tolist() == [9, 9, 9]
    assert first(dataset, 1)[1, 1].tolist() == [1, 2, 3]


def test_grey_saved_in_colour_is_grey_unless_one_part_is_not(tmp_path: Path) -> None:
    modes = ["RGB", "RGBA", "P", "L"]
    shots = [grey(9).convert(mode) for mode in modes]
    folder = image_folder(tmp_path, {"train/a": shots, "train/b": shots[::-1]})
    dataset = data.load(folder)
    assert dataset.shape == (2, 3, 1)
    assert first(dataset)[1, 1].tolist() == [9]
    assert "all are grey, saved in colour: one channel was kept" in dataset.notes
    colour = [Image.new("RGB", (3, 2), (1, 2, 3))]
    image_folder(folder, {"test/a": shots, "test/b": colour})
    dataset = data.load(folder)
    assert dataset.shape == (2, 3, 3)
    assert not any("all are grey" in note for note in dataset.notes)


def test_turned_by_exif(tmp_path: Path) -> None:
    def make(n: int) -> Image.Image:
        return Image.fromarray(RAMP)

    folder = image_folder(tmp_path, {"a": [make(0)] * 4, "b": [make(1)] * 4})
    exif = Image.Exif()
    exif[0x112] = 6  # turned by 90°
    for file in folder.rglob("*.png"):
        Image.fromarray(RAMP).save(file, exif=exif)
    assert first(data.load(folder))[..., 0].tolist() == np.rot90(RAMP, -1).tolist()


def test_no_other_program_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = image_folder(tmp_path, {"a": [grey(9)] * 4, "b": [grey(8)] * 4})
    out = io.BytesIO()
    Image.new("RGB", (3, 2)).save(out, "EPS")
    (folder / "a" / "0.png").write_bytes(out.getvalue())
    started: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *args, **_: started.append(args))
    assert "0.png: cannot be read as an image (no PNG, BMP, GIF" in refused(folder)
    assert started == []


def test_sizes_are_bounded_before_pixels_are_read() -> None:
    out = io.BytesIO()
    Image.new("1", (1, 1)).save(out, "PNG")
    content = bytearray(out.getvalue())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(data.DataError, match=r"big.png: (60000 × 60000 pixels|cannot be read)"):
        picture(bytes(content), "big.png")
    with pytest.raises(data.DataError, match="9000 × 9000 pixels; must be 1 to"):
        picture(b"P5 9000 9000 255\n\0", "big.pgm")
    with pytest.raises(data.DataError, match=r"empty\.pgm"):
        picture(b"P5 0 4 255\n", "empty.pgm")


def test_of_several_frames_the_first(tmp_path: Path) -> None:
    folder = image_folder(tmp_path, {"a": [grey(9)] * 4, "b": [grey(8)] * 4})
    frames = [grey(7), grey(200)]
    for file in folder.rglob("0.png"):
        file.unlink()
        frames[0].save(file.with_suffix(".gif"), save_all=True, append_images=frames[1:])
    dataset = data.load(folder)
    assert dataset.train_images.max() == 9
    assert any("2 images with a palette of several frames, of which" in n for n in dataset.notes)


def test_floats_and_wide_integers_in_tiff(tmp_path: Path) -> None:
    shares = RAMP.astype(np.float32) / np.float32(200)
    dataset = both(tmp_path / "f", lambda _: Image.fromarray(shares), ".tif")
    assert first(dataset)[..., 0].tolist() == np.round(RAMP * (255 / 200)).astype(int).tolist()
    wide = RAMP.astype(np.int32) * 1000
    dataset = both(tmp_path / "i", lambda _: Image.fromarray(wide), ".tif")
    assert first(dataset)[..., 0].tolist() == np.round(RAMP * (255 / 200)).astype(int).tolist()
