"""What one step sees: random sequences of both data sets, anomalies brought up to their share, and lines never seen."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn.functional import normalize

from .data import Sequence


class Sampler:
    """Draws sequences by log2(1 + count): by count alone the rare ones vanish, by none the frequent ones stay undecided."""

    def __init__(self, sequences: list[Sequence], anomalous_share: float, random: np.random.Generator):
        self.sequences = sequences
        self.random = random
        weights = np.array([math.log2(1 + sequence.count) for sequence in sequences])
        anomalous = np.array([sequence.is_anomalous for sequence in sequences])
        natural = weights[anomalous].sum() / weights.sum()
        share = max(anomalous_share, natural)
        weights[anomalous] *= share / weights[anomalous].sum()
        weights[~anomalous] *= (1 - share) / weights[~anomalous].sum()
        self.cumulated = np.cumsum(weights / weights.sum())

    def draw(self, count: int) -> list[Sequence]:
        places = np.searchsorted(self.cumulated, self.random.random(count))
        return [self.sequences[min(place, len(self.sequences) - 1)] for place in places]


class NovelLines:
    """Vectors of lines that might be: real lines of any system, mixes of two of them, and noise around both."""

    def __init__(self, bank: torch.Tensor, noise: float, random: np.random.Generator):
        """`bank` [lines, width], each of length sqrt(width), as the encoder gives them."""
        self.bank, self.noise, self.random = bank, noise, random

    def draw(self, count: int) -> torch.Tensor:
        """[count, width], of the encoder's length."""
        random, width = self.random, self.bank.shape[1]
        first, second = (self.bank[torch.from_numpy(random.integers(len(self.bank), size=count))] for _ in range(2))
        share = np.where(random.random(count) < 0.4, 1.0, random.random(count))[:, None]
        size = self.noise * random.random((count, 1)) ** 2
        share, noise = (
            torch.from_numpy(values.astype(np.float32)) for values in (share, size * random.standard_normal((count, width)))
        )
        return normalize(share * first + (1 - share) * second + noise, dim=1) * math.sqrt(width)


def crop(sequence: Sequence, alerts: frozenset[int], random: np.random.Generator) -> Sequence:
    """Half of the windows are shortened, so that length does not decide; no anomalous one loses all of its alerts."""
    lines = sequence.lines
    if random.random() < 0.5 and len(lines) > 10:
        size = int(random.integers(10, len(lines) + 1))
        start = int(random.integers(0, len(lines) - size + 1))
        cropped = lines[start : start + size]
        if sequence.label == 0 or any(line in alerts for line in cropped):
            return Sequence(cropped, sequence.label)
    return sequence


def splice(sequence: Sequence, normal: list[Sequence], alerts: frozenset[int], random: np.random.Generator) -> Sequence:
    """Some anomalous windows get the lines of a normal one around their alerts, so that neighbours do not decide."""
    if sequence.label == 0 or random.random() >= 0.3:
        return sequence
    other = normal[random.integers(len(normal))].lines
    lines = tuple(
        other[place % len(other)] if line not in alerts and random.random() < 0.7 else line
        for place, line in enumerate(sequence.lines)
    )
    return Sequence(lines, sequence.label)
