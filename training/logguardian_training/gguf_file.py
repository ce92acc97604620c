"""A transformers Llama, or a LoRA over one, as a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.quants import dequantize, quantize

#: Of the matrices; vectors stay fp32.
MATRIX_TYPES = {
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@dataclass
class Vocabulary:
    """A byte-level BPE tokenizer as llama.cpp holds it. `pre`: its name of how text is split before BPE."""

    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    bos: int | None
    eos: int | None
    pad: int | None
    add_bos: bool

    def fill_up(self, rows: int) -> None:
        """Gives the rows of an embedding table beyond the tokenizer's tokens names of their own."""
        for number in range(len(self.tokens), rows):
            self.tokens.append(f"[PAD{number}]")
            self.types.append(int(gguf.TokenType.UNUSED))


def write_llama(path: Path, name: str, llama, vocabulary: Vocabulary, matrix_type: str = "f16") -> None:
    """`llama`: a LlamaForCausalLM with plain weights. Raises ValueError for shapes that cannot be written."""
    config = llama.config
    quantization, file_type = MATRIX_TYPES[matrix_type]
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters or {}
    if rope.get("rope_type", "default") != "default":
        raise ValueError(f"Rotary embeddings of type {rope['rope_type']} cannot be written; only plain ones can.")
    if config.attention_bias or config.mlp_bias:
        raise ValueError("A Llama with biases cannot be written.")
    writer = gguf.GGUFWriter(path, "llama", use_temp_file=True)
    writer.add_name(name)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10000.0)))
    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_file_type(file_type)
    _write_vocabulary(writer, vocabulary)

    def add(target: str, tensor: torch.Tensor, heads: int | None = None) -> None:
        values = tensor.detach().float().cpu().numpy()
        if heads is not None:
            values = permuted(values, heads)
        if values.ndim == 1:
            writer.add_tensor(target, values)
        else:
            writer.add_tensor(target, quantize(values, quantization), raw_dtype=quantization)

    add("token_embd.weight", llama.model.embed_tokens.weight)
    add("output_norm.weight", llama.model.norm.weight)
    if not config.tie_word_embeddings:
        add("output.weight", llama.lm_head.weight)
    for number, layer in enumerate(llama.model.layers):
        for ours, theirs in LAYER_NAMES.items():
            add(f"blk.{number}.{theirs}.weight", layer.get_submodule(ours).weight, _heads(config).get(theirs))
    _finish(writer)


def write_adapter(path: Path, name: str, llama, alpha: float) -> None:
    """The LoRA in `llama` (peft's layers, adapter "default") as llama.cpp reads it; the rank is the matrices' own."""
    config = llama.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for number, layer in enumerate(llama.model.layers):
        for ours, theirs in LAYER_NAMES.items():
            module = layer.get_submodule(ours)
            if not hasattr(module, "lora_A"):
                continue
            down, up = (part["default"].weight.detach().float().cpu().numpy() for part in (module.lora_A, module.lora_B))
            if theirs in _heads(config):
                # The base's rows are permuted, so what is added to them must be.
                up = permuted(up, _heads(config)[theirs])
            writer.add_tensor(f"blk.{number}.{theirs}.weight.lora_a", np.ascontiguousarray(down))
            writer.add_tensor(f"blk.{number}.{theirs}.weight.lora_b", np.ascontiguousarray(up))
    _finish(writer)


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """[rows, columns] of q or k: llama.cpp rotates neighbouring pairs where transformers rotates halves."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


@torch.no_grad()
def read_back(path: Path, llama) -> None:
    """Copies the weights of a file that write_llama wrote, in whatever type they are by now, into `llama`: margins of the
    shipped weights are then the trainer's to compute."""
    config = llama.config
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}

    def copy(target: torch.Tensor, name: str, heads: int | None = None) -> None:
        found = tensors[name]
        values = dequantize(found.data, found.tensor_type).reshape(target.shape)
        if heads is not None:
            values = _unpermuted(values, heads)
        target.copy_(torch.from_numpy(np.array(values, np.float32)))

    copy(llama.model.embed_tokens.weight, "token_embd.weight")
    copy(llama.model.norm.weight, "output_norm.weight")
    if not config.tie_word_embeddings:
        copy(llama.lm_head.weight, "output.weight")
    for number, layer in enumerate(llama.model.layers):
        for ours, theirs in LAYER_NAMES.items():
            copy(layer.get_submodule(ours).weight, f"blk.{number}.{theirs}.weight", _heads(config).get(theirs))


def _heads(config) -> dict[str, int]:
    """The matrices whose rows are permuted, and how many heads they have."""
    return {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}


def _unpermuted(weight: np.ndarray, heads: int) -> np.ndarray:
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _write_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    for add, token in (
        (writer.add_bos_token_id, vocabulary.bos),
        (writer.add_eos_token_id, vocabulary.eos),
        (writer.add_pad_token_id, vocabulary.pad),
    ):
        if token is not None:
            add(token)
    writer.add_add_bos_token(vocabulary.add_bos)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
