"""The training loop: both data sets in every step, cross-entropy on the margin, averaged weights, checkpoints."""

from __future__ import annotations

import copy
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from . import checkpoints, line_prior
from .data import Sequence
from .errors import TrainingError
from .model import WindowModel, pad
from .prompt import build_prompt
from .recipe import Recipe
from .sampling import NovelLines, Sampler, crop, splice


@dataclass(frozen=True)
class Material:
    """What one model learns from; `hdfs` is judged by order and counts, `bgl` by what its lines say."""

    vectors: torch.Tensor
    hdfs: list[Sequence]
    bgl: list[Sequence]
    bgl_alerts: frozenset[int] | None
    """Texts that make a window anomalous. None: nobody knows, and windows are left as they are."""
    others: torch.Tensor
    """Vectors of other systems' lines [lines, width], without labels."""

    @property
    def fingerprint(self) -> str:
        alerts = None if self.bgl_alerts is None else sorted(self.bgl_alerts)
        vectors = (part.numpy().tobytes() for part in (self.vectors, self.others))
        return checkpoints.fingerprint(*vectors, self.hdfs, self.bgl, alerts)


@dataclass
class Trained:
    #: The averaged weights after each of the recipe's checkpoints, by step.
    snapshots: dict[int, WindowModel]
    seconds: float
    first_loss: float
    last_loss: float


class Run:
    """One model in training. All that decides how it goes on is in `state`, so a killed run ends as an undisturbed one."""

    def __init__(self, recipe: Recipe, seed: int, material: Material):
        for name, sequences in (("HDFS", material.hdfs), ("BGL", material.bgl)):
            if len({sequence.is_anomalous for sequence in sequences}) < 2:
                raise TrainingError(
                    f"{name} has only one kind of label to train on. Provide normal and anomalous sequences."
                )
            if any(len(sequence.lines) == 0 for sequence in sequences):
                raise TrainingError(f"{name} has a window of zero lines. Remove it: there is nothing to learn from.")
        self.recipe, self.material = recipe, material
        settings = recipe.training
        torch.manual_seed(seed)
        self.random = np.random.default_rng(seed)
        used = sorted({line for sequence in material.hdfs + material.bgl for line in sequence.lines})
        self.prior = line_prior.fit(
            material.bgl, material.vectors, settings.prior_decay, material.others, settings.others_weight
        )
        self.model = WindowModel(build_prompt(recipe.prompt), recipe.model, material.vectors.shape[1])
        self.model.whiten_projector(material.vectors[used])
        self.averaged = copy.deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
        )
        self.hdfs_sampler, self.bgl_sampler = (
            Sampler(sequences, settings.anomalous_share, self.random) for sequences in (material.hdfs, material.bgl)
        )
        self.normal = [sequence for sequence in material.bgl if not sequence.is_anomalous]
        self.novel = NovelLines(
            torch.cat([material.vectors[used], material.others]), settings.novel_noise, self.random
        )
        self.done = 0

    def step(self) -> float:
        settings = self.recipe.training
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * _rate(self.done, settings.steps, settings.warm_up)
        self.model.train()
        self.optimizer.zero_grad()
        loss = (self._hdfs_loss() + self._bgl_loss()) / 2
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is not finite at step {self.done}. Lower the learning rate or change the seed."
            )
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise TrainingError(f"The gradient is not finite at step {self.done}. Lower the learning rate or change the seed.")
        self.optimizer.step()
        _average(self.averaged, self.model, min(settings.average, (1 + self.done) / (10 + self.done)))
        self.done += 1
        return loss.item()

    def _hdfs_loss(self) -> torch.Tensor:
        sequences = self.hdfs_sampler.draw(self.recipe.training.hdfs_batch)
        windows = [sequence.lines[: self.recipe.window.max_lines] for sequence in sequences]
        padded, lengths = pad(self.material.vectors, windows)
        for row, window in enumerate(windows):
            self._disturb(padded, row, window)
        return self._loss(padded, lengths, self._smoothed(sequences))

    def _bgl_loss(self) -> torch.Tensor:
        """Real windows by label and line prior, windows of lines never seen by the line prior alone."""
        settings = self.recipe.training
        sequences = self.bgl_sampler.draw(settings.bgl_batch)
        alerts = self.material.bgl_alerts
        if alerts is not None:
            sequences = [crop(splice(sequence, self.normal, alerts, self.random), alerts, self.random) for sequence in sequences]
        windows = [sequence.lines[: self.recipe.window.max_lines] for sequence in sequences]
        padded, lengths = pad(self.material.vectors, windows)
        targets = self._smoothed(sequences)
        for row, window in enumerate(windows):
            distinct, places = np.unique(np.array(window), return_inverse=True)
            vectors = self.material.vectors[torch.from_numpy(distinct)].clone()
            share = settings.prior_share
            if self.random.random() < settings.novel_share:
                replaced = self.random.random(len(distinct)) < 0.6
                replaced[self.random.integers(len(distinct))] = True
                vectors[torch.from_numpy(replaced)] = self.novel.draw(int(replaced.sum()))
                padded[row, : len(window)] = vectors[torch.from_numpy(places)]
                share = 1.0
            targets[row] = (1 - share) * targets[row] + share * self.prior.window(vectors)
        return self._loss(padded, lengths, targets.clamp(0.005, 0.995))

    def _smoothed(self, sequences: list[Sequence]) -> torch.Tensor:
        labels = torch.tensor([float(sequence.label) for sequence in sequences])
        smoothing = self.recipe.training.label_smoothing
        return labels * (1 - smoothing) + 0.5 * smoothing

    def _disturb(self, padded: torch.Tensor, row: int, window: tuple[int, ...]) -> None:
        """The same line gets the same noise within a window (it is another line, not a blur); its size is drawn per window."""
        size = self.recipe.training.noise * float(self.random.random()) ** 2
        distinct, place = np.unique(np.array(window), return_inverse=True)
        noise = torch.from_numpy(self.random.standard_normal((len(distinct), padded.shape[2])).astype(np.float32)) * size
        # Not every line of a window is unfamiliar.
        noise[torch.from_numpy(self.random.random(len(distinct)) < 0.5)] = 0
        padded[row, : len(window)] += noise[torch.from_numpy(place)]

    def _loss(self, padded: torch.Tensor, lengths: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = self.model(padded, lengths)
        prompt = self.model.prompt
        answers = torch.where(targets > 0.5, prompt.anomalous, prompt.normal)
        return binary_cross_entropy_with_logits(
            self.model.margin(logits), targets
        ) + self.recipe.training.answer_weight * cross_entropy(logits, answers)

    def state(self) -> dict:
        return {
            "done": self.done,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.bit_generator.state,
        }

    def restore(self, state: dict) -> None:
        self.done = state["done"]
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.bit_generator.state = state["random"]


def train(recipe: Recipe, seed: int, material: Material, checkpoint: Path | None = None, progress=sys.stderr, name="") -> Trained:
    """Reproducible from `seed` on one machine. A run that was killed goes on from `checkpoint`, if that is there.

    Raises TrainingError where nothing can be learnt, numbers are not finite, or the checkpoint is of something else.
    """
    settings = recipe.training
    run = Run(recipe, seed, material)
    snapshots: dict[int, dict] = {}
    losses: list[float] = []
    before = 0.0
    same = checkpoints.fingerprint(recipe.model, recipe.training, recipe.prompt, recipe.window, seed, material.fingerprint)
    saved = checkpoints.read(checkpoint, same) if checkpoint is not None else None
    if saved is not None:
        run.restore(saved["run"])
        snapshots, losses, before = saved["snapshots"], saved["losses"], saved["seconds"]
    started, resumed_at = time.monotonic(), run.done
    seconds = lambda: before + time.monotonic() - started  # noqa: E731
    while run.done < settings.steps:
        losses.append(run.step())
        if run.done % settings.checkpoint_every == 0 or run.done == settings.steps:
            snapshots[run.done] = copy.deepcopy(run.averaged.state_dict())
            if checkpoint is not None:
                content = {"fingerprint": same, "run": run.state(), "snapshots": snapshots, "losses": losses, "seconds": seconds()}
                checkpoints.write(checkpoint, content, run.model.state_dict(), run.done)
        if run.done % 25 == 0 or run.done == settings.steps:
            rate = (run.done - resumed_at) / max(1e-9, time.monotonic() - started)
            left = (settings.steps - run.done) / rate
            print(
                f"{name}step {run.done}/{settings.steps}  loss {np.mean(losses[-50:]):.4f}  "
                f"{rate * (settings.hdfs_batch + settings.bgl_batch):.0f} samples/s  {left / 60:.1f} min left",
                file=progress,
                flush=True,
            )
    return Trained({step: _model(run, weights) for step, weights in snapshots.items()}, seconds(), losses[0], float(np.mean(losses[-50:])))


def _model(run: Run, weights: dict) -> WindowModel:
    model = copy.deepcopy(run.averaged)
    model.load_state_dict(weights)
    return model.eval()


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Linear warm-up, then cosine down to 5 %."""
    ramp = max(1, int(steps * warm_up))
    if step < ramp:
        return (step + 1) / ramp
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - ramp) / max(1, steps - ramp)))


@torch.no_grad()
def _average(averaged: WindowModel, model: WindowModel, keep: float) -> None:
    for target, source in zip(averaged.parameters(), model.parameters(), strict=True):
        target.lerp_(source, 1 - keep)
