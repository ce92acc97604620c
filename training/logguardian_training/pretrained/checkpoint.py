"""Checkpoints that a kill at any moment leaves whole: the last one, or the one before it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..errors import TrainingError


@dataclass
class Progress:
    """Everything that the rest of training depends on.

    The order of samples, the learning rate and every random number (dropout) are functions of the recipe's seed, the
    stage and the step, so stage and step are the sampler's place, the scheduler's state and the random state in one.
    """

    fingerprint: str
    stage: int = 0
    step: int = 0
    #: LoRA matrices and projector, its running statistics included.
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    #: AdamW's state; None at the beginning of a stage.
    optimizer: dict | None = None
    #: Of the current stage, an exponential mean: what is reported.
    loss: float | None = None
    #: Early stopping in the current stage.
    best_loss: float | None = None
    best_weights: dict[str, torch.Tensor] | None = None
    without_gain: int = 0
    #: One row a stage.
    history: list[dict] = field(default_factory=list)
    seconds: float = 0.0


class Checkpoints:
    def __init__(self, folder: Path):
        self.path = folder / "checkpoint.pt"

    def save(self, progress: Progress) -> None:
        """Raises TrainingError rather than replace a good checkpoint by weights that are not finite."""
        for name, tensor in progress.weights.items():
            if not torch.isfinite(tensor).all():
                raise TrainingError(
                    f"The weights {name} are not finite after step {progress.step}, so no checkpoint was written. "
                    "Lower the learning rate; the last checkpoint stands."
                )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".partial")
        with aside.open("wb") as file:
            torch.save({entry.name: getattr(progress, entry.name) for entry in dataclasses.fields(progress)}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)

    def load(self, fingerprint: str) -> Progress:
        """The last checkpoint, or the beginning. Raises TrainingError for one of another recipe, model or data."""
        if not self.path.exists():
            return Progress(fingerprint)
        try:
            progress = Progress(**torch.load(self.path, map_location="cpu", weights_only=True))
        except Exception as error:
            raise TrainingError(f"The checkpoint {self.path} cannot be read ({error}). Remove it to begin anew.") from error
        if progress.fingerprint != fingerprint:
            raise TrainingError(f"The checkpoint {self.path} belongs to another recipe, model or data. Remove it, or choose another --out.")
        return progress


def fingerprint(*parts: object) -> str:
    """Of what must be the same for training to go on: by value, so the parts' text must say everything."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()
