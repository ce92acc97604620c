"""Figures over distinct sequences, each weighted by how often it occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Labelled:
    """Margins [n], labels [n] and weights [n] of one part of one data set."""

    margins: np.ndarray
    labels: np.ndarray
    weights: np.ndarray

    def distinct(self) -> "Labelled":
        return Labelled(self.margins, self.labels, np.ones_like(self.weights))

    def damped(self) -> "Labelled":
        """Weights as training draws: by count alone one sequence of thousands would decide everything."""
        return Labelled(self.margins, self.labels, np.log2(1 + self.weights))

    def has_both_kinds(self) -> bool:
        return 0 < self.labels.sum() < len(self.labels)

    @staticmethod
    def joined(parts: "list[Labelled]") -> "Labelled":
        return Labelled(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("margins", "labels", "weights")))


def scores_at(part: Labelled, threshold: float) -> dict[str, float]:
    """Precision, recall and F1 of `margin >= threshold`."""
    flagged, anomalous = part.margins >= threshold, part.labels == 1
    hit = float(part.weights[flagged & anomalous].sum())
    raised, real = float(part.weights[flagged].sum()), float(part.weights[anomalous].sum())
    precision, recall = hit / raised if raised else 0.0, hit / real if real else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def f1_curve(part: Labelled, thresholds: np.ndarray) -> np.ndarray:
    return np.array([scores_at(part, threshold)["f1"] for threshold in thresholds])


def average_precision(part: Labelled) -> float | None:
    """None where all windows are of one kind: there is nothing to rank."""
    if not part.has_both_kinds():
        return None
    order = np.argsort(-part.margins, kind="stable")
    margins, hits = part.margins[order], (part.labels * part.weights)[order]
    # Equal margins are one step of the curve.
    ends = np.append(np.flatnonzero(np.diff(margins)), len(margins) - 1)
    true, raised = np.cumsum(hits)[ends], np.cumsum(part.weights[order])[ends]
    recall = true / hits.sum()
    return float(np.sum(np.diff(recall, prepend=0) * true / raised))
