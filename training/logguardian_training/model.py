"""Projector and a small Llama of our own: line vectors in, one margin out.

Positions of a window: prompt before | one per line | prompt after; the verdict is read at the last one.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from .prompt import Prompt
from .recipe import ModelRecipe


@torch.no_grad()
def whiten(projector: nn.Linear, vectors: torch.Tensor, token_norm: float) -> None:
    """Sets `projector` to a regularised PCA whitening of `vectors` [lines, width], scaled to the norm of token embeddings."""
    mean = vectors.mean(0)
    _, deviations, directions = torch.linalg.svd(vectors - mean, full_matrices=False)
    deviations = deviations / math.sqrt(len(vectors))
    kept = min(projector.out_features, len(deviations))
    regular = deviations[:kept] + 0.1 * deviations[0]
    weight = torch.zeros_like(projector.weight)
    weight[:kept] = directions[:kept] / regular[:, None]
    # A random rotation spreads the strong directions over all heads.
    rotation, _ = torch.linalg.qr(torch.randn(len(weight), len(weight)))
    weight = rotation @ weight
    projected = (vectors - mean) @ weight.T
    weight *= token_norm / projected.norm(dim=1).mean()
    projector.weight.copy_(weight)
    projector.bias.copy_(-(weight @ mean))


class WindowModel(nn.Module):
    def __init__(self, prompt: Prompt, recipe: ModelRecipe, vector_width: int):
        super().__init__()
        self.prompt = prompt
        config = LlamaConfig(
            vocab_size=len(prompt.tokens),
            hidden_size=recipe.width,
            intermediate_size=recipe.feed_forward,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            max_position_embeddings=recipe.context,
            rms_norm_eps=1e-5,
            rope_theta=10000.0,
            tie_word_embeddings=True,
            bos_token_id=prompt.bos,
            eos_token_id=prompt.eos,
            pad_token_id=prompt.pad,
            initializer_range=1 / math.sqrt(recipe.width),
            attn_implementation="sdpa",
        )
        self.llama = LlamaForCausalLM(config)
        self.projector = nn.Linear(vector_width, recipe.width)
        # With the library's .02 token embeddings nothing is learned: the vocabulary drowns in the lines.
        nn.init.normal_(self.llama.model.embed_tokens.weight, std=recipe.token_deviation)
        with torch.no_grad():
            for layer in self.llama.model.layers:
                for residual in (layer.self_attn.o_proj, layer.mlp.down_proj):
                    residual.weight.mul_(1 / math.sqrt(2 * recipe.layers))

    def whiten_projector(self, vectors: torch.Tensor) -> None:
        """Starts the projector as a regularised PCA whitening of `vectors` [lines, width], so that lines differ at the start."""
        whiten(self.projector, vectors, float(self.llama.model.embed_tokens.weight.detach().norm(dim=1).mean()))

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """[windows, lines, vector width] right-padded, [windows] -> logits [windows, vocabulary] at the verdict's position."""
        prompt, embed = self.prompt, self.llama.model.embed_tokens
        count, most, _ = vectors.shape
        before, after = (embed(torch.tensor(ids)) for ids in (prompt.before, prompt.after))
        total = len(before) + most + len(after)
        inputs = torch.zeros(count, total, before.shape[1])
        inputs[:, : len(before)] = before
        inputs[:, len(before) : len(before) + most] = self.projector(vectors)
        rows = torch.arange(count)
        for step in range(len(after)):
            inputs[rows, len(before) + lengths + step] = after[step]
        # Causal attention: what stands after the verdict's position cannot reach it, so padding needs no mask.
        states = self.llama.model(inputs_embeds=inputs, use_cache=False).last_hidden_state
        verdict = states[rows, len(before) + lengths + len(after) - 1]
        return self.llama.lm_head(verdict)

    def margin(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[:, self.prompt.anomalous] - logits[:, self.prompt.normal]


def pad(vectors: torch.Tensor, windows: list[tuple[int, ...]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Line indices into `vectors` [texts, width] -> [windows, lines, width] right-padded, and lengths."""
    lengths = torch.tensor([len(window) for window in windows])
    padded = torch.zeros(len(windows), int(lengths.max()), vectors.shape[1])
    for row, window in enumerate(windows):
        padded[row, : len(window)] = vectors[list(window)]
    return padded, lengths


@torch.no_grad()
def margins(model: WindowModel, vectors: torch.Tensor, windows: list[tuple[int, ...]], batch: int = 64) -> torch.Tensor:
    """Margins [windows], in their order; computed in batches of similar length."""
    model.eval()
    result = torch.zeros(len(windows))
    order = sorted(range(len(windows)), key=lambda place: len(windows[place]))
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        result[places] = model.margin(model(*pad(vectors, [windows[place] for place in places])))
    return result
