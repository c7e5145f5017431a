"""What inherited weights are worth: accuracy after training, predicted from the scores before.

Inherited accuracies of different kinds do not lie on one line: on Fashion-MNIST a network of add
layers gains twelve points by fine-tuning where one of products gains three. So a search trains out
a few networks (`probes`), once for a data set and a space, and each round's finalists join them.
The line through them is Bayesian ridge regression, which finds from the data how far to trust it;
where they show nothing, as when trainings are short and noisy, what remains is PRIOR.

The cross-entropy stands beside the accuracy because it ranks better (`tests.studies.sharing`): weak
networks never say "shirt", and how nearly they do tells them apart. Beside both stands what the
form of a network tells (`search.evolve.traits`), which ranks about as well.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from functools import cache

from sklearn.linear_model import BayesianRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.kinds import kind, ordered_kinds
from model.net import Net
from search.evolve.traits import Traits
from search.space.space import Candidate, Space

FEWEST = 10
"""Probes without which there is no line: small networks would lie outside of it."""
DRAWN = 32
PRIOR = 0.25
"""How much of a difference in inherited logits is believed to last, before any probe is seen."""


@dataclass(frozen=True)
class Inherited:
    """How a network does with inherited weights. loss: mean cross-entropy, in nats."""

    accuracy: float
    loss: float


@dataclass(frozen=True)
class CalibrationSample:
    """A network before and after training, on the validation split.

    trained: accuracy.
    """

    traits: Traits
    inherited: Inherited
    trained: float


@cache
def _kinds() -> tuple[str, ...]:
    """The kinds whose shares are features: all but the plain one, which is what they leave."""
    return tuple(name for name in ordered_kinds() if not kind(name).plain)


@dataclass(frozen=True)
class Predictor:
    """logit(trained) = level + slopes · (logit(accuracy), loss, ln weights,
    ln multiply-accumulates, ln(1 + spatial layers), strides, share of each kind)."""

    level: float = 0.0
    slopes: tuple[float, ...] = field(
        default_factory=lambda: (1.0, *(0.0 for _ in range(5 + len(_kinds()))))
    )

    @staticmethod
    def fit(probes: Sequence[CalibrationSample]) -> Predictor:
        """The line through `probes`, in any order; with fewer than FEWEST, what is inherited.

        One that training made worse tells of the training, not of the network: left out.
        """
        usable = [p for p in probes if p.trained >= p.inherited.accuracy]
        if len(usable) < FEWEST:
            return AS_INHERITED
        ordered = sorted(usable, key=lambda p: (*astuple(p.traits), p.inherited.loss, p.trained))
        rows = [_features(p.traits, p.inherited) for p in ordered]
        gains = [_logit(p.trained) - PRIOR * _logit(p.inherited.accuracy) for p in ordered]
        line = make_pipeline(StandardScaler(), BayesianRidge()).fit(rows, gains)
        scaler, ridge = line.named_steps.values()
        slopes = ridge.coef_ / scaler.scale_
        level = float(ridge.intercept_ - slopes @ scaler.mean_)
        return Predictor(level, (PRIOR + slopes[0].item(), *slopes[1:].tolist()))

    def __call__(self, traits: Traits, inherited: Inherited) -> float:
        """Accuracy that training is expected to give."""
        features = _features(traits, inherited)
        logit = self.level + sum(s * x for s, x in zip(self.slopes, features, strict=True))
        return 1 / (1 + math.exp(-logit))


AS_INHERITED = Predictor()


def _features(traits: Traits, inherited: Inherited) -> list[float]:
    kinds = traits.kinds
    return [
        _logit(inherited.accuracy), inherited.loss, math.log(traits.weights),
        math.log(traits.macs), math.log1p(traits.spatial), traits.strides,
        *(kinds.count(name) / max(len(kinds), 1) for name in _kinds()),
    ]  # fmt: skip


def _logit(accuracy: float) -> float:
    """Of an accuracy that some hundreds of images cannot tell from 0 or 1, too."""
    within = min(max(accuracy, 0.01), 0.998)
    return math.log(within / (1 - within))


def probes(space: Space, count: int, seed: int) -> list[Candidate]:
    """`count` networks spread over the space, fewer where it is small: in turn mixed and of one
    kind only, and from each draw the one whose number of weights comes next in an even spread."""
    rng = random.Random(seed)
    spaces = [space, *(space.restrict([kind]) for kind in space.kinds)]
    spread: list[Candidate] = []
    for i in range(count):
        drawn = [spaces[i % len(spaces)].sample(rng) for _ in range(DRAWN)]
        drawn.sort(key=lambda candidate: _size(space, candidate))
        place = (i // len(spaces) + 0.5) / -(-count // len(spaces))
        spread.append(drawn[int(place * len(drawn))])
    return list(dict.fromkeys(spread))


def _size(space: Space, candidate: Candidate) -> int:
    return sum(p.numel() for p in Net(space.architecture(candidate)).parameters())
