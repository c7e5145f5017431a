"""What a search knows of accuracies after the first rung: as trained, or as expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from search.evolve.objectives import Score
from search.evolve.predictor import CalibrationSample, Predictor
from search.evolve.traits import Traits, traits
from search.run.trainings import Trainings
from search.space.space import Space


@dataclass
class Knowledge:
    """Of one run. It grows with `trained`."""

    space: Space
    probes: Sequence[CalibrationSample]
    trained: Trainings
    traits: dict[str, Traits] = field(default_factory=dict)
    """Of scored networks, by id: a population is judged again after each generation."""

    def fit(self) -> Predictor:
        """The line through all that is trained by now."""
        return Predictor.fit([*self.probes, *self.trained.samples.values()])

    def told(self, scores: Sequence[Score], expects: Predictor) -> list[Score]:
        """`scores` with accuracies as they are known, or as `expects` has them."""
        return [
            replace(score, accuracy=self._accuracy(score, expects)) if score.fits else score
            for score in scores
        ]

    def _accuracy(self, score: Score, expects: Predictor) -> float | None:
        if score.id in self.trained.samples:
            return self.trained.samples[score.id].trained
        if score.inherited is None:
            return score.accuracy
        return expects(self._traits(score), score.inherited)

    def _traits(self, score: Score) -> Traits:
        if score.id not in self.traits:
            arch = self.space.architecture(score.genome.candidate)
            self.traits[score.id] = traits(arch)
        return self.traits[score.id]
