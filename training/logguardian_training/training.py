"""The training loop: both data sets in every step, cross-entropy on the margin, averaged weights."""

from __future__ import annotations

import copy
import math
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch

from .data import DataSet
from .errors import TrainingError
from .model import WindowModel, pad
from .prompt import build_prompt
from .recipe import Recipe
from .sampling import Sampler, augment_bgl


@dataclass
class Trained:
    model: WindowModel
    seconds: float
    last_loss: float
    first_loss: float


def train(recipe: Recipe, vectors: torch.Tensor, hdfs: DataSet, bgl: DataSet, progress=sys.stderr) -> Trained:
    """`vectors` [texts, width] are the frozen encoder's. Reproducible from the recipe's seed on one machine."""
    for data in (hdfs, bgl):
        labels = {sequence.label for sequence in data.fit}
        if labels != {0, 1}:
            raise TrainingError(f"{data.name} has only one kind of label to train on. Provide normal and anomalous sequences.")
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    settings = recipe.training
    model = WindowModel(build_prompt(), recipe.model, vectors.shape[1])
    used = sorted({line for data in (hdfs, bgl) for sequence in data.fit for line in sequence.lines})
    model.whiten_projector(vectors[used])
    averaged = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
    )
    samplers = [Sampler(data.fit, settings.anomalous_share, random) for data in (hdfs, bgl)]
    normal = [sequence for sequence in bgl.fit if sequence.label == 0]
    started, first, running = time.monotonic(), None, None
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _rate(step, settings.steps, settings.warm_up)
        model.train()
        optimizer.zero_grad()
        drawn = [
            samplers[0].draw(settings.hdfs_batch),
            augment_bgl(samplers[1].draw(settings.bgl_batch), bgl, normal, random),
        ]
        loss = sum(_loss(model, vectors, sequences, recipe, random) for sequences in drawn) / 2
        if not torch.isfinite(loss):
            raise TrainingError(f"The loss is not finite at step {step}. Lower the learning rate or change the seed.")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        _average(averaged, model, min(settings.average, (1 + step) / (10 + step)))
        running = loss.item() if running is None else 0.95 * running + 0.05 * loss.item()
        first = loss.item() if first is None else first
        if (step + 1) % 25 == 0 or step + 1 == settings.steps:
            elapsed = time.monotonic() - started
            rate = (step + 1) * (settings.hdfs_batch + settings.bgl_batch) / elapsed
            left = elapsed / (step + 1) * (settings.steps - step - 1)
            print(
                f"step {step + 1}/{settings.steps}  loss {running:.4f}  {rate:.0f} samples/s  {left / 60:.1f} min left",
                file=progress,
                flush=True,
            )
    averaged.eval()
    return Trained(averaged, time.monotonic() - started, running, first)


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Linear warm-up, then cosine down to 5 %."""
    ramp = max(1, int(steps * warm_up))
    if step < ramp:
        return (step + 1) / ramp
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - ramp) / max(1, steps - ramp)))


def _loss(model: WindowModel, vectors, sequences, recipe: Recipe, random: np.random.Generator) -> torch.Tensor:
    settings = recipe.training
    windows = [sequence.lines[: recipe.window.max_lines] for sequence in sequences]
    padded, lengths = pad(vectors, windows)
    padded = _noisy(padded, settings.noise, windows, random)
    logits = model(padded, lengths)
    labels = torch.tensor([float(sequence.label) for sequence in sequences])
    smooth = labels * (1 - settings.label_smoothing) + 0.5 * settings.label_smoothing
    prompt = model.prompt
    answers = torch.where(labels > 0, prompt.anomalous, prompt.normal)
    return torch.nn.functional.binary_cross_entropy_with_logits(
        model.margin(logits), smooth
    ) + settings.answer_weight * torch.nn.functional.cross_entropy(logits, answers)


def _noisy(padded, largest: float, windows, random: np.random.Generator):
    """The same line gets the same noise within a window (it is another line, not a blur); its size is drawn per window."""
    width = padded.shape[2]
    for row, window in enumerate(windows):
        size = largest * float(random.random()) ** 2
        distinct, place = np.unique(np.array(window), return_inverse=True)
        noise = torch.from_numpy(random.standard_normal((len(distinct), width)).astype(np.float32)) * size
        # Not every line of a window is unfamiliar.
        noise[torch.from_numpy(random.random(len(distinct)) < 0.5)] = 0
        padded[row, : len(window)] += noise[torch.from_numpy(place)]
    return padded


@torch.no_grad()
def _average(averaged: WindowModel, model: WindowModel, keep: float) -> None:
    for target, source in zip(averaged.parameters(), model.parameters(), strict=True):
        target.lerp_(source, 1 - keep)
