"""What the files of a run directory hold, as far as they are read back: names and types.

A file may have further fields, which other versions write; those that are named here are held to
their types.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, Required, TypedDict

import msgspec

from model.records import Count, Positive, Whole

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of a whole: an accuracy, a part of a board."""
Real = int | float | None
Name = Annotated[str, msgspec.Meta(max_length=200)]
Scalars = dict[str, str | int | float | bool | None]


class GoalForm(TypedDict):
    """`search.evolve.goal.Goal`"""

    name: str
    min_accuracy: Share | None


class RequestForm(TypedDict, total=False):
    data: str | None
    board: Name | None
    space: str
    kinds: list[Name] | None
    sampler: str | None
    seed: int
    limits: Scalars | None
    goal: GoalForm
    time: str | None
    budget: Scalars | None


class SpaceForm(TypedDict, total=False):
    name: str
    file: str
    size: Count


class DeviceForm(TypedDict, total=False):
    name: Name
    family: Name
    lut: Whole
    ff: Whole
    dsp: Whole
    bram: Whole


class SupernetForm(TypedDict, total=False):
    hash: str
    weights: Whole
    unshared_weights: Whole
    sharing: str


class ClassForm(TypedDict):
    name: Name
    train: Whole
    test: Whole


class AugmentationForm(TypedDict):
    shift: Whole
    flips: bool


class DataForm(TypedDict, total=False):
    """`model.data.summary.DataSummary`, and how its images are augmented."""

    name: Required[str]
    digest: Required[str]
    source: str
    table: bool
    train: Whole
    test: Whole
    shape: tuple[Whole, Whole, Whole]
    bits: Whole
    low: int
    high: int
    classes: list[ClassForm]
    unbalanced: bool
    majority: Share
    augmentation: AugmentationForm
    notes: list[str]


class StepForm(TypedDict, total=False):
    """What a search of a given time did in a step (`search.run.pace`)."""

    units: Required[Whole]
    before: Required[Count]
    seconds: Count


class DoingForm(TypedDict):
    """What a search is at. since: seconds of the epoch."""

    step: str
    since: Count


class RunForm(TypedDict, total=False):
    """run.json"""

    state: Required[str]
    request: Required[RequestForm]
    seconds: dict[str, Count | None] | None
    space: SpaceForm | None
    device: DeviceForm | None
    supernet: SupernetForm | None
    data: DataForm | None
    plan: Scalars | None
    steps: dict[str, StepForm]
    doing: DoingForm


class CostsForm(TypedDict, total=False):
    lut: Count | None
    ff: Count | None
    dsp: Count | None
    bram: Count | None
    fmax_mhz: Count | None
    cycles_latency: Count | None
    cycles_interval: Count | None
    latency_us: Count | None
    inferences_per_s: Count | None
    energy_nj: Count | None
    energy_45nm_nj: Count | None
    idle_uw: Count | None


class CandidateStageForm(TypedDict):
    reduce: str
    channels: Whole
    layers: list[tuple[str, str, Whole, Whole]]


class CandidateForm(TypedDict):
    """A network, as search.space.space.Candidate writes it."""

    first: tuple[Whole, str, str, Whole, Whole]
    stages: list[CandidateStageForm]
    head: str
    last: tuple[str, str, Whole, Whole]
    act_bits: NotRequired[list[Whole]]


class PointForm(TypedDict, total=False):
    """A line of candidates.jsonl."""

    key: Required[Name]
    share: Required[Share]
    kinds: Required[list[Name]]
    fits: Required[bool]
    accuracy: Real
    predicted: CostsForm | None


class InheritedForm(TypedDict):
    accuracy: Share
    loss: int | float


class ScoreForm(TypedDict):
    """A line of candidates.jsonl that a search goes on with."""

    round: Whole
    key: Name
    id: Name
    share: Share
    candidate: CandidateForm
    inherited: InheritedForm | None
    accuracy: Real
    fits: bool
    why: str
    predicted: CostsForm
    excess: Count
    weights: Whole


class AccuracyForm(TypedDict, total=False):
    inherited: Share | None
    expected: Real
    validation: Share | None
    test: Share | None


class RtlForm(TypedDict, total=False):
    images: Whole
    mismatches: Whole


class PromiseForm(TypedDict):
    """A limit of the search, beside what was measured (`gen.support.promises`)."""

    name: Name
    asked: Count
    measured: Count | None


class ConfusionForm(TypedDict):
    """`model.confusion.ConfusionMatrix`."""

    classes: list[Name]
    counts: list[list[Whole]]


class FinalistForm(TypedDict, total=False):
    """finalist.json"""

    key: Required[Name]
    share: Required[Share]
    kinds: Required[list[Name]]
    round: Whole
    accuracy: AccuracyForm | None
    rtl: RtlForm | None
    searched: CostsForm | None
    predicted: CostsForm | None
    measured: CostsForm | None
    error: str | None
    promises: list[PromiseForm]
    confusion: ConfusionForm | None
    candidate: Any


class BuiltForm(TypedDict):
    """finalist.json as a search goes on with it."""

    key: Name
    share: Share
    kinds: list[Name]
    accuracy: AccuracyForm
    rtl: RtlForm
    searched: CostsForm
    predicted: CostsForm
    measured: CostsForm
    error: str


class MeasuredForm(TypedDict):
    """Costs of a network that was built, and what was predicted of them."""

    lut: Count
    ff: Count
    fmax_mhz: Count
    latency_us: Count
    energy_nj: Count


class RoundForm(TypedDict, total=False):
    """A row of rounds.json."""

    round: Required[Count]
    measured: Required[Whole]
    finalists: Required[Whole]
    lut_error: Count | None
    fmax_error: Count | None
    latency_error: Count | None


class HistogramForm(TypedDict, total=False):
    edges: list[float]
    counts: list[Count]
    gaussian: Count | None
    laplacian: Count | None


class TrainingForm(TypedDict, total=False):
    """supernet.json"""

    curve: list[dict[str, Any]] | None
    histograms: dict[str, HistogramForm] | None


class SeedForm(TypedDict):
    seed: Positive
    fmax_mhz: Count


class PathForm(TypedDict):
    start: str
    end: str
    ns: Count
    routing: Count
    from_cell: str
    to_cell: str


class BuildForm(TypedDict, total=False):
    """report.json"""

    tools: list[str] | None
    seeds: list[SeedForm] | None
    slowest_path: PathForm | None
