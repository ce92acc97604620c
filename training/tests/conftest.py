"""Tiny models and windows, made once; a recipe that trains on them in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from logguardian_training import encoder
from logguardian_training import recipe as starter
from logguardian_training.pretrained import recipe as recipes
from tests import llama3
from tests import tiny as made_up

RECIPES = Path(__file__).parent.parent / "recipes"
STARTER = RECIPES / "starter.yaml"


@pytest.fixture(scope="session")
def pooled(tmp_path_factory):
    """The starter's encoder as ONNX."""
    path = tmp_path_factory.mktemp("encoder") / "encoder.onnx"
    encoder.export_encoder(path)
    return path


@pytest.fixture
def tiny():
    """starter.yaml with a tiny Llama and few steps."""
    wanted = starter.load(STARTER)
    shape = replace(wanted.model, layers=2, width=64, heads=2, feed_forward=64)
    return replace(wanted, model=shape, training=replace(wanted.training, steps=60, checkpoint_every=20))


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return SimpleNamespace(encoder=str(made_up.tiny_bert(folder / "bert")), llama=str(made_up.tiny_llama(folder / "llama")))


@pytest.fixture(scope="session")
def llama_3(tmp_path_factory):
    """A tiny Llama with Llama 3's own tokenizer."""
    return str(made_up.tiny_llama(tmp_path_factory.mktemp("llama-3") / "llama", llama3.load()))


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    return made_up.windows(tmp_path_factory.mktemp("data") / "made-up.jsonl")


@pytest.fixture
def tiny_recipe(models):
    """small.yaml on tiny models, few windows and few steps."""
    return shrink(recipes.load(RECIPES / "small.yaml"), models)


def shrink(recipe, models):
    """The same recipe, every choice of it kept but the sizes."""
    recipe = recipes.with_choices(recipe, 60, models.encoder, models.llama)
    stages = [replace(stage, samples=min(stage.samples, 40)) for stage in recipe.stages]
    return replace(
        recipe,
        stages=stages,
        training=replace(recipe.training, epoch_samples=0, checkpoint_steps=1),
        validation=replace(recipe.validation, windows=min(recipe.validation.windows, 10)),
        data=replace(recipe.data, calibration_windows=20, dev_windows=20),
        # Margins of tiny models differ little: by a recipe's own tolerance a Llama that learnt nothing would do.
        export=replace(recipe.export, parity_windows=20, tolerance=0.1),
    )


def arguments(rows, out, **changes):
    """What the command line gives."""
    given = dict(data=rows, out=out, labels=None, jobs=1)
    return SimpleNamespace(**{**given, **changes})
