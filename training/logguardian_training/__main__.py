"""python -m logguardian_training train | splits: see training/README.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .data import DataError
from .recipe import RecipeError

TRAINING = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="logguardian_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = Path(os.environ.get("LOGGUARDIAN_DATA", TRAINING.parent.parent / "shared" / "data"))

    train = commands.add_parser("train", help="train a recipe and export its bundle")
    train.add_argument("--config", type=Path, default=TRAINING / "recipes" / "starter.yaml", help="the recipe")
    train.add_argument("--data", type=Path, default=data)
    train.add_argument("--out", type=Path, required=True, help="directory of the bundle")
    train.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="models trained at once, a core each")
    train.add_argument("--teacher", type=Path, help="bundle whose verdicts the model learns, instead of labels")
    train.add_argument("--teacher-windows", type=int, default=3000, help="distinct windows that the teacher judges")

    splits = commands.add_parser("splits", help="write the dev parts as JSON lines for `logguardian evaluate`")
    splits.add_argument("--data", type=Path, default=data)
    splits.add_argument("--out", type=Path, required=True)
    splits.add_argument("--with-train", action="store_true", help="and the parts before them, for `logguardian benchmark`")

    arguments = parser.parse_args()
    from . import commands as run
    from .bundle import ExportError
    from .product import ProductError
    from .training import TrainingError

    try:
        if arguments.command == "train":
            run.train(arguments)
        else:
            run.splits(arguments)
    except (DataError, RecipeError, TrainingError, ExportError, ProductError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
