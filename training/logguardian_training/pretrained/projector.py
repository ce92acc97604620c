"""From the encoder's vectors to positions of the Llama: linear, or with batch normalisation, activation and dropout."""

from __future__ import annotations

import torch
from torch import nn

from ..model import whiten
from .recipe import ProjectorRecipe


class Projector(nn.Module):
    """[lines, width in] -> [lines, width out], in fp32."""

    def __init__(self, width_in: int, width_out: int, recipe: ProjectorRecipe):
        super().__init__()
        self.linear = nn.Linear(width_in, width_out)
        self.norm = nn.BatchNorm1d(width_out) if recipe.batch_norm else None
        self.activation = nn.ReLU() if recipe.activation == "relu" else nn.Identity()
        self.dropout = nn.Dropout(recipe.dropout)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        projected = self.linear(vectors.float())
        if self.norm is not None:
            # The variance of one line is none: it is normalised as at inference.
            projected = self.norm(projected) if len(projected) > 1 else _as_at_inference(self.norm, projected)
        return self.dropout(self.activation(projected))

    @torch.no_grad()
    def begin(self, vectors: torch.Tensor, token_norm: float, whitened: bool) -> None:
        """Starts from the training lines' vectors [lines, width in]; `token_norm`: of the Llama's token embeddings."""
        if whitened:
            whiten(self.linear, vectors, token_norm)
        if self.norm is None:
            return
        projected = self.linear(vectors)
        self.norm.running_mean.copy_(projected.mean(0))
        self.norm.running_var.copy_(projected.var(0, unbiased=False))
        if whitened:
            # Normalisation changes nothing at the start.
            self.norm.weight.copy_((self.norm.running_var + self.norm.eps).sqrt())
            self.norm.bias.copy_(self.norm.running_mean)
        else:
            self.norm.weight.fill_(token_norm / self.linear.out_features**0.5)

    @torch.no_grad()
    def folded(self) -> nn.Sequential:
        """The same function at inference: batch normalisation goes into the linear layer, dropout goes, ReLU stays."""
        linear = nn.Linear(self.linear.in_features, self.linear.out_features)
        weight, bias = self.linear.weight.float().cpu(), self.linear.bias.float().cpu()
        if self.norm is not None:
            scale = (self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()).cpu()
            weight = weight * scale[:, None]
            bias = (bias - self.norm.running_mean.cpu()) * scale + self.norm.bias.cpu()
        linear.weight.copy_(weight)
        linear.bias.copy_(bias)
        layers = [linear] if isinstance(self.activation, nn.Identity) else [linear, nn.ReLU()]
        return nn.Sequential(*layers).eval()


def _as_at_inference(norm: nn.BatchNorm1d, values: torch.Tensor) -> torch.Tensor:
    return nn.functional.batch_norm(values, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
