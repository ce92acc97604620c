"""A student learns the verdicts of the bundle that the repository ships, on made-up windows: no LogHub file is needed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_training import encoder, product
from logguardian_training.candidates import Corpus
from logguardian_training.data import DataError, DataSet, Sequence, Texts
from logguardian_training.distillation import Teacher, distil
from logguardian_training.golden import windows

TRAINING = Path(__file__).parent.parent
STARTER = TRAINING.parent / "models" / "starter"


@pytest.fixture(scope="module")
def corpus(pooled):
    texts = Texts()
    # Labels of -1: whoever uses them is found out.
    sequences = [Sequence(tuple(texts.add(line) for line in window), -1) for window in windows(3)]
    vectors = torch.from_numpy(encoder.embed(pooled, encoder.load_tokenizer(100), texts.rows))
    labelled = [Sequence(sequence.lines, place % 2) for place, sequence in enumerate(sequences[:40])]
    sets = (DataSet(name, sequences, [], labelled) for name in ("hdfs", "bgl"))
    return pooled, Corpus(texts, vectors, *sets, vectors[:5])


@pytest.fixture
def wanted(tiny):
    return dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, steps=150))


def test_a_student_answers_as_its_teacher_and_the_teacher_is_asked_once(corpus, wanted, tmp_path, monkeypatch):
    pooled, made_up = corpus
    teacher = Teacher.load(STARTER)
    said = []

    def stop(what):
        said.append(what)
        if what.startswith("student") or len([word for word in said if word.startswith("teacher")]) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distil(wanted, made_up, teacher, pooled, tmp_path / "work", tmp_path / "student", 300, stop)
    asked = []
    really = product.run

    def run(arguments, given):
        # The traced call is the comparison at export.
        if "--trace" not in arguments:
            asked.append(given.count("\n"))
        return really(arguments, given)

    monkeypatch.setattr(product, "run", run)
    distil(wanted, made_up, teacher, pooled, tmp_path / "work", tmp_path / "student", 300, said.append)
    manifest = json.loads((tmp_path / "student/manifest.json").read_text())
    rows = manifest["metrics"]["distilled"]
    assert sum(asked) + 256 == 2 * 150 + 2 * 40
    # A student of shuffled verdicts differs by .25 or more.
    assert all(row["scoreDifference"] < 0.1 and row["sameVerdict"] >= 0.8 for row in rows.values()), rows
    assert manifest["threshold"] == teacher.calibration.threshold


def test_what_is_no_bundle_teaches_nothing(tmp_path):
    with pytest.raises(DataError, match="no manifest.json"):
        Teacher.load(tmp_path)
