"""The files that a method of `logguardian benchmark` reads and writes: JSON lines, one window a row.

train: {"label": 0 or 1, "lines": [masked line, ...], "count": how often it occurs}, distinct windows.
test: {"lines": [...]}, distinct windows, without their labels.
scores: {"score": number, "anomalous": true or false} for each test window in order, then one row of the seconds spent.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


class BaselineError(Exception):
    """The method cannot judge these data; the message says why."""


@dataclass(frozen=True)
class TrainingWindow:
    """One distinct window with its label (1 is anomalous) and how often it occurs."""

    lines: tuple[str, ...]
    label: int
    count: int


@dataclass(frozen=True)
class Score:
    """`score`: the higher, the more anomalous, on the method's own scale. `answer`: what a language model said."""

    score: float
    anomalous: bool
    answer: str | None = None


#: Training windows to what judges test windows, in their order.
Train = Callable[[list[TrainingWindow]], Callable[[list[tuple[str, ...]]], list[Score]]]


def normal_of(train: Iterable[TrainingWindow]) -> list[TrainingWindow]:
    """What a method learns from that knows nothing but normal windows."""
    normal = [window for window in train if window.label == 0]
    if not normal:
        raise BaselineError("No training window is normal, and this method learns from normal ones.")
    return normal


def read_train(path: Path) -> list[TrainingWindow]:
    return [TrainingWindow(tuple(row["lines"]), row["label"], row.get("count", 1)) for row in _rows(path)]


def read_test(path: Path) -> list[tuple[str, ...]]:
    return [tuple(row["lines"]) for row in _rows(path)]


def write_scores(path: Path, scores: list[Score], train_seconds: float | None, score_seconds: float) -> None:
    rows = [
        {"score": float(row.score), "anomalous": bool(row.anomalous)}
        | ({} if row.answer is None else {"answer": row.answer})
        for row in scores
    ]
    rows.append({"trainSeconds": train_seconds, "scoreSeconds": score_seconds})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def timed(work: Callable):
    """What `work` returns, and the seconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def say(what: str) -> None:
    """Progress: `logguardian benchmark` shows the last line."""
    print(what, file=sys.stderr, flush=True)


def _rows(path: Path) -> Iterable[dict]:
    try:
        with path.open(encoding="utf-8") as rows:
            for row in rows:
                yield json.loads(row)
    except (OSError, json.JSONDecodeError) as error:
        raise BaselineError(f"{path} cannot be read: {error}.") from error
