"""A tiny model through all stages to a bundle that the product accepts."""

import json

from logguardian_training import product
from logguardian_training.pretrained.train import train
from tests.conftest import arguments


def test_all_stages_and_a_bundle_that_the_product_accepts(tiny_recipe, rows, tmp_path, capfd):
    train(tiny_recipe, arguments(rows, tmp_path / "out"))
    said = capfd.readouterr().err
    for stage in tiny_recipe.stages:
        assert f"{stage.name}  step" in said
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert set(manifest["files"]) == {"embedder.onnx", "llama.gguf", "tokenizer.json", "golden.jsonl"}
    assert manifest["metrics"]["parity"]["made-up"]["windows"] == 20
    assert "20 of them with tokens and embeddings" in product.run(["model", "verify", str(tmp_path / "out")], "")
