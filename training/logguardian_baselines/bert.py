"""A bundle's encoder read back from its ONNX graph into PyTorch's BERT, and compared with the graph.

The graph says neither its number of heads nor its pooling: the combination that gives the graph's own vectors is taken,
and without one the reference does not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from .windows import BaselineError

#: Vectors of a line by the graph and by PyTorch, at most; both compute in fp32.
TOLERANCE = 1e-3
PROBES = ["generating <*>", "fan <*> failed", "Receiving block <*> src: <*> dest: <*>", "a"]


def _mean(output, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.unsqueeze(-1).to(torch.float32)
    return (output.last_hidden_state * weights).sum(1) / weights.sum(1).clamp(min=1)


def _normalised_mean(output, mask: torch.Tensor) -> torch.Tensor:
    mean = _mean(output, mask)
    return torch.nn.functional.normalize(mean, dim=-1) * math.sqrt(mean.shape[1])


def _max(output, mask: torch.Tensor) -> torch.Tensor:
    return output.last_hidden_state.masked_fill(mask.unsqueeze(-1) == 0, -math.inf).amax(1)


POOLINGS: dict[str, Callable] = {
    "mean, normalised": _normalised_mean,
    "mean": _mean,
    "pooler": lambda output, mask: output.pooler_output,
    "cls": lambda output, mask: output.last_hidden_state[:, 0],
    "max": _max,
}


class LineEncoder(torch.nn.Module):
    """Token ids and mask, int64 [lines, tokens] -> line vectors float32 [lines, width]: one position of Llama each."""

    def __init__(self, bert: BertModel, pool: Callable, weight: np.ndarray, bias: np.ndarray):
        super().__init__()
        self.bert, self.pool = bert, pool
        self.projector = torch.nn.Linear(weight.shape[1], weight.shape[0])
        self.projector.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.projector(self.pool(self.bert(input_ids=ids, attention_mask=mask), mask))


def tokenize(tokenizer: Tokenizer, lines: list[str], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask [lines, tokens of the longest]."""
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(lines)]
    longest = max(map(len, encoded))
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row in encoded])
    lengths = torch.tensor([len(row) for row in encoded])
    return ids, (torch.arange(longest) < lengths[:, None]).long()


def read_encoder(path: Path, tokenizer: Tokenizer, pad: int) -> LineEncoder:
    weights = read_weights(path)
    try:
        projector = weights.pop("projector.weight").T, weights.pop("projector.bias")
    except KeyError:
        raise BaselineError(f"{path.name} has no linear projector that the reference could read.") from None
    ids, mask = tokenize(tokenizer, PROBES, pad)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
    nearest = math.inf
    for heads in (12, 16, 8, 4, 2):
        bert = _build(weights, heads)
        for pool in POOLINGS.values() if bert else ():
            encoder = LineEncoder(bert, pool, *projector).eval()
            with torch.no_grad():
                difference = float(np.abs(encoder(ids, mask).numpy() - expected).max())
            if difference < TOLERANCE:
                return encoder
            nearest = min(nearest, difference)
    raise BaselineError(f"{path.name} could not be read back as a BERT: its vectors differ by {nearest:.3g} at least.")


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Initializers by their names in PyTorch: 8-bit ones multiplied out, matrices found through their biases."""
    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    values = {name: value for name, value in stored.items() if not name.endswith((".int8", ".scale"))}
    for name, value in stored.items():
        if name.endswith(".int8"):
            plain = name.removesuffix(".int8")
            values[plain] = value.astype(np.float32) * stored[f"{plain}.scale"]
    producers = {output: node for node in graph.node for output in node.output}
    found = dict(values)
    for node in graph.node:
        # A linear layer is MatMul and Add; the exporter keeps the bias's name and gives the transposed matrix a new one.
        bias = next((name for name in node.input if name.endswith(".bias") and name in values), None)
        if node.op_type != "Add" or bias is None:
            continue
        for name in node.input:
            product = producers.get(name)
            if product is not None and product.op_type == "MatMul" and product.input[1] in values:
                matrix = values[product.input[1]]
                found.setdefault(bias.removesuffix("bias") + "weight", np.ascontiguousarray(matrix.T))
    return found


def _build(weights: dict[str, np.ndarray], heads: int) -> BertModel | None:
    """A BERT of the weights' shapes; None where they do not fit one."""
    root = "encoder."
    state = {name.removeprefix(root): torch.tensor(value) for name, value in weights.items() if name.startswith(root)}
    try:
        words, positions = state["embeddings.word_embeddings.weight"], state["embeddings.position_embeddings.weight"]
        inner = state["encoder.layer.0.intermediate.dense.weight"]
    except KeyError:
        return None
    if words.shape[1] % heads:
        return None
    config = BertConfig(
        vocab_size=words.shape[0],
        hidden_size=words.shape[1],
        num_hidden_layers=1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layer.")),
        num_attention_heads=heads,
        intermediate_size=inner.shape[0],
        max_position_embeddings=positions.shape[0],
        type_vocab_size=state["embeddings.token_type_embeddings.weight"].shape[0],
    )
    bert = BertModel(config).eval()
    missing = bert.load_state_dict(state, strict=False).missing_keys
    # A graph that does not use the pooler does not hold it.
    return None if any(not name.startswith("pooler.") for name in missing) else bert
