"""Classical detectors on count vectors: how often each masked line stands in a window, its order lost.

Loghub's own comparisons (He et al., Experience Report: System Log Analysis for Anomaly Detection, ISSRE 2016) use these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from .windows import BaselineError, Score, Train, TrainingWindow


class Vectorizer:
    """Windows to count vectors: a column for each line of training, and one for all other lines."""

    def __init__(self, train: list[TrainingWindow]):
        lines = dict.fromkeys(line for window in train for line in window.lines)
        self.columns = {line: column for column, line in enumerate(lines)}

    def transform(self, windows: Iterable[tuple[str, ...]]) -> csr_matrix:
        """float32 [windows, lines of training + 1]"""
        other = len(self.columns)
        values, columns, ends = [], [], [0]
        for lines in windows:
            counted = Counter(self.columns.get(line, other) for line in lines)
            columns.extend(counted)
            values.extend(counted.values())
            ends.append(len(columns))
        return csr_matrix((np.array(values, np.float32), columns, ends), shape=(len(ends) - 1, other + 1))


def decision_tree(seed: int, threads: int) -> Train:
    return _classifier(lambda: DecisionTreeClassifier(random_state=seed))


def random_forest(seed: int, threads: int) -> Train:
    return _classifier(lambda: RandomForestClassifier(n_estimators=100, random_state=seed, n_jobs=threads))


def _classifier(create) -> Train:
    """Each distinct window once, however often it occurs: weighted by that, the frequent ones drown the others."""

    def train(windows: list[TrainingWindow]):
        labels = [window.label for window in windows]
        if len(set(labels)) < 2:
            raise BaselineError("The training windows hold only one label, and a classifier needs both.")
        vectorizer = Vectorizer(windows)
        model = create().fit(vectorizer.transform(window.lines for window in windows), labels)

        def score(tested: list[tuple[str, ...]]) -> list[Score]:
            shares = model.predict_proba(vectorizer.transform(tested))[:, 1]
            return [Score(share, share >= 0.5) for share in shares]

        return score

    return train


def isolation_forest(seed: int, threads: int) -> Train:
    """Learns without labels (Liu et al., ICDM 2008); of labels only their share is used, for the threshold."""

    def train(windows: list[TrainingWindow]):
        vectorizer = Vectorizer(windows)
        distinct = vectorizer.transform(window.lines for window in windows)
        # What is rare decides: every occurrence is a row.
        counts = np.array([window.count for window in windows])
        rows = distinct[np.repeat(np.arange(len(windows)), counts)]
        share = sum(window.count for window in windows if window.label == 1) / counts.sum()
        # The library takes shares above 0 and up to .5; of none anomalous it has a rule of its own.
        contamination = min(share, 0.5) if share > 0 else "auto"
        model = IsolationForest(n_estimators=100, contamination=contamination, random_state=seed, n_jobs=threads)
        model.fit(rows)

        def score(tested: list[tuple[str, ...]]) -> list[Score]:
            return [Score(-value, value < 0) for value in model.decision_function(vectorizer.transform(tested))]

        return score

    return train
