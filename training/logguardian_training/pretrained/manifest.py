"""The manifest of a bundle of the pretrained path; docs/decisions/0005-bundle-format.md describes the format."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import torch

from .. import golden
from ..bundle import PROVENANCE, TRACED_WINDOWS, listed, sha256_of
from ..calibration import Calibration
from ..parity import TRACED
from .encoder import LineTokenizer
from .model import LogLLM, embed_lines, margins
from .recipe import PretrainedRecipe
from .sources import Source


def write_golden(folder: Path, recipe: PretrainedRecipe, model: LogLLM, tokenizer: LineTokenizer) -> None:
    windows = [window[: recipe.window.max_lines] for window in golden.windows(recipe.seed)]
    lines = sorted({line for window in windows for line in window})
    place = {line: number for number, line in enumerate(lines)}
    tokens = [tokenizer.encode(line) for line in lines]
    embedded = embed_lines(model, tokens)
    found = margins(model, embedded, [tuple(place[line] for line in window) for window in windows])
    rows = []
    for number, window in enumerate(windows):
        row = {"lines": window, "margin": round(float(found[number]), 5)}
        if number < TRACED_WINDOWS:
            row["tokens"] = [tokens[place[line]] for line in window]
            row["embeddings"] = [rounded_numbers(embedded[place[line]]) for line in window]
        rows.append(json.dumps(row) + "\n")
    (folder / "golden.jsonl").write_text("".join(rows))


def rounded_numbers(vector: torch.Tensor) -> list[float]:
    return [round(float(number), 5) for number in vector[:TRACED]]


def write_manifest(
    folder: Path, recipe: PretrainedRecipe, model: LogLLM, encoder: Source, base: Source, data: Path, calibration: Calibration, metrics: dict
) -> None:
    """`data`: LogHub's extracts, or a file of one's own."""
    prompt = model.prompt
    adapter = recipe.export.llama == "adapter"
    llama: dict = {"file": "llama.gguf", "flashAttention": False}
    if adapter:
        llama["base"] = {"name": base.name, "sha256": sha256_of(base.path), "url": recipe.export.base_url}
        llama["adapter"] = "adapter.gguf"
    manifest = {
        "format": 1,
        "name": recipe.name,
        "version": recipe.version,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "licence": recipe.export.licence if data.is_dir() else f"That of {data.name} and of the weights it began with: {recipe.export.base_licence}.",
        "provenance": _provenance(recipe, encoder, base, data, adapter),
        "text": {"template": recipe.text_template, "maskProfile": recipe.mask_profile, "maxTokens": recipe.window.max_tokens},
        "window": {
            "maxLines": recipe.window.max_lines,
            "overflow": "first",
            "defaults": {"size": recipe.window.size, "stride": recipe.window.stride},
        },
        "embedder": {"file": "embedder.onnx", "tokenizer": "tokenizer.json", "width": model.projector.linear.out_features, "padId": 0},
        "llama": llama,
        "prompt": {
            "before": {"text": prompt.before_text, "ids": prompt.before},
            "after": {"text": "".join(prompt.after_parts), "ids": prompt.after, "parts": prompt.after_parts},
        },
        "verdict": {
            "normal": {"text": prompt.normal.text, "id": prompt.normal.verdict},
            "anomalous": {"text": prompt.anomalous.text, "id": prompt.anomalous.verdict},
        },
        "calibration": {"scale": calibration.scale, "shift": calibration.shift},
        "threshold": calibration.threshold,
        "novelty": {"file": "novelty.bin"},
        "parity": {"tolerance": recipe.export.tolerance},
        "metrics": metrics,
        "files": listed(folder, ("llama.gguf",) if adapter else ()),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _provenance(recipe: PretrainedRecipe, encoder: Source, base: Source, data: Path, adapter: bool) -> list[dict]:
    tuned = f"tuned with LoRA by the recipe {recipe.name}"
    own = {"part": "training data", "source": f"{data.name}, sha256 {sha256_of(data)}", "licence": "its owner's"} if data.is_file() else None
    kept = ("golden.jsonl",) if own else ("training data", "golden.jsonl")
    return [
        {"part": "embedder.onnx, tokenizer.json", "source": f"{encoder.name}, {tuned}; its projector is trained", "licence": recipe.export.licence},
        {"part": "adapter.gguf" if adapter else "llama.gguf", "source": f"{base.name}, {tuned}", "licence": recipe.export.base_licence},
        *([own] if own else []),
        *(row for row in PROVENANCE if row["part"] in kept),
    ]
