"""What each module of an accelerator's Verilog is, in the comment above it."""

from __future__ import annotations

from collections.abc import Callable

from gen.engine.assemble import Assembly
from gen.plan.plan import Plan, PlannedLayer
from rtl.block import BlockDescription
from rtl.classifier_output import ClassifierOutput
from rtl.classifier_word import ClassifierWord
from rtl.streams import Fifo, Fork, Join, Narrow, Widen

GUARD = "frame_guard"
"""Instance that stands for no block of the assembly."""
ROLES = {
    "window": "sliding window over the line buffer",
    "pe": "processing element",
    "requantise": "requantiser",
    "weight_count": "address of the weights",
    "addsub": "adder or subtractor",
    "queue": "memory of the FIFO",
    "cell": "address of partial results",
    "row": "row within a block",
    "column": "column within a block",
    **dict.fromkeys(("ahead", "slot", "at", "nest", "rest"), "counter"),
}
"""Of an instance inside a block, by the beginning of its name."""


def notes(plan: Plan, assembly: Assembly) -> Callable[[tuple[str, ...], int], str]:
    """Notes for `gen.support.verilog`: of a module, by the path of its first instance and their
    number."""
    layers = {stage.name: stage for stage in plan.stages}
    blocks = {block.name: block.description for block in assembly.blocks}

    def note(path: tuple[str, ...], instances: int) -> str:
        if not path:
            return "The network: blocks in the order in which values flow through them."
        if path[0] == GUARD:
            text = "Guard of frames: completes images that are cut short, and drops their answers"
        elif len(path) > 1:
            text = f"{_role(path[-1])} of {path[0]}"
        else:
            text = _mover(path[0], blocks.get(path[0])) or _layer(layers[path[0]])
        more = f"; {instances} instances in all" if instances > 1 else ""
        return _safe(f"{text}{more}.")

    return note


def _layer(stage: PlannedLayer) -> str:
    fold = stage.fold
    return (
        f"Layer {stage.name} ({stage.kind}): {fold.pe} PE of {fold.lanes} channels by "
        f"{fold.taps} taps, {stage.cycles} cycles an image"
    )


def _mover(name: str, block: BlockDescription | None) -> str:
    """Of a block that is no layer with a folding of its own; else nothing."""
    match block:
        case Widen() | Narrow():
            to = block.outputs["o"].lanes
            return f"{name}: words of {block.inputs['i'].lanes} values become words of {to}"
        case Fifo():
            return f"{name}: FIFO of {block.depth} words"
        case Fork():
            return f"{name}: the same words for two receivers"
        case Join():
            return f"{name}: sum of two branches, {block.lanes} channels in parallel"
        case ClassifierOutput() | ClassifierWord():
            return f"{name}: the scores, and the class of the largest"
    return ""


def _role(instance: str) -> str:
    named = next((role for start, role in ROLES.items() if instance.startswith(start)), None)
    words = named or f"part {instance}"
    return words[0].upper() + words[1:]


def _safe(text: str) -> str:
    """`text` in one line of plain letters, whatever layers are called."""
    return "".join(c if c.isascii() and c.isprintable() else "_" for c in text)
