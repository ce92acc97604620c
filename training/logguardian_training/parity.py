"""Parity: the product's own pipeline must answer as the trainer does, window for window."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import product
from .errors import TrainingError

#: Numbers of a line's vector that `logguardian model margins --trace` shows.
TRACED = 8
#: Relative, of a vector's number: another matrix library in fp32.
VECTOR_TOLERANCE = 1e-3
#: What the product answers when it cannot even begin, by the code of its error.
PROMPT_CODES = ("LG_BUNDLE_PROMPT", "LG_NATIVE_PARITY")


class ParityError(TrainingError):
    """The exported bundle does not answer as the trainer does; the message names the part that differs."""

    def __init__(self, part: str, message: str):
        super().__init__(message)
        #: tokens, embedding, prompt or logits
        self.part = part


@dataclass(frozen=True)
class Expected:
    """What the trainer computed for the windows of one data set."""

    #: Masked lines of each window, cut at the bundle's limit.
    windows: list[list[str]]
    #: [windows]
    margins: np.ndarray
    #: Of each distinct line: the encoder's token ids, and the first numbers (TRACED at least) of its projected vector.
    tokens: dict[str, list[int]]
    embeddings: dict[str, np.ndarray]


@dataclass(frozen=True)
class Agreement:
    windows: int
    #: Largest and mean difference of margins.
    worst: float
    mean: float
    #: The product's own, [windows].
    margins: np.ndarray

    def row(self) -> dict:
        """As it stands in a manifest."""
        return {"windows": self.windows, "worst": round(self.worst, 5), "mean": round(self.mean, 5)}


def check(folder: Path, expected: dict[str, Expected], tolerance: float) -> dict[str, Agreement]:
    """Scores the windows of each data set by the bundle in `folder`, through `logguardian model margins --trace`.

    Raises ParityError for the first part that differs, ProductError where Node is missing.
    """
    rows = _product(folder, [window for part in expected.values() for window in part.windows])
    found, start = {}, 0
    for name, part in expected.items():
        mine = rows[start : start + len(part.windows)]
        start += len(mine)
        found[name] = _compare(name, part, mine, tolerance)
    return found


def _product(folder: Path, windows: list[list[str]]) -> list[dict]:
    given = "".join(json.dumps({"lines": window}) + "\n" for window in windows)
    try:
        answered = product.run(["model", "margins", str(folder), "--trace"], given)
    except product.ProductError as error:
        part = next(("prompt" for code in PROMPT_CODES if code in str(error)), "bundle")
        raise ParityError(part, f"The product refuses the exported bundle ({part}): {error}") from error
    rows = [json.loads(row) for row in answered.splitlines()]
    if len(rows) != len(windows):
        raise ParityError("bundle", f"The product answered {len(rows)} of {len(windows)} windows.")
    return rows


def _compare(name: str, part: Expected, rows: list[dict], tolerance: float) -> Agreement:
    seen: set[str] = set()
    for window, row in zip(part.windows, rows, strict=True):
        for place, line in enumerate(window):
            if line not in seen:
                seen.add(line)
                _compare_line(name, part, line, row["tokens"][place], row["embeddings"][place])
    margins = np.array([row.get("margin", np.nan) for row in rows])
    differences = np.abs(margins - part.margins)
    # A window without a margin counts as the worst of all.
    differences[np.isnan(differences)] = np.inf
    worst, mean = float(differences.max()), float(differences.mean())
    if worst > tolerance:
        place = int(differences.argmax())
        why = rows[place].get("error", f"{margins[place]:.4f}")
        raise ParityError(
            "logits",
            f"The logits differ on {name}: window {place} of {len(part.windows[place])} lines has the margin {part.margins[place]:.4f} "
            f"in the trainer and {why} in the product, more than the tolerance of {tolerance} (mean difference {mean:.4f}); "
            "tokens, embedding and prompt agree.",
        )
    return Agreement(len(rows), worst, mean, margins)


def _compare_line(name: str, part: Expected, line: str, tokens: list[int], embedding: list[float]) -> None:
    if tokens != list(part.tokens[line]):
        raise ParityError("tokens", f"The tokens differ on {name}: {line!r} is {list(part.tokens[line])} in the trainer and {tokens} in the product.")
    mine, theirs = np.asarray(part.embeddings[line][:TRACED], float), np.asarray(embedding, float)[: len(part.embeddings[line])]
    if mine.shape != theirs.shape or not np.all(np.abs(mine - theirs) <= VECTOR_TOLERANCE * np.maximum(1, np.abs(mine))):
        raise ParityError(
            "embedding",
            f"The embedding differs on {name}: the vector of {line!r} begins {np.round(mine, 4).tolist()} in the trainer "
            f"and {np.round(theirs, 4).tolist()} in the product.",
        )
