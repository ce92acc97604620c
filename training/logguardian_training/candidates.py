"""Which models are trained, on what, and which of them is chosen.

| models     | learn from                                      | for                                              |
| ---------- | ----------------------------------------------- | ------------------------------------------------ |
| selection  | early, without the texts of a fold (one a seed) | seed, checkpoint, calibration and threshold      |
| held out   | early + validation                              | figures on dev, which nothing is chosen by       |
| shipped    | all                                             | the bundle                                       |
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import data, training
from .calibration import Calibration, calibrate, expected_calibration_error, shown
from .calibration import figures as figures_of
from .data import DataSet, Sequence, Texts
from .errors import TrainingError
from .metrics import Labelled, average_precision
from .model import WindowModel, margins
from .recipe import Recipe
from .training import Material, Trained


#: What a selection model is judged by, in the order of `Workshop.parts`.
VALIDATION = ("HDFS", "HDFS never seen", "BGL", "BGL with held-out texts")


@dataclass(frozen=True)
class Corpus:
    texts: Texts
    vectors: torch.Tensor
    hdfs: DataSet
    bgl: DataSet
    #: Vectors of other systems' lines.
    others: torch.Tensor


@dataclass(frozen=True)
class Job:
    purpose: str
    seed: int
    fold: int | None = None

    @property
    def name(self) -> str:
        return "-".join(str(part) for part in (self.purpose, self.seed, self.fold) if part is not None)


@dataclass(frozen=True)
class Choice:
    seed: int
    step: int
    calibration: Calibration
    #: `ranking_error` on validation, by seed and step.
    errors: dict[tuple[int, int], float]


@dataclass
class Result:
    trained: Trained
    #: Of each checkpoint, what `Workshop.parts` names, in its order.
    judged: dict[int, list[Labelled]]


class Workshop:
    """Trains and judges what is asked for, several at once, each once; what was begun in `work` goes on."""

    def __init__(self, recipe: Recipe, corpus: Corpus, work: Path, processes: int):
        self.recipe, self.corpus, self.work, self.processes = recipe, corpus, work, processes
        self.results: dict[Job, Result] = {}

    @property
    def selection_jobs(self) -> list[Job]:
        """Each seed holds out a fold of its own."""
        selection = self.recipe.selection
        return [Job("selection", seed, place % selection.folds) for place, seed in enumerate(selection.seeds)]

    @property
    def held_out_jobs(self) -> list[Job]:
        return [Job("held-out", seed) for seed in self.recipe.selection.seeds]

    def train(self, jobs: list[Job]) -> None:
        pool = ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn"), _end_with_parent)
        try:
            running = {
                pool.submit(_train, self.recipe, job, self._given(job), self.work / f"{job.name}.pt"): job
                for job in jobs
                if job not in self.results
            }
            for result in as_completed(running):
                self.results[running[result]] = result.result()
        except BrokenProcessPool as error:
            raise TrainingError(
                f"A training process was ended from outside, as a machine does that has not enough memory for --jobs {self.processes}. "
                "The same command, or one with fewer jobs, goes on from the last checkpoints."
            ) from error
        finally:
            # After an error nobody waits for the others: their checkpoints stand.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()

    def _given(self, job: Job) -> bytes:
        """By value: tensors that the pool hands over share a socket with the parent, which a killed process breaks aloud."""
        return pickle.dumps((self.material(job), self.parts(job)))

    def material(self, job: Job) -> Material:
        hdfs, bgl = self.corpus.hdfs, self.corpus.bgl
        if job.purpose == "selection":
            parts = hdfs.early, self._folded(job.fold)[0]
        elif job.purpose == "held-out":
            parts = tuple(data.merged(one.early, one.validation) for one in (hdfs, bgl))
        else:
            parts = tuple(data.merged(one.early, one.validation, one.dev) for one in (hdfs, bgl))
        return Material(self.corpus.vectors, *parts, bgl.alert_texts, self.corpus.others)

    def parts(self, job: Job) -> list[list[Sequence]]:
        """What a model is judged by, of what it never saw: HDFS, its sequences never seen, BGL, and windows of BGL with a
        text of the fold (selection) or with a line never seen (held out)."""
        hdfs, bgl = self.corpus.hdfs, self.corpus.bgl
        if job.purpose == "selection":
            return [hdfs.validation, data.unseen(hdfs.validation, hdfs.early), bgl.validation, self._folded(job.fold)[1]]
        if job.purpose == "held-out":
            seen = [data.merged(one.early, one.validation) for one in (hdfs, bgl)]
            return [hdfs.dev, data.unseen(hdfs.dev, seen[0]), bgl.dev, data.with_new_lines(bgl.dev, seen[1])]
        return []

    def _folded(self, fold: int | None) -> tuple[list[Sequence], list[Sequence]]:
        selection = self.recipe.selection
        return data.hold_out_texts(self.corpus.bgl.early, self.corpus.texts, fold or 0, selection.folds, selection.rare)


def _end_with_parent() -> None:
    """A process of the pool outlives a killed parent, and would write to the checkpoints of the run that goes on."""

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _train(recipe: Recipe, job: Job, given: bytes, checkpoint: Path) -> Result:
    torch.set_num_threads(1)
    material, parts = pickle.loads(given)
    trained = training.train(recipe, job.seed, material, checkpoint, name=f"{job.name}  ")
    judged = {step: _judge(model, material.vectors, parts, recipe.window.max_lines) for step, model in trained.snapshots.items()}
    return Result(trained, judged)


def _judge(model: WindowModel, vectors: torch.Tensor, parts: list[list[Sequence]], most: int) -> list[Labelled]:
    """What stands in several parts is judged once."""
    windows = list(dict.fromkeys(sequence.lines[:most] for part in parts for sequence in part))
    found = dict(zip(windows, margins(model, vectors, windows).numpy(), strict=True)) if windows else {}
    return [
        Labelled(
            np.array([found[sequence.lines[:most]] for sequence in part]),
            np.array([sequence.label for sequence in part]),
            np.array([sequence.count for sequence in part], float),
        )
        for part in parts
    ]


def choose(workshop: Workshop, say: Callable[[str], None]) -> Choice:
    """Checkpoint and seed by the ranking on validation, calibration and threshold on margins of all folds.

    A checkpoint is judged by all seeds and all folds together: between two checkpoints of one seed, or two folds, chance
    is as large as what is learnt. The seed is chosen by what all share.
    """
    selection, jobs = workshop.recipe.selection, workshop.selection_jobs
    workshop.train(jobs)
    parts = {
        (job.seed, step): [part.damped() for part in judged] for job in jobs for step, judged in workshop.results[job].judged.items()
    }
    errors = {place: ranking_error(found) for place, found in parts.items()}
    step = min(workshop.results[jobs[0]].judged, key=lambda step: np.mean([np.log(errors[seed, step]) for seed in selection.seeds]))
    seed = min(selection.seeds, key=lambda seed: ranking_error(parts[seed, step][:-1]))
    say("On validation, average precision:")
    say(f"seed   step  ranking error  {', '.join(VALIDATION)}")
    for (one, at), found in parts.items():
        columns = "  ".join(shown(average_precision(part)) for part in found)
        say(f"{one:4d}  {at:5d}  {errors[one, at]:13.4f}  {columns}{'  chosen' if (one, at) == (seed, step) else ''}")
    mean = float(np.exp(np.mean([np.log(errors[one, step]) for one in selection.seeds])))
    say(f"Chosen on validation: step {step}, seed {seed}, of {len(errors)} candidates. Ranking error there, mean of all seeds: {mean:.4f}.")
    crossed = Labelled.joined([parts[one, step][-1] for one in selection.seeds])
    calibrated = [*parts[seed, step][:-1], crossed]
    calibration = calibrate(calibrated, workshop.recipe.objective, [1, 1, 1, selection.held_out_share])
    for name, part in zip(VALIDATION, calibrated, strict=True):
        say(f"{name}: " + ", ".join(f"{key} {shown(value)}" for key, value in figures_of(part, calibration).items()))
    return Choice(seed, step, calibration, errors)


def ranking_error(parts: list[Labelled]) -> float:
    """Geometric mean of 1 - average precision: half the error counts the same where a part is easy and where it is hard."""
    found = [average_precision(part) for part in parts]
    return float(np.exp(np.mean([np.log(max(1e-4, 1 - value)) for value in found if value is not None])))


def figures(workshop: Workshop, choice: Choice, say: Callable[[str], None]) -> dict:
    """All candidates on the dev parts, once each, and the chosen one's figures at the chosen threshold."""
    jobs = workshop.held_out_jobs
    workshop.train(jobs)
    candidates = []
    for job in jobs:
        for step, (all_hdfs, unseen, all_bgl, new_lines) in workshop.results[job].judged.items():
            parts = {
                "HDFS dev, all sessions": all_hdfs,
                "HDFS dev, distinct sequences never seen": unseen.distinct(),
                "BGL dev (last 20 % in time), all windows": all_bgl,
                "BGL dev, distinct windows": all_bgl.distinct(),
                "BGL dev, windows with lines never seen": new_lines,
            }
            rows = {name: figures_of(part, choice.calibration) for name, part in parts.items() if len(part.labels)}
            error = expected_calibration_error(Labelled.joined([all_hdfs, all_bgl]), choice.calibration)
            chosen = (job.seed, step) == (choice.seed, choice.step)
            candidates.append(
                {
                    "seed": job.seed,
                    "step": step,
                    "chosen": chosen,
                    "f1": {name: row["f1"] for name, row in rows.items()},
                    "bglAveragePrecision": rows["BGL dev (last 20 % in time), all windows"]["averagePrecision"],
                    "calibrationError": round(error, 4),
                    "validationRankingError": round(choice.errors[job.seed, step], 4),
                }
            )
            if chosen:
                held_out = {**rows, "all dev data": {"calibrationError": round(error, 4)}}
    say(f"seed   step  validation  BGL AP     ECE  F1: {', '.join(candidates[0]['f1'])}")
    for row in candidates:
        f1 = "  ".join(shown(value, "8.4f") for value in row["f1"].values())
        say(
            f"{row['seed']:4d}  {row['step']:5d}  {row['validationRankingError']:10.4f}  {shown(row['bglAveragePrecision'])}  "
            f"{row['calibrationError']:6.4f}  {f1}{'  chosen' if row['chosen'] else ''}"
        )
    at_step = [row["bglAveragePrecision"] for row in candidates if row["step"] == choice.step and row["bglAveragePrecision"] is not None]
    if at_step:
        say(f"BGL's average precision at step {choice.step}, mean of {len(at_step)} seeds: {np.mean(at_step):.3f}.")
    return {"heldOut": held_out, "candidates": candidates}

