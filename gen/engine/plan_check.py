"""Whether a plan can be one of a network: a plan may come from a file that someone else wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from gen.plan.lower import LoweredLayer
from gen.plan.plan import WORDS, Fold, Plan
from gen.plan.spread import wired_fold, word_values
from gen.support.errors import PlanError
from model.spec import Add, Head, Input
from rtl.pe.element import PE, pe

DEEPEST = 1 << 16
"""Words of a FIFO before a join."""
Rule = tuple[bool, str]


def check_plan(plan: Plan, layers: Sequence[LoweredLayer]) -> None:
    """Raises PlanError, one line, where `plan` does not fold these layers as hardware can."""
    names, planned = [layer.name for layer in layers], [stage.name for stage in plan.stages]
    if names != planned:
        raise PlanError(
            f"the plan is of the layers {_words(planned)}, the network has {_words(names)}; "
            "compile the network again"
        )
    joins = {layer.name for layer in layers if isinstance(layer.op, Add)}
    if plan.fifos.keys() != joins:
        raise PlanError(
            f"the plan has FIFOs for {_words(sorted(plan.fifos))}, the network has the joins "
            f"{_words(sorted(joins))}; compile the network again"
        )
    for layer, stage in zip(layers, plan.stages, strict=True):
        for ok, rule in (
            (stage.kind == layer.kind, f"kind {stage.kind!r} must be {layer.kind!r}"),
            *_rules(layer, stage.fold),
            *(_depth(depth) for depth in plan.fifos.get(layer.name, ())),
        ):
            if not ok:
                raise PlanError(f"layer {layer.name} in the plan: {rule}; compile it again")


def _depth(depth: int) -> Rule:
    return depth == 0 or 2 <= depth <= DEEPEST, f"FIFO depth {depth} must be 0 or 2 to {DEEPEST}"


def _rules(layer: LoweredLayer, fold: Fold) -> Iterator[Rule]:
    """What a fold must be, rule by rule; a rule may take those before it for granted."""
    if isinstance(layer.op, Input | Head):
        yield fold == Fold(lanes=fold.lanes, out_lanes=fold.lanes), "an end has lanes alone"
        values = prod(layer.out.shape)
        if isinstance(layer.op, Input):
            yield values % fold.lanes == 0, f"lanes {fold.lanes} must divide {values} values"
        else:
            yield fold.lanes in (1, values), f"lanes {fold.lanes} must be 1 or {values} scores"
        return
    if fold.weights == "wired":
        yield from _wired_rules(layer, fold)
        return
    yield fold.word == "pixel", f"word {fold.word!r} is for weights that are wired"
    yield from _multiplier_rules(layer, fold)
    channels, out = layer.sources[0].shape[2], layer.sums.shape[2]
    wide = [word_values(layer.out.shape, word) for word in WORDS[1:]]
    if isinstance(layer.op, Add) and fold.lanes in wide:
        return
    yield channels % fold.lanes == 0, f"lanes {fold.lanes} must divide {channels} channels"
    if layer.blocks or isinstance(layer.op, Add):
        return
    assert layer.window is not None
    kh, kw = layer.window.kernel
    taps = (1, kh, kh * kw)
    yield fold.taps in taps, f"taps {fold.taps} must be {' or '.join(map(str, taps))}"
    yield out % fold.pe == 0, f"pe {fold.pe} must divide {out} channels"
    drained = fold.pe % fold.out_lanes == 0
    yield drained, f"out_lanes {fold.out_lanes} must divide {fold.pe} PE"
    if layer.depthwise:
        yield fold.pe == fold.lanes, f"pe {fold.pe} must be the {fold.lanes} lanes of a word"
    inputs = 1 if layer.depthwise else channels // fold.lanes
    slots, words = inputs * (kh * kw // fold.taps), fold.pe // fold.out_lanes
    yield words <= slots, f"{words} words of a sum must leave within the {slots} cycles of one"


def _multiplier_rules(layer: LoweredLayer, fold: Fold) -> Iterator[Rule]:
    """Of what forms the products of a layer that is not wired."""
    windowed = layer.window is not None and not layer.blocks
    has = pe(layer.kind) if windowed else PE
    multiplies = fold.multiplier == "lut" or has.MULTIPLIES
    yield (
        multiplies,
        f"multiplier {fold.multiplier!r} is for products, which a {layer.kind} has not",
    )
    most = fold.pe - 1 if fold.multiplier != "lut" else 0
    yield 0 <= fold.logic_pe <= most, f"logic_pe {fold.logic_pe} must be 0 to {most}"
    yield not fold.staged or has.STAGES, f"a {layer.kind} has no register within its lanes"
    if fold.multiplier == "packed":
        pairs = has.PACKS and not layer.depthwise and (fold.pe - fold.logic_pe) % 2 == 0
        yield pairs, "packed products are of pairs of PE with the same inputs"


def _wired_rules(layer: LoweredLayer, fold: Fold) -> Iterator[Rule]:
    """Of a layer whose weights are wired, which takes a window a cycle."""
    windowed = layer.window is not None
    yield windowed, f"a {layer.kind} has no weights that can be wired"
    right = wired_fold(layer, fold.word, fold.line_buffer)
    yield fold == right, f"wired, a {fold.word} a word, is {right}, not {fold}"


def _words(names: Sequence[str]) -> str:
    text = ", ".join(names[:8]) or "none"
    return text if len(text) <= 120 else f"{text[:117]}..."
