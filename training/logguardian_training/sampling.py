"""What one step sees: random sequences of both data sets, anomalies brought up to their share, and augmentation."""

from __future__ import annotations

import math

import numpy as np

from .data import DataSet, Sequence


class Sampler:
    """Draws sequences by log2(1 + count): by count alone the rare ones vanish, by none the frequent ones stay undecided."""

    def __init__(self, sequences: list[Sequence], anomalous_share: float, random: np.random.Generator):
        self.sequences = sequences
        self.random = random
        weights = np.array([math.log2(1 + sequence.count) for sequence in sequences])
        anomalous = np.array([sequence.label == 1 for sequence in sequences])
        natural = weights[anomalous].sum() / weights.sum()
        share = max(anomalous_share, natural)
        weights[anomalous] *= share / weights[anomalous].sum()
        weights[~anomalous] *= (1 - share) / weights[~anomalous].sum()
        self.cumulated = np.cumsum(weights / weights.sum())

    def draw(self, count: int) -> list[Sequence]:
        places = np.searchsorted(self.cumulated, self.random.random(count))
        return [self.sequences[min(place, len(self.sequences) - 1)] for place in places]


def augment_bgl(drawn: list[Sequence], data: DataSet, normal: list[Sequence], random: np.random.Generator) -> list[Sequence]:
    """Windows of other lengths than 100, and alerts among other neighbours, so that neither decides."""
    return [_vary(sequence, data, normal, random) for sequence in drawn]


def _vary(sequence: Sequence, data: DataSet, normal: list[Sequence], random: np.random.Generator) -> Sequence:
    lines = sequence.lines
    if sequence.label == 1 and random.random() < 0.3:
        # Most of the lines that are no alerts are replaced by those of a normal window.
        other = normal[random.integers(len(normal))].lines
        lines = tuple(
            other[place % len(other)] if line not in data.alert_texts and random.random() < 0.7 else line
            for place, line in enumerate(lines)
        )
    if random.random() < 0.5 and len(lines) > 10:
        size = int(random.integers(10, len(lines) + 1))
        start = int(random.integers(0, len(lines) - size + 1))
        cropped = lines[start : start + size]
        if sequence.label == 0 or any(line in data.alert_texts for line in cropped):
            lines = cropped
    return Sequence(lines, sequence.label)
