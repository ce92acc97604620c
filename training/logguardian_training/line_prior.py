"""How anomalous a line is by itself: logistic regression on line vectors, learnt from labels of whole windows.

A window is taken for anomalous when any of its lines is (noisy-or: Heckerman 1989; multiple-instance logistic
regression). The problem is convex but for the noisy-or and has one weight per dimension, so what it says about a line
never seen hardly depends on a seed. The language model learns from it what windows of such lines should score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import softplus

from .data import Sequence


@dataclass(frozen=True)
class LinePrior:
    weight: torch.Tensor
    bias: torch.Tensor

    def lines(self, vectors: torch.Tensor) -> torch.Tensor:
        """[..., width] -> the logit of each line [...]."""
        return vectors @ self.weight + self.bias

    def window(self, vectors: torch.Tensor) -> torch.Tensor:
        """Vectors of a window's distinct lines [lines, width] -> probability that any of them is anomalous []."""
        return -torch.expm1(-softplus(self.lines(vectors)).sum())


def fit(
    sequences: list[Sequence], vectors: torch.Tensor, decay: float, others: torch.Tensor, others_weight: float
) -> LinePrior:
    """Minimises the mean log loss of windows, each weighted by log2(1 + count), + `decay` x |weight|^2.

    `others` [lines, width] are lines of other systems. Nearly all lines of any system are normal, so they count as that,
    `others_weight` times as much as all windows together: without them whatever sounds foreign is taken for a fault.
    """
    distinct = [sorted(set(sequence.lines)) for sequence in sequences]
    lines = torch.tensor([line for window in distinct for line in window])
    places = torch.repeat_interleave(torch.arange(len(distinct)), torch.tensor([len(window) for window in distinct]))
    labels = torch.tensor([float(sequence.label) for sequence in sequences])
    shares = torch.tensor([math.log2(1 + sequence.count) for sequence in sequences])
    shares /= shares.sum()
    weight = torch.zeros(vectors.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        all_normal = torch.zeros(len(labels)).index_add(0, places, softplus(vectors[lines] @ weight + bias))
        anomalous = torch.log(-torch.expm1(-all_normal.clamp(min=1e-7)))
        loss = -(shares * (labels * anomalous - (1 - labels) * all_normal)).sum() + decay * (weight**2).sum()
        if len(others) > 0:
            loss = loss + others_weight * softplus(others @ weight + bias).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return LinePrior(weight.detach(), bias.detach())
