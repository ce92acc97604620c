"""Tiny models of the real architectures, with random weights, and made-up windows: enough to run every line of a recipe."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

from logguardian_training import encoder as starter_encoder
from tests import llama3

TEXT = [
    "Below is a sequence of system log messages:",
    ". Is this sequence normal or anomalous? \\n",
    "The sequence is normal.",
    "The sequence is anomalous.",
    "System: You are a log analysis expert.",
]


def tiny_bert(folder: Path, seed: int = 1) -> Path:
    """bert-base-uncased's architecture and vocabulary (MiniLM's is the same), 2 layers of 32."""
    torch.manual_seed(seed)
    config = BertConfig(vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    shutil.copy(starter_encoder.model_dir() / "tokenizer.json", folder / "tokenizer.json")
    return folder


def tiny_llama(folder: Path, tokenizer: Tokenizer | None = None, seed: int = 2) -> Path:
    """Llama 3's architecture (grouped queries, output not tied, rope base 500,000), 2 layers of 64, with few tokens of its
    kind where no tokenizer is given."""
    tokenizer = tokenizer or _small_tokenizer()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    bos, eos = (tokenizer.token_to_id(token) for token in (llama3.BOS, llama3.EOS))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": llama3.BOS, "eos_token": llama3.EOS}))
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size() + 6,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rope_theta=500000.0,
        rms_norm_eps=1e-5,
        tie_word_embeddings=False,
        bos_token_id=bos,
        eos_token_id=eos,
        initializer_range=0.1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def _small_tokenizer() -> Tokenizer:
    tokenizer = llama3.like(models.BPE(ignore_merges=True))
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(TEXT * 20, trainer)
    llama3.add_special(tokenizer, 2)
    return tokenizer


def windows(path: Path, count: int = 300, seed: int = 3) -> Path:
    """Rows {"lines", "label"}; anomalous ones hold a line that speaks of a fault."""
    draw = random.Random(seed)
    normal = [f"worker <*> finished step {word}" for word in ("alpha", "beta", "gamma", "delta", "load", "store", "sync")]
    rows = []
    for _ in range(count):
        lines = [draw.choice(normal) for _ in range(draw.randint(2, 9))]
        label = int(draw.random() < 0.25)
        if label:
            lines.insert(draw.randrange(len(lines) + 1), draw.choice(["kernel panic at <*>", "disk <*> failed: I/O error"]))
        rows.append(json.dumps({"lines": lines, "label": label}) + "\n")
    path.write_text("".join(rows))
    return path
