"""A recipe is a YAML file; unknown or missing keys and impossible values are refused."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import yaml

from .errors import TrainingError


class RecipeError(TrainingError):
    """The recipe cannot be used; the message says why."""


#: Of a text template, besides {content}.
HEADER_FIELDS = ("component", "level")
#: A share that can be neither nothing nor all.
SOME = 1e-6, 1 - 1e-6


def within(least: float, most: float = math.inf):
    """A field whose value, or each of whose values, lies from `least` to `most`."""
    return field(metadata={"within": (least, most)})


@dataclass(frozen=True)
class PromptRecipe:
    #: Words before the lines, after them, and the two answers.
    before: str
    after: str
    normal: str
    anomalous: str


@dataclass(frozen=True)
class ModelRecipe:
    layers: int = within(1)
    width: int = within(1)
    heads: int = within(1)
    feed_forward: int = within(1)
    context: int = within(1)
    token_deviation: float = within(0)


@dataclass(frozen=True)
class TrainingRecipe:
    steps: int = within(1)
    checkpoint_every: int = within(1)
    hdfs_batch: int = within(1)
    bgl_batch: int = within(1)
    learning_rate: float = within(1e-12, 1)
    weight_decay: float = within(0)
    warm_up: float = within(0, 1)
    label_smoothing: float = within(0, 1)
    answer_weight: float = within(0)
    noise: float = within(0)
    anomalous_share: float = within(*SOME)
    average: float = within(0, SOME[1])
    prior_decay: float = within(0)
    others_weight: float = within(0)
    prior_share: float = within(0, 1)
    novel_share: float = within(0, 1)
    novel_noise: float = within(0)


@dataclass(frozen=True)
class SelectionRecipe:
    seeds: list[int] = within(0)
    folds: int = within(2)
    rare: float = within(*SOME)
    held_out_share: float = within(0)


@dataclass(frozen=True)
class ObjectiveRecipe:
    kind: Literal["best-f1", "false-alarms"]
    alarms_per_day: float = within(0)
    windows_per_day: float = within(1)


@dataclass(frozen=True)
class WindowRecipe:
    max_lines: int = within(1)
    max_tokens: int = within(3, 512)
    size: int = within(1)
    stride: int = within(1)


@dataclass(frozen=True)
class Recipe:
    name: str
    version: str
    text_template: str
    mask_profile: str
    prompt: PromptRecipe
    model: ModelRecipe
    training: TrainingRecipe
    selection: SelectionRecipe
    objective: ObjectiveRecipe
    window: WindowRecipe


def load(path: Path, changes: list[str] | None = None) -> Recipe:
    """`changes`: KEY=VALUE, each instead of what the file says. Raises RecipeError."""
    recipe = build(Recipe, read(path, changes), path.name)
    model, seeds = recipe.model, recipe.selection.seeds
    for wrong, why in (
        (not seeds or len(set(seeds)) < len(seeds), f"selection.seeds must be some different numbers, not {seeds}"),
        (model.width % model.heads, f"model.heads must divide model.width, and {model.heads} does not divide {model.width}"),
        ((model.width // model.heads) % 2, "each of model.heads must be of even width, for rotary positions"),
    ):
        if wrong:
            raise RecipeError(f"{path.name}: {why}.")
    refuse_template(recipe.text_template, recipe.mask_profile, path.name)
    return recipe


def refuse_template(template: str, mask_profile: str, where: str) -> None:
    """The labelled logs lie masked by logllm, with component and level as the only header fields."""
    named = set(re.findall(r"\{(\w+)\}", template))
    if "content" not in named or named - {"content", *HEADER_FIELDS}:
        raise RecipeError(f"{where}: text_template must hold {{content}}, and may hold {{component}} and {{level}}; not {template!r}.")
    if mask_profile != "logllm":
        raise RecipeError(f"{where}: mask_profile must be logllm, by which the training data is masked; not {mask_profile!r}.")


def kind(path: Path) -> str:
    """Which trainer a recipe is for: `pretrained`, or the starter's, which names none."""
    content = read(path)
    return content.get("kind", "starter") if isinstance(content, dict) else "starter"


def read(path: Path, changes: list[str] | None = None):
    try:
        content = yaml.safe_load(path.read_text())
        for change in changes or ():
            _change(content, change)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{path} cannot be read as YAML: {error}.") from error
    return content


def _change(content, change: str) -> None:
    key, equals, value = change.partition("=")
    *above, last = key.split(".")
    for name in above:
        content = content.get(name) if isinstance(content, dict) else None
    if not equals or not isinstance(content, dict) or last not in content:
        raise RecipeError(f"--set {change}: must be KEY=VALUE with a key of the recipe, such as training.steps=300.")
    content[last] = yaml.safe_load(value)


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
    return kind(**{one.name: _within(one, _value(hints[one.name], content[one.name], f"{where}.{one.name}"), where) for one in fields(kind)})


def _within(one, value, where: str):
    least, most = one.metadata.get("within", (-math.inf, math.inf))
    for number in value if isinstance(value, list) else [value]:
        # Not a number (nan) lies nowhere.
        if "within" in one.metadata and not least <= number <= most:
            raise RecipeError(f"{where}.{one.name} must lie from {least:g} to {most:g}, not at {number!r}.")
    return value


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
