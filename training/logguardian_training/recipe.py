"""A recipe is a YAML file; unknown or missing keys are refused."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import yaml

from .errors import TrainingError


class RecipeError(TrainingError):
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
    seeds: list[int]
    folds: int
    rare: float
    held_out_share: float


@dataclass(frozen=True)
class ObjectiveRecipe:
    kind: Literal["best-f1", "false-alarms"]
    alarms_per_day: float
    windows_per_day: float


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
    return build(Recipe, read(path), path.name)


def kind(path: Path) -> str:
    """Which trainer a recipe is for: `pretrained`, or the starter's, which names none."""
    content = read(path)
    return content.get("kind", "starter") if isinstance(content, dict) else "starter"


def read(path: Path):
    try:
        return yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RecipeError(f"{path} cannot be read as YAML: {error}.") from error


def build(kind, content, where: str):
    """A dataclass of numbers, texts, lists, choices (Literal) and further dataclasses, from YAML's mappings."""
    if not isinstance(content, dict):
        raise RecipeError(f"{where} must be a mapping.")
    hints = get_type_hints(kind)
    wanted = {field.name for field in fields(kind)}
    problems = [f"unknown key {where}.{key}" for key in content.keys() - wanted]
    problems += [f"missing key {where}.{key}" for key in wanted - content.keys()]
    if problems:
        raise RecipeError("; ".join(sorted(problems)) + ".")
    return kind(**{name: _value(hints[name], content[name], f"{where}.{name}") for name in wanted})


def _value(hint, value, where: str):
    if is_dataclass(hint):
        return build(hint, value, where)
    if get_origin(hint) is list:
        if not isinstance(value, list):
            raise RecipeError(f"{where} must be a list, not {value!r}.")
        return [_value(get_args(hint)[0], item, f"{where}[{place}]") for place, item in enumerate(value)]
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise RecipeError(f"{where} must be one of {', '.join(get_args(hint))}, not {value!r}.")
        return value
    # bool is a kind of int to Python, not to a recipe.
    if (isinstance(value, hint) and isinstance(value, bool) == (hint is bool)) or (hint is float and type(value) is int):
        return hint(value)
    raise RecipeError(f"{where} must be {hint.__name__}, not {value!r}.")
