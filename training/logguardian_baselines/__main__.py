"""python -m logguardian_baselines METHOD TRAIN TEST SCORES: see windows.py for the files.

`logguardian benchmark` runs it; a method of your own reads and writes the same files (docs/benchmark.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .windows import BaselineError, Train, read_test, read_train, timed, write_scores

METHODS = (
    "decision-tree",
    "random-forest",
    "isolation-forest",
    "drain-cluster",
    "drain-counts",
    "deeplog",
)
REFERENCE = "logllm"


def method(name: str, seed: int, threads: int) -> Train:
    """Imports what it needs and nothing more: PyTorch alone takes seconds."""
    if name == "deeplog":
        from .deeplog import deeplog

        return deeplog(seed, threads)
    if name.startswith("drain-"):
        from . import drain

        return (drain.unseen_cluster if name == "drain-cluster" else drain.unseen_counts)(seed, threads)
    from . import counts

    create = {
        "decision-tree": counts.decision_tree,
        "random-forest": counts.random_forest,
        "isolation-forest": counts.isolation_forest,
    }[name]
    return create(seed, threads)


def main() -> int:
    parser = argparse.ArgumentParser(prog="logguardian_baselines", description=__doc__)
    parser.add_argument("method", choices=(*METHODS, REFERENCE))
    parser.add_argument("train", type=Path, help="of logllm: the bundle's directory")
    parser.add_argument("test", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    try:
        run(arguments)
    except BaselineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(arguments) -> None:
    tested = read_test(arguments.test)
    if arguments.method == REFERENCE:
        from .reference import open_reference

        reference = open_reference(arguments.train, arguments.threads)
        scores, seconds = timed(lambda: reference.score(tested))
        write_scores(arguments.scores, scores, None, seconds)
        return
    train = method(arguments.method, arguments.seed, arguments.threads)
    windows = read_train(arguments.train)
    if not windows:
        raise BaselineError(f"{arguments.train} holds no window.")
    score, train_seconds = timed(lambda: train(windows))
    scores, score_seconds = timed(lambda: score(tested))
    write_scores(arguments.scores, scores, train_seconds, score_seconds)


if __name__ == "__main__":
    sys.exit(main())
