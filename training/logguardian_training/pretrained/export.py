"""A trained model as the files of a bundle: ONNX with pooling and projector, GGUF or adapter, tokenizer."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
from torch import nn

from .. import product
from ..bundle import ExportError
from ..encoder import export_graph
from ..gguf_file import read_back, write_adapter, write_llama
from .encoder import LineTokenizer
from .lora import settle
from .model import LogLLM
from .prompt import LlamaTokenizer
from .recipe import PretrainedRecipe
from .sources import Source


class LineEmbedder(nn.Module):
    """The exported graph: ids and mask [lines, tokens] -> projected vectors [lines, Llama width]."""

    def __init__(self, encoder: nn.Module, projector: nn.Module):
        super().__init__()
        self.encoder = encoder
        self.projector = projector

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.projector(self.encoder(input_ids, attention_mask))


def write_parts(
    folder: Path, recipe: PretrainedRecipe, model: LogLLM, lines: LineTokenizer, llama: LlamaTokenizer, base: Source
) -> None:
    """Writes embedder.onnx, tokenizer.json, and llama.gguf or adapter.gguf. `model` afterwards computes with what was written.

    Raises ExportError for what cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    settle(model.encoder)
    model.encoder.float()
    model.settled = True
    # Traced on the CPU, where its example inputs are, whatever it was trained on.
    graph = LineEmbedder(model.encoder.cpu(), model.projector.folded().cpu()).eval()
    export_graph(graph, folder / "embedder.onnx", "line_embedding")
    model.encoder.to(model.device)
    shutil.copy(lines.path, folder / "tokenizer.json")
    if recipe.export.llama == "adapter":
        _write_adapter(folder, recipe, model, base)
    else:
        _write_merged(folder, recipe, model, llama)


def _write_merged(folder: Path, recipe: PretrainedRecipe, model: LogLLM, llama: LlamaTokenizer) -> None:
    settle(model.llama)
    path, name = folder / "llama.gguf", f"logguardian-{recipe.name}"
    wanted = recipe.export.type
    try:
        if wanted in ("f16", "q8_0"):
            write_llama(path, name, model.llama, llama.vocabulary, wanted)
        else:
            halves = folder / "llama-f16.gguf"
            write_llama(halves, name, model.llama, llama.vocabulary, "f16")
            _quantize(halves, path, wanted)
            halves.unlink()
    except ValueError as error:
        raise ExportError(f"The language model cannot be written as {wanted}: {error}") from error
    read_back(path, model.llama)


def _quantize(source: Path, target: Path, matrix_type: str) -> None:
    """By llama.cpp itself, through `logguardian model quantize`."""
    product.run(["model", "quantize", str(source), str(target), "--type", matrix_type, "--threads", str(torch.get_num_threads())], "")


def refuse_base(recipe: PretrainedRecipe, base: Source) -> None:
    """To be asked before anything is trained."""
    if recipe.export.llama == "adapter" and base.gguf_file is None:
        raise ExportError(f"An adapter belongs to a base in GGUF, and {base.name} is none. Give --llama a .gguf file, or set export.llama: merged.")


def _write_adapter(folder: Path, recipe: PretrainedRecipe, model: LogLLM, base: Source) -> None:
    write_adapter(folder / "adapter.gguf", f"logguardian-{recipe.name}", model.llama, recipe.lora.llama.alpha)
    # The base does not travel with the bundle, but lies in its folder here, so that it can be tried at once.
    target = folder / "llama.gguf"
    target.unlink(missing_ok=True)
    try:
        os.link(base.path.resolve(), target)
    except OSError:
        shutil.copy(base.path, target)
