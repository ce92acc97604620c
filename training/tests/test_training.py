"""The trainer on tiny made-up data: no LogHub file is needed."""

import dataclasses
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_training import __main__ as program
from logguardian_training import candidates, commands, data, encoder, line_prior, training
from logguardian_training.data import Sequence, Texts
from tests.conftest import STARTER


@pytest.fixture
def material():
    vectors = torch.nn.functional.normalize(torch.randn(40, 384, generator=torch.Generator().manual_seed(1)), dim=1) * 384**0.5
    random = np.random.default_rng(2)

    def sequences():
        normal = [Sequence(tuple(random.integers(0, 15, 12).tolist()), 0) for _ in range(60)]
        return normal + [Sequence((*s.lines[:6], 17, *s.lines[6:]), 1) for s in normal[:30]]

    return training.Material(vectors[:20], sequences(), sequences(), frozenset({17}), vectors[20:])


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_training_learns_and_a_run_that_was_killed_ends_with_the_same_weights(tiny, material, tmp_path):
    undisturbed = training.train(tiny, 7, material)
    assert undisturbed.last_loss < undisturbed.first_loss
    assert list(undisturbed.snapshots) == [20, 40, 60]
    checkpoint = tmp_path / "work" / "run.pt"
    script = (
        "import os, pickle, signal, sys\nfrom pathlib import Path\nfrom logguardian_training import checkpoints, training\n"
        "write = checkpoints.write\n"
        "def dying(*given):\n    write(*given)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "checkpoints.write = dying\n"
        "training.train(*pickle.load(open(sys.argv[1], 'rb')), Path(sys.argv[2]))"
    )
    (tmp_path / "asked.pkl").write_bytes(pickle.dumps((tiny, 7, material)))
    process = subprocess.Popen([sys.executable, "-c", script, tmp_path / "asked.pkl", checkpoint], cwd=STARTER.parents[1])
    assert process.wait() == -signal.SIGKILL
    assert torch.load(checkpoint, weights_only=True)["run"]["done"] < 60
    resumed = training.train(tiny, 7, material, checkpoint)
    for step, model in undisturbed.snapshots.items():
        assert torch.equal(weights(model), weights(resumed.snapshots[step]))


def test_processes_of_a_killed_trainer_end_with_it(tmp_path):
    script = (
        "import multiprocessing, os, time\nfrom concurrent.futures import ProcessPoolExecutor\n"
        "from logguardian_training.candidates import _end_with_parent\n"
        "if __name__ == '__main__':\n"
        "    pool = ProcessPoolExecutor(1, multiprocessing.get_context('spawn'), _end_with_parent)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    time.sleep(600)"
    )
    (path := tmp_path / "pool.py").write_text(script)
    env = {**os.environ, "PYTHONPATH": str(STARTER.parents[1])}
    parent = subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True, env=env)
    child = Path("/proc") / parent.stdout.readline().strip()
    assert child.exists()
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not child.exists():
            return
        time.sleep(0.1)
    pytest.fail("The process goes on.")


def test_the_line_prior_finds_the_line_by_the_labels_of_windows_alone(material):
    prior = line_prior.fit(material.bgl, material.vectors, 0.003, material.others, 1.0)
    assert prior.lines(material.vectors).argmax() == 17
    assert prior.window(material.vectors[:15]) < 0.5 < prior.window(material.vectors[[1, 2, 17]])
    # Other systems' lines count as normal.
    assert prior.lines(material.others).max() < 0


@pytest.mark.parametrize(
    ("windows", "says"),
    [([Sequence((0,), 0)], "only one kind of label"), ([Sequence((0,), 0), Sequence((), 1)], "window of zero lines")],
)
def test_what_nothing_can_be_learnt_from_is_refused(tiny, material, windows, says):
    with pytest.raises(training.TrainingError, match=says):
        training.Run(tiny, 7, dataclasses.replace(material, bgl=windows))


def test_numbers_that_are_not_finite_end_training_and_the_checkpoint_survives(tiny, material, tmp_path, monkeypatch):
    short = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, steps=40))
    path = tmp_path / "run.pt"
    undisturbed = training.train(short, 7, material)
    loss = training.Run._loss

    def broken(run, *given):
        found = loss(run, *given)
        # The loss is finite, its gradient is not.
        return found if run.done < 25 else found + 0 * torch.sqrt(sum(p.sum() for p in run.model.projector.parameters()) * 0)

    monkeypatch.setattr(training.Run, "_loss", broken)
    with pytest.raises(training.TrainingError, match="gradient is not finite at step 25"):
        training.train(short, 7, material, path)
    monkeypatch.setattr(training.Run, "_loss", loss)
    resumed = training.train(short, 7, material, path)
    assert torch.equal(weights(resumed.snapshots[40]), weights(undisturbed.snapshots[40]))
    monkeypatch.setattr(training.Run, "_loss", lambda run, *given: loss(run, *given) * float("nan"))
    with pytest.raises(training.TrainingError, match="loss is not finite at step 0"):
        training.train(short, 7, material)


def test_a_checkpoint_of_something_else_or_cut_off_is_refused(tiny, material, tmp_path):
    short = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, steps=20))
    path = tmp_path / "run.pt"
    training.train(short, 7, material, path)
    relabelled = [dataclasses.replace(sequence, label=1 - sequence.label) for sequence in material.hdfs]
    with pytest.raises(training.TrainingError, match="another recipe, model or data"):
        training.train(short, 7, dataclasses.replace(material, hdfs=relabelled), path)
    with pytest.raises(training.TrainingError, match="another recipe, model or data"):
        training.train(short, 8, material, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(training.TrainingError, match="cannot be read.*Remove it"):
        training.train(short, 7, material, path)


def fails_at_once_or_goes_on(recipe, job, *given):
    if job.seed == 1:
        raise training.TrainingError("This one fails.")
    time.sleep(300)


def test_an_error_of_one_model_does_not_wait_for_the_others(tiny, material, tmp_path, monkeypatch):
    corpus = corpus_of(material)
    monkeypatch.setattr(candidates, "_train", fails_at_once_or_goes_on)
    workshop = candidates.Workshop(tiny, corpus, tmp_path, 2)
    with pytest.raises(training.TrainingError, match="This one fails"):
        workshop.train(workshop.held_out_jobs)
    # The pool's own thread reaps them as well: who comes second learns of it a moment later.
    deadline = time.monotonic() + 60
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not multiprocessing.active_children()


def corpus_of(material):
    sets = [data.DataSet(name, part, part, part) for name, part in (("hdfs", material.hdfs), ("bgl", material.bgl))]
    corpus = candidates.Corpus(Texts(), material.vectors, *sets, material.others)
    corpus.texts.rows.extend(map(str, range(len(material.vectors))))
    return corpus


def killed_for_memory(*given):
    """As the kernel ends a process of the pool."""
    os.kill(os.getpid(), signal.SIGKILL)


def without_memory(*given):
    torch.empty(2**60)


@pytest.mark.parametrize("ends", [killed_for_memory, without_memory])
def test_too_little_memory_is_said_with_what_to_lower(tiny, material, tmp_path, monkeypatch, capfd, ends):
    corpus = corpus_of(material)
    monkeypatch.setattr(candidates, "_train", ends)
    monkeypatch.setattr(encoder, "export_encoder", lambda path: None)
    monkeypatch.setattr(commands, "read_corpus", lambda *given: corpus)
    given = ["train", "--config", str(STARTER), "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["logguardian_training", *given])
    assert program.main() == 1
    said = capfd.readouterr().err.splitlines()
    assert "not enough memory" in said[-1] and "--jobs" in said[-1]
    assert not any("Traceback" in line for line in said)
