"""Detectors on Drain's templates (He et al., Drain, ICWS 2017), by the Drain3 library with its default parameters.

The tree grows on the masked lines of normal training windows, each distinct line once: a repetition changes nothing.
"""

from __future__ import annotations

from collections import Counter

from drain3.drain import Drain

from .windows import Score, Train, TrainingWindow, normal_of

#: What a line counts as that belongs to no cluster.
UNSEEN = -1


class Clusters:
    """Lines to ids of clusters, each distinct line looked up once."""

    def __init__(self, normal: list[TrainingWindow]):
        self.drain = Drain(depth=4, sim_th=0.4, max_children=100)
        for line in dict.fromkeys(line for window in normal for line in window.lines):
            self.drain.add_log_message(line)
        self.known: dict[str, int] = {}

    def of(self, line: str) -> int:
        if line not in self.known:
            found = self.drain.match(line, full_search_strategy="fallback")
            self.known[line] = UNSEEN if found is None else found.cluster_id
        return self.known[line]


def unseen_cluster(seed: int, threads: int) -> Train:
    """A window is as anomalous as it holds lines of no known cluster; one is enough."""

    def train(windows: list[TrainingWindow]):
        clusters = Clusters(normal_of(windows))

        def score(tested: list[tuple[str, ...]]) -> list[Score]:
            unseen = [sum(clusters.of(line) == UNSEEN for line in lines) for lines in tested]
            return [Score(count, count > 0) for count in unseen]

        return score

    return train


def unseen_counts(seed: int, threads: int) -> Train:
    """A window is anomalous whose counts of clusters no normal training window has."""

    def train(windows: list[TrainingWindow]):
        normal = normal_of(windows)
        clusters = Clusters(normal)

        def vector(lines: tuple[str, ...]) -> frozenset:
            return frozenset(Counter(clusters.of(line) for line in lines).items())

        known = {vector(window.lines) for window in normal}

        def score(tested: list[tuple[str, ...]]) -> list[Score]:
            unseen = [vector(lines) not in known for lines in tested]
            return [Score(flag, flag) for flag in unseen]

        return score

    return train
