"""A recipe is a YAML file; unknown or missing keys are refused."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import yaml


class RecipeError(Exception):
    """The recipe cannot be used; the message says why."""


@dataclass(frozen=True)
class ModelRecipe:
    layers: int
    width: int
    heads: int
    feed_forward: int
    context: int
    token_deviation: float


@dataclass(frozen=True)
class TrainingRecipe:
    steps: int
    checkpoint_every: int
    hdfs_batch: int
    bgl_batch: int
    learning_rate: float
    weight_decay: float
    warm_up: float
    label_smoothing: float
    answer_weight: float
    noise: float
    anomalous_share: float
    average: float
    prior_decay: float
    others_weight: float
    prior_share: float
    novel_share: float
    novel_noise: float


@dataclass(frozen=True)
class SelectionRecipe:
    seeds: list
    folds: int
    rare: float


@dataclass(frozen=True)
class ObjectiveRecipe:
    kind: str
    alarms_per_day: float
    windows_per_day: float

    def __post_init__(self) -> None:
        if self.kind not in ("best-f1", "false-alarms"):
            raise RecipeError(f"objective.kind must be best-f1 or false-alarms, not {self.kind!r}.")


@dataclass(frozen=True)
class WindowRecipe:
    max_lines: int
    max_tokens: int
    size: int
    stride: int


@dataclass(frozen=True)
class Recipe:
    name: str
    version: str
    text_template: str
    mask_profile: str
    model: ModelRecipe
    training: TrainingRecipe
    selection: SelectionRecipe
    objective: ObjectiveRecipe
    window: WindowRecipe


def load(path: Path) -> Recipe:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RecipeError(f"{path} cannot be read as YAML: {error}.") from error
    return _build(Recipe, content, path.name)


def _build(kind, content, where: str):
    if not isinstance(content, dict):
        raise RecipeError(f"{where} must be a mapping.")
    hints = get_type_hints(kind)
    wanted = {field.name for field in fields(kind)}
    problems = [f"unknown key {where}.{key}" for key in content.keys() - wanted]
    problems += [f"missing key {where}.{key}" for key in wanted - content.keys()]
    if problems:
        raise RecipeError("; ".join(sorted(problems)) + ".")
    values = {}
    for name in wanted:
        hint, value = hints[name], content[name]
        if is_dataclass(hint):
            values[name] = _build(hint, value, f"{where}.{name}")
        elif isinstance(value, hint) or (hint is float and isinstance(value, int)):
            values[name] = hint(value)
        else:
            raise RecipeError(f"{where}.{name} must be {hint.__name__}, not {value!r}.")
    return kind(**values)
