"""What the command line does: train and export, write the dev parts."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch

from . import bundle, data, encoder, recipe, training
from .calibration import Calibration, calibrate, expected_calibration_error
from .data import DataError, Sequence
from .metrics import Labelled, average_precision, scores_at
from .model import WindowModel, margins


def train(arguments) -> None:
    torch.set_num_threads(arguments.threads)
    wanted = recipe.load(arguments.recipe)
    if not arguments.hold_out and arguments.calibrate_from is None:
        raise DataError("Training on everything leaves nothing to calibrate on. Give --calibrate-from a bundle trained with --hold-out.")
    taken = None if arguments.hold_out else inherited(arguments.calibrate_from)
    say(f"Exporting the encoder ({encoder.model_dir().name}) to ONNX.")
    work = arguments.out.parent / f"{arguments.out.name}.work"
    pooled = work / "encoder.onnx"
    encoder.export_encoder(pooled)
    say("Reading the data.")
    texts, hdfs, bgl = data.load(arguments.data, arguments.hold_out)
    tokenizer = encoder.load_tokenizer(wanted.window.max_tokens)
    vectors = torch.from_numpy(encoder.embed(pooled, tokenizer, texts.rows, arguments.threads))
    say(f"Training {wanted.name}: {len(texts.rows)} distinct lines, {len(hdfs.fit)} + {len(bgl.fit)} distinct sequences.")
    trained = training.train(wanted, vectors, hdfs, bgl)
    calibration, metrics = taken if taken else assess(trained.model, vectors, hdfs, bgl)
    metrics["training"] = {
        "data": "without the dev and validation parts" if arguments.hold_out else "all of train",
        "seed": wanted.seed,
        "steps": wanted.training.steps,
        "minutes": round(trained.seconds / 60, 1),
    }
    bundle.export(arguments.out, wanted, trained.model, pooled, calibration, metrics)
    say(f"Wrote {arguments.out}.")


def assess(model: WindowModel, vectors: torch.Tensor, hdfs: data.DataSet, bgl: data.DataSet) -> tuple[Calibration, dict]:
    """Calibrates on the validation parts, then scores the dev parts once."""

    def labelled(sequences: list[Sequence]) -> Labelled:
        return Labelled(
            margins(model, vectors, [sequence.lines for sequence in sequences]).numpy(),
            np.array([sequence.label for sequence in sequences]),
            np.array([sequence.count for sequence in sequences], float),
        )

    calibration = calibrate([labelled(hdfs.validation), labelled(bgl.validation)])
    threshold = calibration.margin_threshold
    seen = hdfs.fit + hdfs.validation
    bgl_dev = labelled(bgl.dev)
    parts = {
        "HDFS dev, all sessions": labelled(hdfs.dev),
        "HDFS dev, distinct sequences never seen": labelled(data.unseen(hdfs.dev, seen)).distinct(),
        "BGL dev (last 20 % in time), all windows": bgl_dev,
        "BGL dev, distinct windows": bgl_dev.distinct(),
    }
    figures = {}
    for name, part in parts.items():
        scores = scores_at(part, threshold)
        figures[name] = {
            **{key: round(value, 4) for key, value in scores.items()},
            "averagePrecision": round(average_precision(part), 4),
            "f1AtMargin0": round(scores_at(part, 0)["f1"], 4),
            "calibrationError": round(expected_calibration_error(part, calibration), 4),
        }
        say(f"{name}: " + "  ".join(f"{key} {value:.3f}" for key, value in figures[name].items()))
    say(f"Margin threshold {threshold:.2f}, chosen on validation parts that are neither trained on nor dev.")
    return calibration, {"heldOut": figures}


def inherited(folder: Path) -> tuple[Calibration, dict]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        return Calibration(**manifest["calibration"]), {
            "heldOut": manifest["metrics"]["heldOut"],
            "heldOutMeaning": "figures of the same recipe trained without the validation and dev parts; calibration is taken from it",
        }
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise DataError(f"{folder} is no bundle trained with --hold-out. Train one first.") from error


def splits(arguments) -> None:
    """The dev parts as rows {"label", "lines"}, every occurrence a row, as `logguardian evaluate` reads them.

    `--with-train` adds what precedes them, fit and validation parts together: what `logguardian benchmark` trains on.
    """
    texts, hdfs, bgl = data.load(arguments.data, hold_out=True)
    never_seen = [Sequence(s.lines, s.label) for s in data.unseen(hdfs.dev, hdfs.fit + hdfs.validation)]
    parts = {"hdfs-dev": hdfs.dev, "hdfs-dev-unseen": never_seen, "bgl-dev": bgl.dev}
    if arguments.with_train:
        parts |= {f"{part.name}-train": part.fit + part.validation for part in (hdfs, bgl)}
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        path = arguments.out / f"{name}.jsonl.gz"
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as out:
            for sequence in part:
                row = json.dumps({"label": sequence.label, "lines": [texts.rows[line] for line in sequence.lines]})
                out.write((row + "\n") * sequence.count)
        say(f"Wrote {path}: {sum(sequence.count for sequence in part)} rows.")


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
