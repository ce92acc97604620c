"""One optimiser step: each distinct line embedded once, the Llama in micro-batches, gradients summed over processes."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ..data import Sequence
from .model import LogLLM
from .recipe import TrainingRecipe


class Lines:
    """Token ids of every distinct line, and the encoder's vectors as long as the encoder does not change."""

    def __init__(self, tokens: list[list[int]]):
        self.tokens = tokens
        self._vectors: dict[int, torch.Tensor] = {}

    def forget(self) -> None:
        self._vectors = {}

    def vectors(self, model: LogLLM, lines: list[int], learning: bool) -> torch.Tensor:
        """[lines, encoder width]; with gradients where the encoder is learning."""
        if learning:
            return model.encode([self.tokens[line] for line in lines])
        missing = [line for line in lines if line not in self._vectors]
        if missing:
            with torch.no_grad():
                # One by one: a vector must not depend on which lines happened to be missing beside it.
                for line in missing:
                    self._vectors[line] = model.encode([self.tokens[line]])[0]
        return torch.stack([self._vectors[line] for line in lines])


def accumulate(model: LogLLM, lines: Lines, batch: list[Sequence], parts: list[str], recipe: TrainingRecipe, total: int, max_lines: int) -> float:
    """Adds the gradients of `batch` (this process's share of `total` samples) and returns its share of the mean loss.

    The graph of encoder and projector is kept once for the whole step: the micro-batches leave their gradients at the
    projected vectors, which then go back through it together.
    """
    distinct = sorted({line for sequence in batch for line in sequence.lines[:max_lines]})
    place = {line: number for number, line in enumerate(distinct)}
    with torch.set_grad_enabled("encoder" in parts or "projector" in parts):
        projected = model.projector(lines.vectors(model, distinct, "encoder" in parts))
    embedded = projected.detach().requires_grad_(projected.requires_grad)
    loss = 0.0
    # The step's gradient is a sum, so its order is free: windows of like length waste no padding.
    batch = by_length(batch)
    for start in range(0, len(batch), recipe.micro_batch):
        micro = batch[start : start + recipe.micro_batch]
        part = losses(model, embedded, micro, place, recipe, max_lines).sum() / total
        part.backward()
        loss += part.item()
    if projected.requires_grad:
        projected.backward(embedded.grad)
    return loss


def losses(model: LogLLM, embedded: torch.Tensor, batch: list[Sequence], place: dict[int, int], recipe: TrainingRecipe, max_lines: int) -> torch.Tensor:
    """[batch]: cross-entropy over the answer's tokens (the paper's), and on the margin, by the recipe's weights."""
    answers = [model.answer(sequence.label).ids for sequence in batch]
    windows = [[place[line] for line in sequence.lines[:max_lines]] for sequence in batch]
    # The last of an answer is only predicted.
    found = model.logits(embedded, windows, [answer[:-1] for answer in answers])
    whole = torch.stack(
        [cross_entropy(logits, torch.tensor(answer, device=logits.device)) for logits, answer in zip(found, answers, strict=True)]
    )
    margin = model.margin(torch.stack([logits[0] for logits in found]))
    labels = torch.tensor([float(sequence.label) for sequence in batch], device=margin.device)
    return recipe.answer_weight * whole + recipe.margin_weight * binary_cross_entropy_with_logits(margin, labels, reduction="none")


def by_length(batch: list[Sequence]) -> list[Sequence]:
    return sorted(batch, key=lambda sequence: len(sequence.lines))


@torch.no_grad()
def validation_loss(model: LogLLM, lines: Lines, batch: list[Sequence], recipe: TrainingRecipe, max_lines: int) -> float:
    """Summed over `batch`, as at inference."""
    model.eval()
    total = 0.0
    batch = by_length(batch)
    for start in range(0, len(batch), recipe.micro_batch):
        micro = batch[start : start + recipe.micro_batch]
        distinct = sorted({line for sequence in micro for line in sequence.lines[:max_lines]})
        embedded = model.projector(model.encode([lines.tokens[line] for line in distinct]))
        total += losses(model, embedded, micro, {line: number for number, line in enumerate(distinct)}, recipe, max_lines).sum().item()
    return total


def seed_step(seed: int, stage: int, step: int, process: int) -> None:
    """Every random number of a step follows from these four: that is why a resumed run ends with the same bits."""
    torch.manual_seed(int(np.random.SeedSequence([seed, stage, step, process]).generate_state(1, np.uint64)[0] >> 1))
