"""LoRA on the encoder and on the Llama, and how it goes into plain weights at the end."""

from __future__ import annotations

import math

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn

from .recipe import LoraRecipe
from .sources import SourceError


def add_lora(model: nn.Module, recipe: LoraRecipe, seed: int) -> None:
    """Puts LoRA beside the target matrices, in place; it changes nothing until trained, since its second matrix is zero."""
    names = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    missing = [target for target in recipe.targets if target not in names]
    if missing:
        raise SourceError(f"The model has no layers {', '.join(missing)}, which the recipe's LoRA targets name.")
    inject_adapter_in_model(
        LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout, target_modules=recipe.targets, bias="none"),
        model,
    )
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        if "lora_" in name:
            parameter.data = parameter.data.float()
        if "lora_A" in name:
            # peft's own start, but from a generator of ours: the same on every machine and in every process.
            bound = math.sqrt(6 / ((1 + 5) * parameter.shape[1]))
            start = torch.rand(parameter.shape, generator=generator) * 2 * bound - bound
            parameter.data.copy_(start)


def lora_parameters(model: nn.Module) -> list[nn.Parameter]:
    return [parameter for name, parameter in model.named_parameters() if "lora_" in name]


@torch.no_grad()
def settle(model: nn.Module) -> None:
    """Makes `model` plain, in place: LoRA added in, 4-bit weights unpacked. What is exported is what it then computes with."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            plain = _plain(module.get_base_layer(), delta=module.get_delta_weight("default"))
        elif _is_four_bit(module) and ".base_layer" not in name:
            plain = _plain(module)
        else:
            continue
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, plain)


def _plain(layer: nn.Module, delta: torch.Tensor | None = None) -> nn.Linear:
    weight = layer.weight
    if _is_four_bit(layer):
        from bitsandbytes.functional import dequantize_4bit

        weight = dequantize_4bit(weight.data, weight.quant_state)
    dtype = torch.bfloat16 if weight.dtype == torch.float16 else weight.dtype
    plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None, device=weight.device, dtype=dtype)
    plain.weight.copy_(weight.float() if delta is None else weight.float() + delta.float())
    if layer.bias is not None:
        plain.bias.copy_(layer.bias)
    return plain


def _is_four_bit(module: nn.Module) -> bool:
    return hasattr(getattr(module, "weight", None), "quant_state")
