"""What the command line does with a recipe for a model from scratch: choose, train and export; write the dev parts."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import time
from pathlib import Path

import torch

from . import bundle, candidates, data, encoder, other_systems, recipe
from .bundle import Compared
from .candidates import Corpus, Job, Workshop
from .data import Sequence
from .distillation import Teacher, distil
from .errors import TrainingError, is_out_of_memory
from .prompt import build_prompt


def train(arguments) -> None:
    """Writes `--out`, trained on everything, and beside it `<out>.held-out`, the same without the dev parts.

    With `--teacher` one bundle, which learns that one's verdicts. Raises TrainingError; the last checkpoints then stand.
    """
    try:
        _train(arguments)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"There is not enough memory for {arguments.config.name} with --jobs {arguments.jobs}. "
            "The same command with fewer jobs goes on from the last checkpoints."
        ) from error


def _train(arguments) -> None:
    started = time.monotonic()
    wanted = recipe.load(arguments.config, arguments.set)
    prompt = build_prompt(wanted.prompt)
    longest = len(prompt.before) + wanted.window.max_lines + len(prompt.after)
    if wanted.model.context < longest:
        raise recipe.RecipeError(f"model.context must be at least {longest}: the prompt and window.max_lines lines; not {wanted.model.context}.")
    teacher = Teacher.load(arguments.teacher) if arguments.teacher else None
    held_out_dir = arguments.out.with_name(f"{arguments.out.name}.held-out")
    for folder in (arguments.out, held_out_dir):
        bundle.refuse_other(folder)
    # Finished and begun models of another recipe are of no use; those of this one are.
    work = arguments.out.parent / f"{arguments.out.name}.work" / data.digest(repr(wanted).encode())[:12]
    pooled = work / "encoder.onnx"
    torch.set_num_threads(1)
    say(f"Exporting the encoder ({encoder.model_dir().name}) to ONNX.")
    encoder.export_encoder(pooled)
    corpus = read_corpus(arguments.data, wanted, pooled)
    if teacher is not None:
        distil(wanted, corpus, teacher, pooled, work, arguments.out, arguments.teacher_windows, say)
        return
    workshop = Workshop(wanted, corpus, work, arguments.jobs)
    if arguments.dry_run:
        candidates.choose(workshop, say)
        say("Nothing was written: without --dry-run the same command goes on from here.")
        return
    # What does not depend on the choice is trained beside what it is made by.
    workshop.train(workshop.selection_jobs + workshop.held_out_jobs)
    choice = candidates.choose(workshop, say)
    metrics = candidates.figures(workshop, choice, say)
    shipped, held_out = Job("shipped", choice.seed), Job("held-out", choice.seed)
    workshop.train([shipped])
    compared = Compared.of(corpus.texts, corpus.vectors, [corpus.hdfs, corpus.bgl], wanted)
    core_minutes = round(sum(result.trained.seconds for result in workshop.results.values()) / 60, 1)
    for job, out, meaning in (
        (held_out, held_out_dir, "without the dev parts"),
        (shipped, arguments.out, "all of train; heldOut are figures of the same recipe trained without the dev parts"),
    ):
        metrics["training"] = {
            "data": meaning,
            "seed": choice.seed,
            "step": choice.step,
            "coreMinutes": core_minutes,
            "minutes": round((time.monotonic() - started) / 60, 1),
        }
        material = workshop.material(job)
        lines = sorted({line for sequence in material.hdfs + material.bgl for line in sequence.lines})
        model = workshop.results[job].trained.snapshots[choice.step]
        bundle.export(out, wanted, model, pooled, choice.calibration, metrics, corpus.vectors[lines], compared)
        say(f"Wrote {out} ({meaning}).")
    shutil.rmtree(work)
    say(f"{(time.monotonic() - started) / 60:.1f} minutes.")


def read_corpus(folder: Path, wanted: recipe.Recipe, pooled: Path) -> Corpus:
    say("Reading the data.")
    texts, hdfs, bgl = data.load(folder, wanted.text_template)
    others = other_systems.load(folder, wanted.mask_profile)
    tokenizer = encoder.load_tokenizer(wanted.window.max_tokens)
    vectors, other_vectors = (torch.from_numpy(encoder.embed(pooled, tokenizer, lines)) for lines in (texts.rows, others))
    say(f"{len(texts.rows)} distinct lines, {len(hdfs.early)} + {len(bgl.early)} distinct early sequences, {len(others)} lines of other systems.")
    return Corpus(texts, vectors, hdfs, bgl, other_vectors)


def splits(arguments) -> None:
    """The dev parts as rows {"label", "lines"}, every occurrence a row, as `logguardian evaluate` reads them.

    `--with-train` adds what precedes them: what `logguardian benchmark` trains on.
    """
    texts, hdfs, bgl = data.load(arguments.data)
    early = {one.name: data.merged(one.early, one.validation) for one in (hdfs, bgl)}
    never_seen = [Sequence(s.lines, s.label) for s in data.unseen(hdfs.dev, early["hdfs"])]
    parts = {"hdfs-dev": hdfs.dev, "hdfs-dev-unseen": never_seen, "bgl-dev": bgl.dev}
    if arguments.with_train:
        parts |= {f"{name}-train": part for name, part in early.items()}
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
