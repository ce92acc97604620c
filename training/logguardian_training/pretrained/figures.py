"""Figures on the dev parts, scored once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..calibration import Calibration
from ..calibration import figures as figures_of
from ..data import DataSet, Sequence, unseen
from ..metrics import Labelled


def figures(
    sets: list[DataSet], judged: Callable[[list[Sequence]], Labelled], calibration: Calibration, count: int, random: np.random.Generator
) -> dict:
    """Of each data set: all windows and distinct ones, and those never seen. With `count` > 0 only that many distinct
    windows of each are judged, drawn evenly, and said so: figures over all windows cannot be had from them."""
    found = {}
    for part in sets:
        if not part.dev:
            continue
        never = set(sequence.lines for sequence in unseen(part.dev, part.early + part.validation))
        drawn = part.dev
        if 0 < count < len(part.dev):
            drawn = [part.dev[place] for place in sorted(random.choice(len(part.dev), count, replace=False))]
        scored = judged(drawn)
        fresh = np.array([sequence.lines in never for sequence in drawn])
        views = {} if len(drawn) < len(part.dev) else {"all windows": scored}
        views[f"{len(drawn)} distinct windows"] = scored.distinct()
        if fresh.any():
            views["distinct windows never seen"] = Labelled(scored.margins[fresh], scored.labels[fresh], np.ones(int(fresh.sum())))
        for view, rows in views.items():
            found[f"{part.name} dev, {view}"] = figures_of(rows, calibration)
    return found

