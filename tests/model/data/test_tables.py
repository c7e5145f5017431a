"""Tables: delimiters, headers, the column of labels, a test part; and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model import data
from tests.support.data_files import refused

ROWS = [(n % 5, 10 * (n % 7) + 0.5, "owl" if n % 3 else "bee") for n in range(30)]
"""Two features and a label."""


def table(path: Path, *, order: str = "abl", mark: str = ",", head: str = "") -> Path:
    """A file of ROWS, its columns in an order: features a and b, label l."""
    lines = [head] if head else []
    for a, b, label in ROWS:
        cells = {"a": a, "b": b, "l": label, "n": ("bee", "owl").index(label)}
        lines.append(mark.join(str(cells[name]) for name in order))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def plain(tmp_path: Path) -> data.Dataset:
    return data.load(table(tmp_path / "plain.csv"))


def test_what_is_understood(plain: data.Dataset) -> None:
    assert plain.table
    assert plain.shape == (1, 1, 2)
    assert plain.classes == ("bee", "owl")
    assert plain.features == ("1", "2")
    assert not plain.flips
    assert (len(plain.train_labels), len(plain.test_labels)) == (24, 6)
    assert plain.scaling is not None
    raw = np.array([row[:2] for row in ROWS])
    ints = plain.scaling.apply(raw)
    images = np.concatenate([plain.train_images, plain.test_images])[:, 0, 0]
    assert sorted(map(tuple, ints.tolist())) == sorted(map(tuple, images.tolist()))
    back = ints * np.array(plain.scaling.step) + np.array(plain.scaling.offset)
    assert np.allclose(back, raw)  # few steps: nothing is lost
    assert any("the only one of texts" in note for note in plain.notes)


@pytest.mark.parametrize(
    ("name", "order", "mark", "head"),
    [
        ("t.csv", "abl", ",", "a,b,class"),
        ("t.csv", "abl", ";", ""),
        ("t.tsv", "abl", "\t", "a\tb\tname"),
        ("t.data", "lab", ",", ""),
        ("t.data", "lab", ",", "who,1,2"),
        ("t.txt", "lab", " ", ""),
        ("t.csv", "alb", "|", "a|target|b"),
        ("t.csv", "abl", ",", "\ufeffa,b,class"),
        ("t.csv", "abl", ", ", '"a", "b", "class"'),
    ],
)
def test_forms(
    tmp_path: Path, plain: data.Dataset, name: str, order: str, mark: str, head: str
) -> None:
    dataset = data.load(table(tmp_path / name, order=order, mark=mark, head=head))
    assert dataset.digest == plain.digest
    if head and mark != ",":
        assert dataset.features == ("a", "b")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("head", ["", "Länge;Breite;Sorte"])
def test_decimal_commas(tmp_path: Path, plain: data.Dataset, mark: str, head: str) -> None:
    path = table(tmp_path / "t.csv", mark=mark, head=head.replace(";", mark))
    path.write_text(path.read_text(encoding="utf-8").replace(".", ","), encoding="utf-8")
    dataset = data.load(path)
    assert dataset.digest == plain.digest
    assert dataset.classes == ("bee", "owl")
    assert dataset.features == (("Länge", "Breite") if head else ("1", "2"))
    assert "decimal commas were read as points" in dataset.notes


def test_decimal_commas_and_points_together_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("0,5;1.5;a\n" * 9)
    assert "with a decimal comma, as 0,5, and with a point, as 1.5; save it" in refused(path)
    path.write_text("0,5;1.000,5;a\n0,5;7,5;b\n" * 9)
    assert "row 1, column 2: '1.000,5' is no number" in refused(f"{path}:label=last")


def test_labels_by_name_number_and_place(tmp_path: Path, plain: data.Dataset) -> None:
    path = table(tmp_path / "t.csv", order="nab")
    same = plain.train_labels
    for label in ("first", "1"):
        assert np.array_equal(data.load(f"{path}:label={label}").train_labels, same)
    assert np.array_equal(data.load(path).train_labels, same)  # the last is no whole number
    both = tmp_path / "both.csv"
    both.write_text("1,4,0\n0,5,1\n" * 9)
    assert "the first and the last column may both be the label; say which with label=" in refused(
        both
    )
    assert data.load(f"{both}:label=last").train_labels[0] == 0
    assert "label=size: no such column; give one of 1, 2, 3" in refused(f"{both}:label=size")
    named = table(tmp_path / "n.csv", order="anb", head="a,kind,y_")
    assert np.array_equal(data.load(f"{named}:label=kind").train_labels, same)


def test_the_last_rows_as_test_part(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", head="a,b,label")
    dataset = data.load(f"{path}:test=7")
    assert dataset.test_labels.tolist() == [int(row[2] == "owl") for row in ROWS[-7:]]
    assert dataset.source == f"{path}:test=7"
    assert data.load(dataset.source).digest == dataset.digest
    assert "the last 7 of 30 are the test part" in dataset.notes
    assert "test=30, but there are only 30 rows" in refused(f"{path}:test=30")
    assert "test=-1: must be the number of last rows" in refused(f"{path}:test=-1")
    assert "option 'tests'; known are test, label" in refused(f"{path}:tests=3")
    path.write_text("".join(f"{n},{'ab'[n // 6]}\n" for n in range(12)))
    assert "test=4: the last rows are all of class b; shuffle rows" in refused(f"{path}:test=4")
    assert "is no table; label= are for columns" in refused(f"{tmp_path}:label=first")
    odd = table(tmp_path / "odd:test=3")
    assert "no data set of a form" in refused(odd)  # an existing path is itself; it is no table


def test_folder_with_train_and_test(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", head="a,b,label")
    table(tmp_path / "test.csv", head="a,b,label")
    dataset = data.load(tmp_path)
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (30, 30)
    table(tmp_path / "val.csv", head="a,b,label")
    assert len(data.load(tmp_path).train_labels) == 60
    table(tmp_path / "test.csv", order="ab", head="a,b")
    assert "test.csv: 2 columns, the training part has 3; both need" in refused(tmp_path)
    table(tmp_path / "test.csv", head="b,a,label")
    assert "column 'b' stands where the training part has 'a'" in refused(tmp_path)


def test_rows_that_are_images(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 6))
    path = tmp_path / "mnist.csv"
    lines = [",".join(map(str, [n % 2, *row])) for n, row in enumerate(pixels.tolist())]
    path.write_text("\n".join(["label," + ",".join(f"p{n}" for n in range(6)), *lines]))
    dataset = data.load(f"{path}:shape=2x3,test=4")
    assert not dataset.table
    assert np.array_equal(dataset.train_images, pixels[:8].reshape(8, 2, 3, 1))
    assert "shape 2 × 4 × 1 is 8 values, a row has 6" in refused(f"{path}:shape=2x4")


def test_a_column_that_numbers_the_rows_is_no_feature(tmp_path: Path, plain: data.Dataset) -> None:
    path = tmp_path / "iris.csv"
    lines = [f"{n + 1},{a},{b},{label}" for n, (a, b, label) in enumerate(ROWS)]
    path.write_text("\n".join(["Id,a,b,species", *lines]))
    dataset = data.load(path)
    assert dataset.digest == plain.digest
    assert "column 'Id' numbers the rows and was left out" in dataset.notes


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "no rows; a table has a line for each example"),
        ("1,2,a\n" * 5 + "1,,b\n" * 5, "row 6, column 2: is missing; fill it"),
        ("x,k\n1,a\n2,b\n" + "3,a\n" * 600 + "?,b\n", "row 604, column x: '?' is no number"),
        ("1,2,a\n" * 5 + "1,b\n" * 5, "row 6 has 2 cells, others have 3"),
        ("red,2,a\nblue,3,b\n" * 5, "columns '1', '3' may all be the label; say which"),
        ("".join(f"n{n},1,{n % 2}\n" for n in range(9)), "column '1' holds texts that differ in"),
        ("a,b,c,class\n1,2,x\n3,4,y\n", "4 names of columns above rows of 3 cells"),
        ("1.5,2.5\n2.5,3.5\n" * 5, "no column looks like the label"),
        ("1,nan,a\n2,3,b\n" * 5, "row 1, feature 2 is nan; fill what is missing"),
        ("1,2,a\n1,2,b\n" * 5, "every feature has one value; there is nothing to learn"),
        ("5\n6\n" * 5, "1 columns; must be 2 to 16384"),
        ("a,b,class,label\n1,2,x,y\n", "columns 'class', 'label' may all be the label"),
    ],
)
def test_refused(tmp_path: Path, text: str, rule: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert rule in refused(path)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes("1,é\n2,b\n".encode("latin-1") * 9)
    assert "is no UTF-8 text (byte 2); save it as UTF-8" in refused(path)


def test_arrays_of_rows_are_tables() -> None:
    rows = np.array([row[:2] for row in ROWS])
    dataset = data.from_arrays(rows, [row[2] for row in ROWS])
    assert dataset.table
    assert dataset.shape == (1, 1, 2)
    assert dataset.classes == ("bee", "owl")


def test_columns_that_are_no_features(tmp_path: Path, plain: data.Dataset) -> None:
    path = tmp_path / "zoo.csv"
    lines = [f"n{n},{a},{b},{label}," for n, (a, b, label) in enumerate(ROWS)]
    path.write_text("\n".join(["name,a,b,type,", *lines]))
    dataset = data.load(f"{path}:label=type,skip=name")
    assert dataset.digest == plain.digest
    assert "column 'name' was left out" in dataset.notes
    assert "column 5 is empty and was left out" in dataset.notes
    path.write_text("\n".join(["name,a,b,type,", *(line[:-1] for line in lines)]))
    assert data.load(f"{path}:label=type,skip=first").digest == plain.digest
    assert "columns 'name', 'type' may all be the label" in refused(path)


def test_labels_as_pandas_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join([",a,target"] + [f"{n},{n % 5}.5,{n % 2}.0" for n in range(20)]))
    dataset = data.load(path)
    assert dataset.classes == ("0", "1")
    assert dataset.features == ("a",)


def test_pixels_in_rows_are_asked_about() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (20, 64))
    dataset = data.from_arrays(rows, np.arange(20) % 2)
    assert any("shape=8x8 behind the path keeps them images" in note for note in dataset.notes)
