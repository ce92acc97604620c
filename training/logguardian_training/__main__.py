"""python -m logguardian_training train | splits: see training/README.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .data import DataError
from .recipe import RecipeError, kind

TRAINING = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="logguardian_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = Path(os.environ.get("LOGGUARDIAN_DATA", TRAINING.parent.parent / "shared" / "data"))

    train = commands.add_parser("train", help="train a recipe and export its bundle")
    train.add_argument("--config", "--recipe", dest="recipe", type=Path, default=TRAINING / "recipes" / "starter.yaml")
    train.add_argument("--data", type=Path, default=data)
    train.add_argument("--out", type=Path, required=True, help="directory of the bundle")
    train.add_argument("--hold-out", action="store_true", help="keep the dev parts out of training and score them once")
    train.add_argument(
        "--calibrate-from", type=Path, help="take calibration and metrics from this bundle, trained with --hold-out"
    )
    train.add_argument("--threads", type=int, default=1)
    tuned = train.add_argument_group("recipes of kind: pretrained")
    tuned.add_argument("--labels", type=Path, help="CSV of id,label for a --data file whose rows have none")
    tuned.add_argument("--windows", type=int, help="distinct windows to learn from, instead of the recipe's")
    tuned.add_argument("--encoder", help="folder or Hub name of the encoder, instead of the recipe's")
    tuned.add_argument("--llama", help="folder, .gguf file or Hub name of the Llama, instead of the recipe's")

    splits = commands.add_parser("splits", help="write the dev parts as JSON lines for `logguardian evaluate`")
    splits.add_argument("--data", type=Path, default=data)
    splits.add_argument("--out", type=Path, required=True)

    arguments = parser.parse_args()
    from . import commands as run
    from .errors import TrainingError

    try:
        if arguments.command == "train" and kind(arguments.recipe) == "pretrained":
            from .pretrained import recipe, train as pretrained

            wanted = recipe.load(arguments.recipe)
            pretrained.train(recipe.with_choices(wanted, arguments.windows, arguments.encoder, arguments.llama), arguments)
        elif arguments.command == "train":
            run.train(arguments)
        else:
            run.splits(arguments)
    except (DataError, RecipeError, TrainingError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from the last checkpoint.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
