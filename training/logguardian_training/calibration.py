"""From margins to a score, score = sigmoid(scale * margin + shift), and to the score from which a window is anomalous."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .errors import TrainingError
from .metrics import Labelled, average_precision, f1_curve, scores_at
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


def calibrate(parts: list[Labelled], objective: ObjectiveRecipe, shares: list[float] | None = None) -> Calibration:
    """One calibration for all parts together, on margins of windows that training never saw; `shares`: what each counts.

    Scale and shift minimise the log loss (Platt 1999); the threshold serves the objective. Raises TrainingError where all
    windows are of one kind.
    """
    if len({bool(label >= 0.5) for part in parts for label in part.labels}) < 2:
        raise TrainingError("The windows kept for calibration are all normal or all anomalous. Provide labelled windows of both kinds there.")
    shares = shares or [1.0] * len(parts)
    scale, shift = _platt(parts, shares)
    calibrated = Calibration(round(scale, 4), round(shift, 4), 0.5)
    threshold = _threshold(parts, shares, calibrated, objective)
    return replace(calibrated, threshold=round(min(max(threshold, 0.001), 0.999), 4))


def _threshold(parts: list[Labelled], shares: list[float], calibrated: Calibration, objective: ObjectiveRecipe) -> float:
    """best-f1: half the best F1 that the parts reach on average, which is where F1 is best for a calibrated score (Lipton,
    Elkan and Naryanaswamy 2014). The place of a measured curve's maximum says less: one kind of line moves it by units.
    false-alarms: the smallest score at which no part's normal windows raise more alarms than allowed."""
    if objective.kind == "false-alarms":
        allowed = objective.alarms_per_day / objective.windows_per_day
        margin = max(_margin_at_rate(part, allowed) for part in parts if (part.labels == 0).any())
        return float(calibrated.scores(np.array([margin]))[0])
    best = [(f1_curve(part, np.unique(part.margins)).max(), share) for part, share in zip(parts, shares, strict=True) if part.labels.any()]
    return float(np.average([f1 for f1, _ in best], weights=[share for _, share in best])) / 2


def match(part: Labelled, threshold: float) -> Calibration:
    """Margins to scores like those of a teacher, which are the part's labels; `threshold` is the teacher's."""
    scale, shift = _platt([part], [1.0])
    return Calibration(round(scale, 4), round(shift, 4), threshold)


def _margin_at_rate(part: Labelled, allowed: float) -> float:
    normal = part.labels == 0
    order = np.argsort(-part.margins[normal], kind="stable")
    margins, weights = part.margins[normal][order], part.weights[normal][order]
    too_many = np.flatnonzero(np.cumsum(weights) > allowed * weights.sum())
    # Just above the first normal window that would be one too many.
    return float(np.nextafter(margins[too_many[0]], np.inf)) if len(too_many) else float(margins[-1])


def _platt(parts: list[Labelled], shares: list[float], steps: int = 100) -> tuple[float, float]:
    """Newton's method on the log loss, with a little pull towards scale 1 where margins separate the labels."""
    margins = np.concatenate([part.margins for part in parts]).astype(float)
    labels = np.concatenate([part.labels for part in parts]).astype(float)
    weights = np.concatenate(
        [share / sum(shares) * part.weights / part.weights.sum() for part, share in zip(parts, shares, strict=True)]
    )
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


def figures(part: Labelled, calibration: Calibration) -> dict[str, float | None]:
    """Of verdicts at the threshold, of the ranking, and of the scores; None for what has no meaning where all windows are of one kind."""
    found = scores_at(part, calibration.margin_threshold) if part.has_both_kinds() else dict.fromkeys(("precision", "recall", "f1"))
    found |= {"averagePrecision": average_precision(part), "calibrationError": expected_calibration_error(part, calibration)}
    return {key: None if value is None else round(value, 4) for key, value in found.items()}


def shown(value: float | None, form: str = ".4f") -> str:
    return "-" if value is None else format(value, form)
