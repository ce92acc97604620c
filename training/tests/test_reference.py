"""LogLLM's loop against the trainer's margins, with a bundle made here: another way to compute, the same answers."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_baselines.reference import open_reference
from logguardian_baselines.windows import BaselineError
from logguardian_training import bundle, encoder, golden, recipe
from logguardian_training.calibration import calibrate
from logguardian_training.data import Texts
from logguardian_training.metrics import Labelled
from logguardian_training.model import WindowModel
from logguardian_training.prompt import build_prompt

STARTER = Path(__file__).parent.parent / "recipes" / "starter.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    encoder.export_encoder(folder / "encoder.onnx")
    wanted = recipe.load(STARTER)
    tiny = dataclasses.replace(wanted, model=dataclasses.replace(wanted.model, layers=2, width=64, heads=2, feed_forward=64))
    torch.manual_seed(3)
    model = WindowModel(build_prompt(tiny.prompt), tiny.model, 384).eval()
    calibration = calibrate([Labelled(np.array([-1.0, 1.0]), np.array([0, 1]), np.ones(2))], tiny.objective)
    texts = Texts()
    compared = [tuple(texts.add(line) for line in window) for window in golden.windows(5)[:20]]
    vectors = torch.from_numpy(encoder.embed(folder / "encoder.onnx", encoder.load_tokenizer(100), texts.rows))
    bundle.export(
        folder / "bundle", tiny, model, folder / "encoder.onnx", calibration, {}, torch.randn(5, 384), bundle.Compared(texts, vectors, {"made-up": compared})
    )
    return folder / "bundle"


def test_left_padding_and_every_line_through_bert_give_the_trainers_margins(made):
    rows = [json.loads(row) for row in (made / "golden.jsonl").read_text().splitlines()]
    # Of different lengths, so that all but one window of a batch is padded.
    rows = sorted(rows, key=lambda row: len(row["lines"]))[::20]
    scores = open_reference(made, 1).score([tuple(row["lines"]) for row in rows])
    assert np.abs([score.score - row["margin"] for score, row in zip(scores, rows, strict=True)]).max() < 2e-3


def test_the_answer_decides_and_what_says_nothing_is_normal(made):
    reference = open_reference(made, 1)
    prompt = build_prompt(recipe.load(STARTER).prompt)
    full_stop = prompt.tokens.index(".")

    def answering(*ids: int):
        """The model, but that its answer is these tokens."""
        said = list(ids)

        def call(inputs_embeds, **_):
            logits = torch.zeros(len(inputs_embeds), inputs_embeds.shape[1], len(prompt.tokens))
            logits[:, -1, said.pop(0)] = 1
            return type("Output", (), {"logits": logits, "past_key_values": None})

        call.get_input_embeddings = reference.llama.get_input_embeddings
        return dataclasses.replace(reference, llama=call)

    window = [("a line", "another line")]
    [yes] = answering(prompt.anomalous, full_stop, prompt.eos).score(window)
    [no] = answering(prompt.normal, prompt.anomalous, prompt.eos).score(window)
    [nothing] = answering(*[full_stop] * 6).score(window)
    assert [(row.anomalous, row.answer) for row in (yes, no, nothing)] == [
        (True, " anomalous."),
        (False, " normal anomalous"),
        (False, "......"),
    ]
    assert (yes.score, no.score) == (1, -1)


def test_bundles_that_it_cannot_read_are_refused_in_one_sentence(made, tmp_path):
    with pytest.raises(BaselineError, match="no bundle that can be read"):
        open_reference(tmp_path, 1)
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["llama"]["adapter"] = "adapter.gguf"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BaselineError, match="LoRA adapter"):
        open_reference(tmp_path, 1)
