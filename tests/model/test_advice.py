"""Advice: said where a training went less well than it could, and only there."""

from __future__ import annotations

from model.advice import advice
from model.confusion import ConfusionMatrix

FAIR = ConfusionMatrix(("a", "b"), ((950, 50), (50, 950)))


def said(matrix: ConfusionMatrix = FAIR, *, before: float = 0.95, trained: float = 0.96) -> str:
    accuracy = {"float": before, "quantised": before - 0.01, "integer": matrix.accuracy}
    return " | ".join(advice(accuracy, matrix, trained=trained, table=False, weighted=False))


def test_nothing_where_all_is_well() -> None:
    assert said() == ""
    assert said(before=0.955) == ""  # less than what chance makes of 2000 images


def test_a_fall_from_float_to_integer() -> None:
    line = said(before=0.98)
    assert line.startswith("accuracy falls from 98.0% (float) to 95.0% (integer): more --epochs")
    few = ConfusionMatrix(("a", "b"), ((19, 1), (1, 19)))
    assert said(few, before=0.98) == ""  # one image of forty


def test_chance() -> None:
    blind = ConfusionMatrix(("a", "b"), ((900, 0), (100, 0)))
    line = said(blind, before=0.9, trained=0.9)
    assert "accuracy 90.0% is that of chance: always saying a gives 90.0%" in line
    assert "no test image of b is right; --weighted makes classes count alike" in line


def test_weights_are_for_uneven_classes_alone() -> None:
    line = said(ConfusionMatrix(("a", "b"), ((100, 0), (100, 0))), before=0.5, trained=0.5)
    assert "no test image of b is right" in line
    assert "--weighted" not in line


def test_learnt_by_heart() -> None:
    assert said(trained=1.0) == ""
    far = ConfusionMatrix(("a", "b"), ((800, 200), (200, 800)))
    line = said(far, before=0.8, trained=1.0)
    assert line.startswith("100.0% of training images are right, 80.0% of test images: more data")
