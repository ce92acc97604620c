"""Every recipe on tiny models of its architectures, through all stages to a bundle that the product accepts."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import LlamaForCausalLM

from logguardian_training import product
from logguardian_training.gguf_file import write_llama
from logguardian_training.parity import ParityError
from logguardian_training.pretrained import export
from logguardian_training.pretrained import recipe as recipes
from logguardian_training.pretrained.lora import add_lora, lora_parameters, settle
from logguardian_training.pretrained.prompt import load_tokenizer
from logguardian_training.pretrained.sources import find
from logguardian_training.pretrained.train import train
from tests.conftest import RECIPES, arguments, shrink


@pytest.mark.parametrize("name", ["small", "llama-3-8b", "llama-3-8b-system-prompt"])
def test_a_recipe_ends_in_a_bundle_that_the_product_accepts(name, models, llama_3, rows, tmp_path, capfd):
    recipe = shrink(recipes.load(RECIPES / f"{name}.yaml"), models)
    # Llama 3's own tokenizer for the prompt of the paper: its 128,000 tokens take half a minute to write and to read back.
    if name == "llama-3-8b":
        recipe = recipes.with_choices(recipe, None, None, llama_3)
    train(recipe, arguments(rows, tmp_path / "out"))
    said = capfd.readouterr().err
    for stage in recipe.stages:
        assert f"{stage.name}  step" in said
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert set(manifest["files"]) == {"embedder.onnx", "llama.gguf", "tokenizer.json", "golden.jsonl", "novelty.bin"}
    assert manifest["provenance"][2]["source"].startswith("made-up.jsonl, sha256")
    assert manifest["licence"].startswith("That of made-up.jsonl")
    assert (manifest["metrics"]["rounding"]["made-up"]["mean"] < 0.01) == (recipe.export.type == "f16")
    assert manifest["prompt"]["before"]["text"] == recipe.prompt.before
    assert manifest["metrics"]["parity"]["made-up"]["windows"] == 20
    if name == "llama-3-8b":
        # As the paper's authors printed them: BOS and the words before the lines, and those after.
        assert manifest["prompt"]["before"]["ids"] == [128000, 39314, 374, 264, 8668, 315, 1887, 1515, 6743, 25]
        after = [13, 2209, 420, 8668, 4725, 477, 37782, 30543, 30, 1144, 77, 791, 8668, 374]
        assert manifest["prompt"]["after"]["ids"] == after
        assert [manifest["verdict"][word]["id"] for word in ("normal", "anomalous")] == [4725, 37782]
    assert "20 of them with tokens and embeddings" in product.run(["model", "verify", str(tmp_path / "out")], "")


@pytest.fixture(scope="module")
def base(models, tmp_path_factory):
    """The tiny Llama as a GGUF file, which an adapter needs."""
    source = find(models.llama, "--llama")
    llama = LlamaForCausalLM.from_pretrained(source.folder)
    path = tmp_path_factory.mktemp("base") / "base.gguf"
    write_llama(path, "base", llama, load_tokenizer(source, llama.config.vocab_size).vocabulary, "f16")
    return path


@pytest.fixture
def adapting(tiny_recipe, base):
    """Over a base of 16 bits nothing is rounded, so the margins are nearly the same."""
    wanted = replace(tiny_recipe.export, llama="adapter", tolerance=0.01)
    return recipes.with_choices(replace(tiny_recipe, export=wanted), None, None, str(base))


def test_an_adapter_leaves_the_base_as_it_is(adapting, base, rows, tmp_path):
    before = base.read_bytes()
    train(adapting, arguments(rows, tmp_path / "out"))
    assert base.read_bytes() == before
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["llama"]["adapter"] == "adapter.gguf"
    assert "llama.gguf" not in manifest["files"]
    assert (tmp_path / "out/adapter.gguf").stat().st_size < len(before) / 10
    assert "margins" in product.run(["model", "verify", str(tmp_path / "out")], "")


@pytest.mark.parametrize("factor", [0, 2])
def test_an_adapter_of_another_strength_does_not_appear(adapting, rows, tmp_path, monkeypatch, factor):
    write = export.write_adapter
    monkeypatch.setattr(export, "write_adapter", lambda path, name, llama, alpha: write(path, name, llama, alpha * factor))
    with pytest.raises(ParityError) as refused:
        train(adapting, arguments(rows, tmp_path / "out"))
    assert refused.value.part == "logits"
    assert not (tmp_path / "out").exists()


@torch.no_grad()
def test_lora_that_is_added_in_is_the_same_function(models):
    """The product is compared with what was written, so nobody else would miss it."""
    llama = LlamaForCausalLM.from_pretrained(models.llama)
    ids = torch.arange(50)[None]
    untuned = llama.eval()(ids).logits
    add_lora(llama, recipes.load(RECIPES / "small.yaml").lora.llama, 1)
    for parameter in lora_parameters(llama):
        torch.nn.init.normal_(parameter, std=0.1)
    # LoRA's dropout is new, and learning.
    tuned = llama.eval()(ids).logits
    assert (tuned - untuned).abs().max() > 0.1
    settle(llama)
    assert not lora_parameters(llama)
    assert torch.allclose(llama(ids).logits, tuned, atol=1e-4)


def test_a_bundle_that_the_product_judges_otherwise_does_not_appear(models, rows, tmp_path, monkeypatch):
    recipe = shrink(recipes.load(RECIPES / "small.yaml"), models)
    # The projector that is written is not the one that was trained.
    projector = export.LineEmbedder.forward
    monkeypatch.setattr(export.LineEmbedder, "forward", lambda self, ids, mask: projector(self, ids, mask) * 1.1)
    with pytest.raises(ParityError) as refused:
        train(recipe, arguments(rows, tmp_path / "out"))
    assert refused.value.part == "embedding"
    assert not (tmp_path / "out").exists()
