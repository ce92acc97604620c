"""The trainer on tiny made-up data: no LogHub file is needed."""

import dataclasses
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_training import __main__ as program
from logguardian_training import bundle, candidates, commands, data, encoder, golden, line_prior, other_systems, parity, recipe, training
from logguardian_training.calibration import Calibration, calibrate, expected_calibration_error
from logguardian_training.data import Sequence, Texts
from logguardian_training.metrics import Labelled, average_precision, scores_at
from logguardian_training.model import WindowModel, margins
from logguardian_training.prompt import build_prompt

STARTER = Path(__file__).parent.parent / "recipes" / "starter.yaml"


@pytest.fixture(scope="session")
def pooled(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder") / "encoder.onnx"
    encoder.export_encoder(path)
    return path


@pytest.fixture
def tiny():
    wanted = recipe.load(STARTER)
    shape = dataclasses.replace(wanted.model, layers=2, width=64, heads=2, feed_forward=64)
    return dataclasses.replace(wanted, model=shape, training=dataclasses.replace(wanted.training, steps=60, checkpoint_every=20))


def test_a_recipe_with_unknown_or_missing_keys_is_refused(tmp_path):
    changed = STARTER.read_text().replace("steps:", "stepps:")
    (tmp_path / "bad.yaml").write_text(changed)
    with pytest.raises(recipe.RecipeError, match="missing key .*steps.*unknown key .*stepps"):
        recipe.load(tmp_path / "bad.yaml")


def test_the_verdicts_are_single_tokens_and_few_tokens_follow_the_lines():
    prompt = build_prompt()
    assert prompt.normal != prompt.anomalous
    assert len(prompt.after) == 3


def test_the_8_bit_encoder_is_near_the_original_and_blind_to_batch_mates(pooled):
    from transformers import AutoModel

    original = encoder.PooledEncoder(AutoModel.from_pretrained(encoder.model_dir())).eval()
    tokenizer = encoder.load_tokenizer(100)
    lines = ["Receiving block <*> src: <*> dest: <*>", "fan <*> failed", "kernel panic at <*>"]
    vectors = encoder.embed(pooled, tokenizer, lines)
    for line, vector in zip(lines, vectors, strict=True):
        ids = torch.tensor([tokenizer.encode(line).ids])
        with torch.no_grad():
            expected = original(ids, torch.ones_like(ids))[0].numpy()
        assert float(expected @ vector) / 384 > 0.998
        assert np.abs(encoder.embed(pooled, tokenizer, [line])[0] - vector).max() < 1e-5


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
        "import pickle, sys\nfrom pathlib import Path\nfrom logguardian_training import training\n"
        "training.train(*pickle.load(open(sys.argv[1], 'rb')), Path(sys.argv[2]))"
    )
    (tmp_path / "asked.pkl").write_bytes(pickle.dumps((tiny, 7, material)))
    process = subprocess.Popen([sys.executable, "-c", script, tmp_path / "asked.pkl", checkpoint], cwd=STARTER.parents[1])
    while not checkpoint.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert torch.load(checkpoint, weights_only=False)["run"]["done"] < 60
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


def test_a_loss_that_is_not_finite_ends_training_and_the_checkpoint_survives(tiny, material, tmp_path):
    training.train(dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, steps=20)), 7, material, tmp_path / "run.pt")
    before = (tmp_path / "run.pt").read_bytes()
    broken = dataclasses.replace(material, vectors=material.vectors * float("nan"))
    run = training.Run(tiny, 7, material)
    run.material = broken
    with pytest.raises(training.TrainingError, match="loss is not finite at step 0"):
        run.step()
    assert (tmp_path / "run.pt").read_bytes() == before


def killed_for_memory(*given):
    """As the kernel ends a process of the pool."""
    os.kill(os.getpid(), signal.SIGKILL)


def without_memory(*given):
    torch.empty(2**60)


@pytest.mark.parametrize("ends", [killed_for_memory, without_memory])
def test_too_little_memory_is_said_with_what_to_lower(tiny, material, tmp_path, monkeypatch, capfd, ends):
    sets = [data.DataSet(name, part, part, part) for name, part in (("hdfs", material.hdfs), ("bgl", material.bgl))]
    corpus = candidates.Corpus(Texts(), material.vectors, *sets, material.others)
    corpus.texts.rows.extend(map(str, range(len(material.vectors))))
    monkeypatch.setattr(candidates, "_train", ends)
    monkeypatch.setattr(encoder, "export_encoder", lambda path: None)
    monkeypatch.setattr(commands, "read_corpus", lambda *given: corpus)
    given = ["train", "--config", str(STARTER), "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["logguardian_training", *given])
    assert program.main() == 1
    said = capfd.readouterr().err.splitlines()
    assert "not enough memory" in said[-1] and "--jobs" in said[-1]
    assert not any("Traceback" in line for line in said)


def test_texts_are_held_out_by_folds_that_share_them_out():
    texts = Texts()
    for number in range(40):
        texts.add(f"text {number}")
    # Text 0 is in every window, so no fold holds it out.
    sequences = [Sequence((0, number), number % 2) for number in range(1, 40)]
    folds = [data.hold_out_texts(sequences, texts, fold, 3, 0.05) for fold in range(3)]
    assert sorted(sequence.lines[1] for _, held in folds for sequence in held) == list(range(1, 40))
    for kept, held in folds:
        assert kept and held and not {s.lines[1] for s in kept} & {s.lines[1] for s in held}


def test_equal_sequences_of_several_parts_are_counted_together():
    one = [Sequence((1, 2), 0, 3)]
    assert data.merged(one, [Sequence((1, 2), 0, 4), Sequence((1, 2), 1)]) == [Sequence((1, 2), 0, 7), Sequence((1, 2), 1)]


def test_sequences_and_lines_never_seen_are_told_apart():
    trained, evaluated = [Sequence((1, 2), 0)], [Sequence((1, 2), 0), Sequence((2, 1), 0), Sequence((1, 3), 1)]
    assert data.unseen(evaluated, trained) == evaluated[1:]
    assert data.with_new_lines(evaluated, trained) == evaluated[2:]


def test_the_product_masks_lines_for_the_trainer():
    assert other_systems.mask(["Received 12 bytes from 10.0.0.1", "", "x"], "logllm") == ["Received <*> bytes from <*>", "", "x"]


def test_a_bundle_is_complete_and_its_gguf_reads_back(tiny, pooled, tmp_path):
    from transformers import LlamaForCausalLM

    torch.manual_seed(3)
    model = WindowModel(build_prompt(), tiny.model, 384).eval()
    part = Labelled(np.array([-1.0, 1.0]), np.array([0, 1]), np.ones(2))
    calibration = calibrate([part], tiny.objective)
    texts = Texts()
    windows = [tuple(texts.add(line) for line in window) for window in golden.windows(5)]
    vectors = torch.from_numpy(encoder.embed(pooled, encoder.load_tokenizer(100), texts.rows))
    compared = bundle.Compared(texts, vectors, {"made-up": windows})
    bundle.export(tmp_path / "out", tiny, model, pooled, calibration, {}, torch.randn(5, 384), compared)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["metrics"]["parity"]["made-up"]["windows"] == len(windows)
    assert set(manifest["files"]) == {"embedder.onnx", "llama.gguf", "tokenizer.json", "golden.jsonl", "novelty.bin"}
    back = LlamaForCausalLM.from_pretrained(tmp_path / "out", gguf_file="llama.gguf").eval()
    ids = torch.tensor([model.prompt.before + model.prompt.after])
    with torch.no_grad():
        assert (back(ids).logits - model.llama(ids).logits).abs().max() < 1e-3


@pytest.mark.parametrize("part", ["tokens", "embedding", "prompt", "logits"])
def test_a_bundle_that_the_product_judges_otherwise_does_not_appear_and_the_part_is_named(tiny, pooled, tmp_path, monkeypatch, part):
    torch.manual_seed(3)
    model = WindowModel(build_prompt(), tiny.model, 384).eval()
    texts = Texts()
    windows = [tuple(texts.add(line) for line in window) for window in golden.windows(5)[:20]]
    vectors = torch.from_numpy(encoder.embed(pooled, encoder.load_tokenizer(100), texts.rows))
    calibration = Calibration(1.0, 0.0, 0.5)
    if part == "tokens":
        # The shipped tokenizer no longer folds case, as the trainer's does.
        copy = shutil.copy
        monkeypatch.setattr(
            shutil, "copy", lambda a, b: Path(b).write_text(Path(a).read_text().replace('"lowercase": true', '"lowercase":false').replace('"lowercase":true', '"lowercase":false')) if str(b).endswith("tokenizer.json") else copy(a, b)
        )
    elif part == "embedding":
        vectors = vectors * 1.05
    elif part == "prompt":
        write_manifest = bundle.write_manifest

        def misread(*given):
            write_manifest(*given)
            manifest = json.loads((given[-1] / "manifest.json").read_text())
            manifest["prompt"]["after"]["ids"].reverse()
            (given[-1] / "manifest.json").write_text(json.dumps(manifest))

        monkeypatch.setattr(bundle, "write_manifest", misread)
    else:
        write_gguf = bundle.write_gguf

        def other(path, model, recipe):
            write_gguf(path, model, recipe)
            with torch.no_grad():
                model.llama.model.layers[0].mlp.up_proj.weight.mul_(1.5)

        monkeypatch.setattr(bundle, "write_gguf", other)
    with pytest.raises(parity.ParityError) as refused:
        bundle.export(
            tmp_path / "out", tiny, model, pooled, calibration, {}, torch.randn(5, 384), bundle.Compared(texts, vectors, {"made-up": windows})
        )
    assert refused.value.part == part
    assert not (tmp_path / "out").exists()


def test_golden_windows_are_the_same_for_a_seed_and_within_the_limit():
    assert golden.windows(7) == golden.windows(7)
    assert max(len(window) for window in golden.windows(7)) <= 128


def test_figures_on_a_known_case():
    part = Labelled(np.array([3.0, 2.0, 1.0, 0.0]), np.array([1, 0, 1, 0]), np.ones(4))
    assert scores_at(part, 0.5) == {"precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8)}
    assert average_precision(part) == pytest.approx((1 + 2 / 3) / 2)


def test_a_ranking_error_counts_half_the_error_the_same_everywhere():
    easy, hard, perfect = (
        Labelled(np.array([3.0, 2.0, 1.0, 0.0]), np.array(labels), np.ones(4)) for labels in ([1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0])
    )
    assert candidates.ranking_error([easy, hard]) == pytest.approx((1 / 6 * 1 / 2) ** 0.5)
    assert candidates.ranking_error([perfect]) == pytest.approx(1e-4)


def test_a_calibrated_score_is_the_share_of_anomalous_windows():
    random = np.random.default_rng(5)
    margins = random.normal(size=20_000) * 3
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(0.7 * margins - 1)))).astype(int)
    part = Labelled(margins, labels, np.ones(20_000))
    found = calibrate([part], recipe.load(STARTER).objective)
    assert (found.scale, found.shift) == (pytest.approx(0.7, abs=0.05), pytest.approx(-1, abs=0.1))
    assert expected_calibration_error(part, found) < 0.02
    assert expected_calibration_error(part, Calibration(0.7, 2.0, 0.5)) > 0.1


def test_a_threshold_for_false_alarms_allows_as_many_as_stated():
    part = Labelled(np.arange(1000.0), np.repeat([0, 1], [900, 100]), np.ones(1000))
    objective = recipe.ObjectiveRecipe("false-alarms", alarms_per_day=10, windows_per_day=1000)
    # A hundredth of 900 normal windows: nine, those from 891 on.
    assert (part.margins[part.labels == 0] >= calibrate([part], objective).margin_threshold).sum() == 9


def test_a_threshold_for_f1_is_about_as_good_as_any_and_leans_on_no_single_window():
    random = np.random.default_rng(6)
    labels = (random.random(20_000) < 0.1).astype(int)
    part = Labelled(random.normal(size=20_000) + 3 * labels, labels, np.ones(20_000))
    found = calibrate([part], recipe.load(STARTER).objective)
    best = max(scores_at(part, threshold)["f1"] for threshold in np.arange(0, 4, 0.02))
    assert scores_at(part, found.margin_threshold)["f1"] == pytest.approx(best, abs=0.003)
    fewer = Labelled(part.margins[1:], part.labels[1:], part.weights[1:])
    assert calibrate([fewer], recipe.load(STARTER).objective).margin_threshold == pytest.approx(found.margin_threshold, abs=0.01)
