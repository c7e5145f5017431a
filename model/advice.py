"""What the figures of a training say, in plain sentences, with what helps."""

from __future__ import annotations

import math
from collections.abc import Mapping

from model.confusion import ConfusionMatrix

FALL = 0.01
"""Of accuracy from float to integer, from which on it is spoken of."""
GAP = 0.1
"""Of accuracy from training to test images."""
UNEVEN = 3
"""Times as many images as the smallest class has, from which on weights of classes can help."""


def advice(
    accuracy: Mapping[str, float], confusion: ConfusionMatrix, *, trained: float, table: bool,
    weighted: bool,
) -> tuple[str, ...]:  # fmt: skip
    """Sentences on what went less well than it could.

    accuracy: on the test part at the end of each stage. confusion: of the integer network there.
    trained: its accuracy on training images. A difference is spoken of only when it is larger than
    what chance makes of that many test images (two standard errors).
    """
    sentences = [
        _chance(accuracy["integer"], confusion),
        _fall(accuracy, confusion.total),
        _gap(accuracy["integer"], trained, confusion.total, table),
        _missed(confusion, weighted),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _error(share: float, count: int) -> float:
    """Standard error of a share among `count`."""
    return math.sqrt(max(share * (1 - share), 1 / count) / count)


def _chance(right: float, confusion: ConfusionMatrix) -> str:
    rows = {name: sum(row) for name, row in zip(confusion.classes, confusion.counts, strict=True)}
    name, count = max(rows.items(), key=lambda pair: pair[1])
    share = count / confusion.total
    if right > share + 2 * _error(share, confusion.total):
        return ""
    return (
        f"accuracy {right:.1%} is that of chance: always saying {name} gives {share:.1%}; a larger "
        "network, more --epochs or another --rate may learn, or labels do not belong to images"
    )


def _fall(accuracy: Mapping[str, float], count: int) -> str:
    before, after = max(accuracy["float"], accuracy["quantised"]), accuracy["integer"]
    if before - after < max(FALL, 2 * _error(before, count)):
        return ""
    stage = "float" if before == accuracy["float"] else "quantised"
    return (
        f"accuracy falls from {before:.1%} ({stage}) to {after:.1%} (integer): more --epochs, "
        "or more act_bits and weight_bits in the architecture, give integers more room"
    )


def _gap(right: float, trained: float, count: int, table: bool) -> str:
    if trained - right < max(GAP, 2 * _error(right, count)):
        return ""
    helps = "more data or a smaller network" if table else "more data, --shift or --flips"
    return f"{trained:.1%} of training images are right, {right:.1%} of test images: {helps} helps"


def _missed(confusion: ConfusionMatrix, weighted: bool) -> str:
    missed = [name for name, share in confusion.per_class.items() if share == 0]
    if not missed:
        return ""
    names = ", ".join(missed[:5]) + (", …" if len(missed) > 5 else "")
    rows = [sum(row) for row in confusion.counts if sum(row)]
    uneven = max(rows) >= UNEVEN * min(rows)
    helps = "; --weighted makes classes count alike" if uneven and not weighted else ""
    return f"no test image of {names} is right{helps}"
