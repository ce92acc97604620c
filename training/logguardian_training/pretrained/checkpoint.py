"""What a run of the pretrained path goes on from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .. import checkpoints


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
        content = {entry.name: getattr(progress, entry.name) for entry in dataclasses.fields(progress)}
        checkpoints.write(self.path, content, progress.weights, progress.step)

    def load(self, fingerprint: str) -> Progress:
        """The last checkpoint, or the beginning."""
        content = checkpoints.read(self.path, fingerprint)
        return Progress(fingerprint) if content is None else Progress(**content)
