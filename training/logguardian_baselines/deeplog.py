"""An LSTM in DeepLog's manner (Du et al., DeepLog, CCS 2017): which line follows the ten before it, in normal windows.

A window is anomalous when one of its lines is not among the candidates that the model finds likeliest there: as many as
judge the training windows best by their labels, or the paper's nine where none of them is anomalous. Its other numbers:
history 10, two layers of 64 units. Histories are padded at a window's start. A window too short
for one full history ends with a mark of its own, as public implementations have it: a session that breaks off is then
found. Each distinct history is computed once: the result is the same, and sessions repeat.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from torch import nn

from .windows import Score, Train, TrainingWindow, normal_of, say

HISTORY = 10
CANDIDATES = 9
UNITS = 64
STEPS = 1500
BATCH = 256
LEARNING_RATE = 2e-3

#: Ids of what may come next begin at 2.
PADDING, UNSEEN, FIRST = 0, 1, 2
#: Stands in a window's place of a line.
END = None


class NextLine(nn.Module):
    """int64 [histories, HISTORY] ids -> [histories, targets] logits of what comes next."""

    def __init__(self, targets: int):
        super().__init__()
        # The paper's one-hot input times the first layer's weights, as a table.
        self.table = nn.Embedding(targets + FIRST, UNITS)
        self.lstm = nn.LSTM(UNITS, UNITS, num_layers=2, batch_first=True)
        self.output = nn.Linear(UNITS, targets)

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(self.table(histories))
        return self.output(states[:, -1])


class Ids:
    """Ids of the lines of normal windows, and of their end where one of them is short."""

    def __init__(self, normal: list[TrainingWindow]):
        symbols = dict.fromkeys(symbol for window in normal for symbol in _symbols(window.lines))
        self.of = {symbol: number for number, symbol in enumerate(symbols, FIRST)}

    def steps(self, lines: tuple[str, ...]) -> list[tuple[tuple[int, ...], int]]:
        """For each line the ids before it and its own."""
        ids = [PADDING] * HISTORY + [self.of.get(symbol, UNSEEN) for symbol in _symbols(lines)]
        return [(tuple(ids[place - HISTORY : place]), ids[place]) for place in range(HISTORY, len(ids))]


def _symbols(lines: tuple[str, ...]) -> tuple[str | None, ...]:
    return (*lines, END) if len(lines) <= HISTORY else lines


def deeplog(seed: int, threads: int, steps: int = STEPS) -> Train:
    def train(windows: list[TrainingWindow]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        normal = normal_of(windows)
        ids = Ids(normal)
        occurrences: Counter = Counter()
        for window in normal:
            for step in ids.steps(window.lines):
                occurrences[step] += window.count
        model = _fit(occurrences, len(ids.of), seed, steps)
        candidates = _choose_candidates(windows, _places(model, ids, [window.lines for window in windows]))
        say(f"a line is a surprise that is not among the {candidates} likeliest")

        def score(tested: list[tuple[str, ...]]) -> list[Score]:
            return [_score(places, candidates) for places in _places(model, ids, tested)]

        return score

    return train


def _fit(occurrences: Counter, targets: int, seed: int, steps: int) -> NextLine:
    model = NextLine(targets)
    histories = torch.tensor([history for history, _ in occurrences])
    following = torch.tensor([target - FIRST for _, target in occurrences])
    shares = np.cumsum(np.fromiter(occurrences.values(), float))
    random = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        # As often as they occur, as if the logs were read through.
        drawn = torch.from_numpy(np.searchsorted(shares, random.random(BATCH) * shares[-1], side="right"))
        loss = nn.functional.cross_entropy(model(histories[drawn]), following[drawn])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            say(f"step {step + 1} of {steps}, loss {loss.item():.3f}")
    return model.eval()


@torch.no_grad()
def _places(model: NextLine, ids: Ids, windows: list[tuple[str, ...]]) -> list[np.ndarray]:
    """For each line of each window how many others are likelier there; a line never seen stands behind all."""
    steps = [ids.steps(lines) for lines in windows]
    distinct = {history: number for number, history in enumerate(dict.fromkeys(h for some in steps for h, _ in some))}
    ranks = np.concatenate([_ranks(model(part)) for part in torch.tensor(list(distinct)).split(4096)])
    return [
        np.array([len(ids.of) if line == UNSEEN else ranks[distinct[history], line - FIRST] for history, line in some], int)
        for some in steps
    ]


def _choose_candidates(windows: list[TrainingWindow], places: list[np.ndarray]) -> int:
    """The number with the best F1 on training windows, each as often as it occurs; the greatest of equally good ones."""
    labels = np.array([window.label for window in windows])
    if not labels.any():
        return CANDIDATES
    counts = np.array([window.count for window in windows])
    worst = np.array([some.max() for some in places])
    order = np.argsort(-worst, kind="stable")
    flagged, found = np.cumsum(counts[order]), np.cumsum((counts * labels)[order])
    f1 = 2 * found / (flagged + found[-1])
    # One threshold flags all windows with the same worst place, or none of them.
    lasts = np.flatnonzero(np.diff(worst[order], append=-1))
    return int(worst[order][lasts[f1[lasts].argmax()]])


def _score(places: np.ndarray, candidates: int) -> Score:
    """The worst line decides; among windows of equally bad ones the share of lines that surprise."""
    worst = int(places.max())
    return Score(worst + (places >= candidates).sum() / (len(places) + 1), worst >= candidates)


def _ranks(logits: torch.Tensor) -> np.ndarray:
    """[histories, targets] logits -> int16 or int32 places, 0 the likeliest."""
    places = logits.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return places.numpy().astype(np.int16 if logits.shape[1] < 2**15 else np.int32)
