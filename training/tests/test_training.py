"""The trainer on tiny made-up data: no LogHub file is needed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_training import bundle, encoder, golden, recipe, training
from logguardian_training.calibration import calibrate
from logguardian_training.data import DataSet, Sequence
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
    return dataclasses.replace(wanted, model=shape, training=dataclasses.replace(wanted.training, steps=60))


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


def test_training_learns_and_is_reproducible(tiny):
    vectors = torch.randn(20, 384, generator=torch.Generator().manual_seed(1))
    random = np.random.default_rng(2)

    def sequences():
        normal = [Sequence(tuple(random.integers(0, 15, 12)), 0) for _ in range(60)]
        return normal + [Sequence((*s.lines[:6], 17, *s.lines[6:]), 1) for s in normal[:30]]

    data = [DataSet(name, sequences(), [], [], frozenset({17})) for name in ("hdfs", "bgl")]
    first = training.train(tiny, vectors, *data)
    again = training.train(tiny, vectors, *data)
    assert first.last_loss < first.first_loss
    windows = [sequence.lines for sequence in data[0].fit]
    assert torch.equal(margins(first.model, vectors, windows), margins(again.model, vectors, windows))


def test_a_data_set_of_one_label_is_refused(tiny):
    data = DataSet("hdfs", [Sequence((0,), 0)], [], [])
    with pytest.raises(training.TrainingError, match="only one kind of label"):
        training.train(tiny, torch.zeros(1, 384), data, data)


def test_a_bundle_is_complete_and_its_gguf_reads_back(tiny, pooled, tmp_path):
    from transformers import LlamaForCausalLM

    torch.manual_seed(3)
    model = WindowModel(build_prompt(), tiny.model, 384).eval()
    part = Labelled(np.array([-1.0, 1.0]), np.array([0, 1]), np.ones(2))
    bundle.export(tmp_path / "out", tiny, model, pooled, calibrate([part]), {})
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert set(manifest["files"]) == {"embedder.onnx", "llama.gguf", "tokenizer.json", "golden.jsonl"}
    back = LlamaForCausalLM.from_pretrained(tmp_path / "out", gguf_file="llama.gguf").eval()
    ids = torch.tensor([model.prompt.before + model.prompt.after])
    with torch.no_grad():
        assert (back(ids).logits - model.llama(ids).logits).abs().max() < 1e-3


def test_golden_windows_are_the_same_for_a_seed_and_within_the_limit():
    assert golden.windows(7) == golden.windows(7)
    assert max(len(window) for window in golden.windows(7)) <= 128


def test_figures_on_a_known_case():
    part = Labelled(np.array([3.0, 2.0, 1.0, 0.0]), np.array([1, 0, 1, 0]), np.ones(4))
    assert scores_at(part, 0.5) == {"precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8)}
    assert average_precision(part) == pytest.approx((1 + 2 / 3) / 2)
