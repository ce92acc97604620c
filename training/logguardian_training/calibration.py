"""From margins to a score, score = sigmoid(scale * margin + shift), and to the score from which a window is anomalous."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .metrics import Labelled, f1_curve
from .recipe import ObjectiveRecipe


@dataclass(frozen=True)
class Calibration:
    scale: float
    shift: float
    threshold: float
    """A score."""

    def scores(self, margins: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(self.scale * margins + self.shift)))

    @property
    def margin_threshold(self) -> float:
        return (math.log(self.threshold / (1 - self.threshold)) - self.shift) / self.scale


def calibrate(parts: list[Labelled], objective: ObjectiveRecipe) -> Calibration:
    """One calibration for all parts together, each counting the same, on margins of windows that training never saw.

    Scale and shift minimise the log loss (Platt 1999); the threshold serves the objective.
    """
    scale, shift = _platt(parts)
    threshold = margin_for(parts, objective)
    score = 1 / (1 + math.exp(-(scale * threshold + shift)))
    return Calibration(round(scale, 4), round(shift, 4), round(min(max(score, 0.001), 0.999), 4))


def margin_for(parts: list[Labelled], objective: ObjectiveRecipe) -> float:
    """best-f1: the margin of the best mean F1, smoothed: parts hold few anomalies, and a jump of one is no reason.
    false-alarms: the smallest margin at which no part's normal windows raise more alarms than allowed."""
    if objective.kind == "false-alarms":
        allowed = objective.alarms_per_day / objective.windows_per_day
        return max(_margin_at_rate(part, allowed) for part in parts)
    thresholds, curve = objective_curve(parts)
    # The middle of all that are about as good.
    good = thresholds[curve >= curve.max() - 0.002]
    return float(good[len(good) // 2])


def objective_curve(parts: list[Labelled]) -> tuple[np.ndarray, np.ndarray]:
    """Margins and the mean F1 of all parts at them, all and distinct sequences, smoothed over half a unit of margin."""
    thresholds = np.arange(-8, 8.01, 0.05)
    curve = np.mean([f1_curve(view, thresholds) for part in parts for view in (part, part.distinct())], axis=0)
    return thresholds, np.convolve(np.pad(curve, 5, mode="edge"), np.ones(11) / 11, mode="valid")


def _margin_at_rate(part: Labelled, allowed: float) -> float:
    normal = part.labels == 0
    order = np.argsort(-part.margins[normal], kind="stable")
    margins, weights = part.margins[normal][order], part.weights[normal][order]
    too_many = np.flatnonzero(np.cumsum(weights) > allowed * weights.sum())
    # Just above the first normal window that would be one too many.
    return float(np.nextafter(margins[too_many[0]], np.inf)) if len(too_many) else float(margins[-1])


def _platt(parts: list[Labelled], steps: int = 100) -> tuple[float, float]:
    """Newton's method on the log loss, with a little pull towards scale 1 where margins separate the labels."""
    margins = np.concatenate([part.margins for part in parts]).astype(float)
    labels = np.concatenate([part.labels for part in parts]).astype(float)
    weights = np.concatenate([part.weights / part.weights.sum() / len(parts) for part in parts])
    features = np.stack([margins, np.ones_like(margins)], axis=1)
    ridge, start = np.diag([1e-3, 1e-6]), np.array([1.0, 0.0])
    solution = start
    for _ in range(steps):
        predicted = 1 / (1 + np.exp(-np.clip(features @ solution, -40, 40)))
        gradient = features.T @ (weights * (predicted - labels)) + ridge @ (solution - start)
        curvature = features.T @ (features * (weights * predicted * (1 - predicted))[:, None]) + ridge
        change = np.linalg.solve(curvature, gradient)
        solution = solution - change * min(1.0, 2.0 / max(1e-9, float(np.abs(change).max())))
        if np.abs(change).max() < 1e-8:
            break
    return max(0.05, float(solution[0])), float(solution[1])


def expected_calibration_error(part: Labelled, calibration: Calibration, bins: int = 10) -> float:
    scores = calibration.scores(part.margins)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    total, error = part.weights.sum(), 0.0
    for place in range(bins):
        here = places == place
        weight = part.weights[here].sum()
        if weight:
            gap = np.average(scores[here], weights=part.weights[here]) - np.average(part.labels[here], weights=part.weights[here])
            error += weight / total * abs(gap)
    return float(error)
