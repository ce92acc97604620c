"""Which windows a stage sees, in which order: a function of seed, stage and epoch, so that a place in it is one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Sequence
from .data import oversample
from .recipe import PretrainedRecipe, StageRecipe


@dataclass(frozen=True)
class Samples:
    """All samples of a stage in their order; a step takes the next `batch` of them."""

    sequences: list[Sequence]
    batch: int

    @property
    def steps(self) -> int:
        return -(-len(self.sequences) // self.batch)

    def step(self, number: int) -> list[Sequence]:
        return self.sequences[number * self.batch : (number + 1) * self.batch]


def stage_samples(recipe: PretrainedRecipe, fit: list[list[Sequence]], stage: StageRecipe) -> Samples:
    """`fit`: the chosen windows of each data set. Every epoch is oversampled and shuffled anew."""
    training = recipe.training
    place = recipe.stages.index(stage)
    found: list[Sequence] = []
    for epoch in range(stage.epochs):
        random = np.random.default_rng([recipe.seed, place, epoch])
        samples = oversample([sequence for part in fit for sequence in part], training.minority_share, training.epoch_samples, random)
        order = random.permutation(len(samples))
        found += [samples[number] for number in (order[: stage.samples] if stage.samples else order)]
    return Samples(found, training.micro_batch * training.accumulation)
