"""A small bundle learns a large one's verdicts (Hinton, Vinyals and Dean 2015).

The teacher is any bundle: the product gives its margins on windows whose labels nobody looks at, and the student's target
is the teacher's calibrated score. Labels serve the figures on the dev parts alone, which the student never sees.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import bundle, data, product, training
from .bundle import Compared
from .calibration import Calibration, figures, match
from .candidates import Corpus
from .data import DataError, Sequence
from .metrics import Labelled
from .model import WindowModel, margins
from .recipe import Recipe
from .training import Material

#: Windows that the product is asked for at a time: a kill loses no more.
CHUNK = 128
#: Of the windows the teacher judged, every so-manieth is kept back for the student's calibration.
KEPT_BACK = 10


@dataclass(frozen=True)
class Teacher:
    folder: Path
    name: str
    version: str
    id: str
    calibration: Calibration

    @staticmethod
    def load(folder: Path) -> "Teacher":
        path = folder / "manifest.json"
        if not path.is_file():
            raise DataError(f"{folder} is no bundle: it has no manifest.json. Name the teacher's folder with --teacher.")
        content = path.read_bytes()
        try:
            manifest = json.loads(content)
            calibration = Calibration(**manifest["calibration"], threshold=manifest["threshold"])
            return Teacher(folder, manifest["name"], manifest["version"], data.digest(content)[:12], calibration)
        except (ValueError, LookupError, TypeError) as error:
            raise DataError(f"{path} is no manifest that can be read ({error}). Try `logguardian model verify {folder}`.") from error


def distil(
    wanted: Recipe, corpus: Corpus, teacher: Teacher, pooled: Path, work: Path, out: Path, windows: int, say: Callable[[str], None]
) -> None:
    """Writes a bundle to `out` that answers as `teacher` does on `windows` windows of both data sets together."""
    started = time.monotonic()
    seed = wanted.selection.seeds[0]
    random = np.random.default_rng(seed)
    most = wanted.window.max_lines
    drawn = {one.name: _draw(data.merged(one.early, one.validation), windows // 2, random, most) for one in (corpus.hdfs, corpus.bgl)}
    dev = {one.name: _draw(one.dev, max(1, windows // 6), random, most) for one in (corpus.hdfs, corpus.bgl)}
    asked = [sequence for part in (*drawn.values(), *dev.values()) for sequence in part]
    rows = [json.dumps({"lines": [corpus.texts.rows[line] for line in sequence.lines]}) + "\n" for sequence in asked]
    found = _ask(teacher, rows, work / f"teacher-{teacher.id}-{data.digest(''.join(rows).encode())[:12]}.jsonl", say)
    asked_seconds = time.monotonic() - started
    judged = iter(found)
    taught = {name: [(sequence, next(judged)) for sequence in part] for name, part in drawn.items()}
    compared = {name: [(sequence, next(judged)) for sequence in part] for name, part in dev.items()}
    learnt, kept_back = {}, []
    for name, pairs in taught.items():
        known = [Sequence(sequence.lines, _score(teacher, margin), sequence.count) for sequence, margin in pairs if margin is not None]
        learnt[name] = [sequence for place, sequence in enumerate(known) if place % KEPT_BACK]
        kept_back += known[::KEPT_BACK]
    material = Material(corpus.vectors, learnt["hdfs"], learnt["bgl"], None, corpus.others)
    trained = training.train(wanted, seed, material, work / "student.pt", name="student  ")
    model = trained.snapshots[wanted.training.steps]
    calibration = match(_labelled(model, corpus, kept_back), teacher.calibration.threshold)
    metrics = {
        "distilled": _compare(model, corpus, calibration, teacher, compared),
        "training": {
            "data": f"{sum(map(len, learnt.values()))} windows without labels, as {teacher.name} {teacher.version} ({teacher.id}) judges them",
            "seed": seed,
            "step": wanted.training.steps,
            "minutes": round((trained.seconds + asked_seconds) / 60, 1),
        },
    }
    for name, row in metrics["distilled"].items():
        say(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    lines = sorted({line for part in learnt.values() for sequence in part for line in sequence.lines})
    compared = Compared.of(corpus.texts, corpus.vectors, [corpus.hdfs, corpus.bgl], wanted)
    source = f"{wanted.name} {wanted.version} trained on the verdicts of {teacher.name} {teacher.version} ({teacher.id})"
    bundle.export(out, wanted, model, pooled, calibration, metrics, corpus.vectors[lines], compared, source)
    shutil.rmtree(work)
    say(f"Wrote {out}: a student of {teacher.folder}.")


def _draw(sequences: list[Sequence], count: int, random: np.random.Generator, most: int) -> list[Sequence]:
    places = random.permutation(len(sequences))[:count]
    return [Sequence(sequences[place].lines[:most], sequences[place].label, sequences[place].count) for place in sorted(places)]


def _ask(teacher: Teacher, windows: list[str], path: Path, say: Callable[[str], None]) -> list[float | None]:
    """The teacher's margins; None where it could not judge a window. What was answered before a kill stays answered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A row that a kill cut in two has no line end.
    rows = [row for row in path.read_text().splitlines(keepends=True) if row.endswith("\n")] if path.exists() else []
    path.write_text("".join(rows))
    started, before = time.monotonic(), len(rows)
    while len(rows) < len(windows):
        given = "".join(windows[len(rows) : len(rows) + CHUNK])
        answered = product.run(["model", "margins", str(teacher.folder)], given).splitlines(keepends=True)
        with path.open("a") as out:
            out.writelines(answered)
        rows += answered
        rate = (len(rows) - before) / (time.monotonic() - started)
        say(f"teacher  {len(rows)}/{len(windows)} windows  {rate:.1f} windows/s  {(len(windows) - len(rows)) / rate / 60:.1f} min left")
    return [json.loads(row).get("margin") for row in rows]


def _score(teacher: Teacher, margin: float) -> float:
    return float(teacher.calibration.scores(np.array([margin]))[0])


def _labelled(model: WindowModel, corpus: Corpus, sequences: list[Sequence]) -> Labelled:
    found = margins(model, corpus.vectors, [sequence.lines for sequence in sequences]).numpy()
    return Labelled(found, np.array([float(sequence.label) for sequence in sequences]), np.ones(len(sequences)))


def _compare(model: WindowModel, corpus: Corpus, calibration: Calibration, teacher: Teacher, parts: dict) -> dict:
    """Student and teacher on the same distinct windows of dev: agreement, and each one's figures by the labels."""
    rows = {}
    for name, pairs in parts.items():
        known = [(sequence, margin) for sequence, margin in pairs if margin is not None]
        student = _labelled(model, corpus, [sequence for sequence, _ in known])
        taught = Labelled(np.array([margin for _, margin in known]), student.labels, student.weights)
        scores, wanted = calibration.scores(student.margins), teacher.calibration.scores(taught.margins)
        verdicts = (scores >= calibration.threshold) == (wanted >= teacher.calibration.threshold)
        rows[f"{name} dev, {len(known)} distinct windows"] = {
            "sameVerdict": round(float(verdicts.mean()), 4),
            "scoreDifference": round(float(np.abs(scores - wanted).mean()), 4),
            "student": figures(student, calibration),
            "teacher": figures(taught, teacher.calibration),
        }
    return rows
