"""What is exported: the encoder, the Llama, the bundle, and its comparison with the product."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_training import bundle, encoder, golden, parity, product, recipe
from logguardian_training.calibration import Calibration, calibrate
from logguardian_training.data import Texts
from logguardian_training.metrics import Labelled
from logguardian_training.model import WindowModel
from logguardian_training.prompt import build_prompt
from tests.conftest import STARTER


def test_the_verdicts_are_single_tokens_and_few_tokens_follow_the_lines():
    prompt = build_prompt(recipe.load(STARTER).prompt)
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


def test_the_graph_names_no_folder_of_the_machine_that_wrote_it(pooled):
    content = pooled.read_bytes()
    assert b"site-packages" not in content and b".py" not in content


def test_a_bundle_is_complete_and_its_gguf_reads_back(tiny, pooled, tmp_path):
    from transformers import LlamaForCausalLM

    torch.manual_seed(3)
    model = WindowModel(build_prompt(tiny.prompt), tiny.model, 384).eval()
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
    rows = [json.loads(row) for row in (tmp_path / "out/golden.jsonl").read_text().splitlines()]
    assert [len(row["tokens"]) for row in rows[:20]] == [len(row["lines"]) for row in rows[:20]] and "tokens" not in rows[20]
    assert "20 of them with tokens and embeddings" in product.run(["model", "verify", str(tmp_path / "out")], "")
    assert manifest["provenance"][0]["source"] == "trained from scratch by the recipe starter 1.1.0 (training/recipes)"
    back = LlamaForCausalLM.from_pretrained(tmp_path / "out", gguf_file="llama.gguf").eval()
    ids = torch.tensor([model.prompt.before + model.prompt.after])
    with torch.no_grad():
        assert (back(ids).logits - model.llama(ids).logits).abs().max() < 1e-3


@pytest.mark.parametrize("part", ["tokens", "embedding", "prompt", "logits"])
def test_a_bundle_that_the_product_judges_otherwise_does_not_appear_and_the_part_is_named(tiny, pooled, tmp_path, monkeypatch, part):
    torch.manual_seed(3)
    model = WindowModel(build_prompt(tiny.prompt), tiny.model, 384).eval()
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
            manifest = json.loads((given[-2] / "manifest.json").read_text())
            manifest["prompt"]["after"]["ids"].reverse()
            (given[-2] / "manifest.json").write_text(json.dumps(manifest))

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


def test_a_bundle_that_nothing_is_compared_by_does_not_appear(tiny, pooled, tmp_path):
    nothing = bundle.Compared(Texts(), torch.zeros(0, 384), {"hdfs": []})
    model = WindowModel(build_prompt(tiny.prompt), tiny.model, 384).eval()
    with pytest.raises(bundle.ExportError, match="no windows to compare"):
        bundle.export(tmp_path / "out", tiny, model, pooled, Calibration(1.0, 0.0, 0.5), {}, torch.randn(5, 384), nothing)
    assert not (tmp_path / "out").exists()


def test_a_new_bundle_takes_the_place_of_the_old_one_whole(tmp_path, monkeypatch):
    for name in ("new", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name)
    rename = Path.rename

    def killed_between(source, target):
        if source.name == "new":
            raise KeyboardInterrupt
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", killed_between)
    with pytest.raises(KeyboardInterrupt):
        bundle.put_in_place(tmp_path / "new", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "out.former"]
    monkeypatch.undo()
    bundle.put_in_place(tmp_path / "new", tmp_path / "out")
    assert (tmp_path / "out/manifest.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_golden_windows_are_the_same_for_a_seed_and_within_the_limit():
    assert golden.windows(7) == golden.windows(7)
    assert max(len(window) for window in golden.windows(7)) <= 128
