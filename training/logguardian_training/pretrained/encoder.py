"""Masked lines to pooled vectors: a BERT, its pooling, and its tokenizer."""

from __future__ import annotations

import math

import torch
from torch import nn

from .recipe import EncoderRecipe
from .sources import Source, SourceError, read_tokenizer

#: Lines that go through the encoder at once, [CLS] to [SEP], padding included.
TOKEN_BUDGET = 4096


class LineEncoder(nn.Module):
    """Ids and mask [lines, tokens] -> [lines, width]."""

    def __init__(self, bert: nn.Module, recipe: EncoderRecipe):
        super().__init__()
        if recipe.pooling == "pooler" and getattr(bert, "pooler", None) is None:
            raise SourceError("The encoder has no pooler, which the recipe wants. Set encoder.pooling to cls, mean or max.")
        self.bert = bert
        self.pooling = recipe.pooling
        self.normalise = recipe.normalise
        self.width = bert.config.hidden_size

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        found = self.bert(input_ids=input_ids, attention_mask=attention_mask)
        vectors = self._pool(found, attention_mask)
        return nn.functional.normalize(vectors, dim=-1) * math.sqrt(self.width) if self.normalise else vectors

    def _pool(self, found, attention_mask: torch.Tensor) -> torch.Tensor:
        states = found.last_hidden_state
        if self.pooling == "pooler":
            return found.pooler_output
        if self.pooling == "cls":
            return states[:, 0]
        mask = attention_mask.unsqueeze(-1)
        if self.pooling == "mean":
            mask = mask.to(states.dtype)
            return (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        return states.masked_fill(mask == 0, -1e4).amax(1)


class LineTokenizer:
    """Texts to ids, [CLS] and [SEP] included, at most `max_tokens`."""

    def __init__(self, source: Source, max_tokens: int, rows: int):
        self.path = source.folder / "tokenizer.json"
        if not self.path.is_file():
            raise SourceError(f"The encoder {source.name} has no tokenizer.json in {source.folder}. Put its tokenizer there.")
        self.tokenizer = read_tokenizer(self.path)
        if self.tokenizer.get_vocab_size() > rows:
            raise SourceError(
                f"The encoder's tokenizer has {self.tokenizer.get_vocab_size()} tokens and its model {rows}: "
                "this is a wrong tokenizer. Put the model's own tokenizer.json beside it."
            )
        self.tokenizer.enable_truncation(max_tokens)
        self.tokenizer.no_padding()

    def encode(self, line: str) -> list[int]:
        return self.tokenizer.encode(line).ids


def batches(tokens: list[list[int]], device: torch.device):
    """(places, ids, mask) of lines of similar length; `tokens`: ids of each line."""
    order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * len(tokens[order[end]]) <= TOKEN_BUDGET:
            end += 1
        places = order[start:end]
        longest = len(tokens[places[-1]])
        ids = torch.zeros(len(places), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, place in enumerate(places):
            ids[row, : len(tokens[place])] = torch.tensor(tokens[place])
            mask[row, : len(tokens[place])] = 1
        yield places, ids.to(device), mask.to(device)
        start = end


def encode_lines(encoder: LineEncoder, tokens: list[list[int]]) -> torch.Tensor:
    """[lines, width] in their order; with gradients where they are enabled."""
    device = next(encoder.parameters()).device
    order: list[int] = []
    rows = []
    for places, ids, mask in batches(tokens, device):
        rows.append(encoder(ids, mask))
        order += places
    return torch.cat(rows)[torch.argsort(torch.tensor(order, device=device))]
