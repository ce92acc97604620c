"""python -m logguardian_training train | splits: see training/README.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .errors import TrainingError
from .recipe import RecipeError, kind, load

TRAINING = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="logguardian_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = Path(os.environ.get("LOGGUARDIAN_DATA", TRAINING.parent.parent / "shared" / "data"))

    train = commands.add_parser("train", help="train a recipe and export its bundle")
    train.add_argument("--config", type=Path, default=TRAINING / "recipes" / "starter.yaml", help="the recipe")
    train.add_argument("--data", type=Path, default=data)
    train.add_argument("--out", type=Path, required=True, help="directory of the bundle")
    train.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1, help="models trained at once, a core each")
    train.add_argument("--set", action="append", metavar="KEY=VALUE", help="instead of a recipe's value, such as training.steps=300")
    train.add_argument("--dry-run", action="store_true", help="choose on validation and write no bundle")
    train.add_argument("--teacher", type=Path, help="bundle whose verdicts the model learns, instead of labels")
    train.add_argument("--teacher-windows", type=at_least(1), default=3000, help="distinct windows that the teacher judges")
    tuned = train.add_argument_group("recipes of kind: pretrained")
    tuned.add_argument("--labels", type=Path, help="CSV of id,label for a --data file whose rows have none")
    tuned.add_argument("--windows", type=at_least(0), help="distinct windows to learn from (0: all), instead of the recipe's")
    tuned.add_argument("--encoder", help="folder or Hub name of the encoder, instead of the recipe's")
    tuned.add_argument("--llama", help="folder, .gguf file or Hub name of the Llama, instead of the recipe's")

    splits = commands.add_parser("splits", help="write the dev parts as JSON lines for `logguardian evaluate`")
    splits.add_argument("--data", type=Path, default=data)
    splits.add_argument("--out", type=Path, required=True)
    splits.add_argument("--with-train", action="store_true", help="and the parts before them, for `logguardian benchmark`")

    arguments = parser.parse_args()
    # transformers' bars for loading a model say nothing here; tqdm's switch is read when it is imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        if arguments.command == "splits":
            from . import commands

            commands.splits(arguments)
        elif kind(arguments.config) == "pretrained":
            refuse(arguments, ("teacher", "dry_run"), "recipes of a model from scratch")
            from .pretrained import recipe

            # Before torch, whose import takes many seconds: a wrong recipe is refused at once.
            wanted = recipe.load(arguments.config, arguments.set)
            from .pretrained import train as pretrained

            pretrained.train(recipe.with_choices(wanted, arguments.windows, arguments.encoder, arguments.llama), arguments)
        else:
            refuse(arguments, ("labels", "windows", "encoder", "llama"), "recipes of kind: pretrained")
            # Likewise before torch.
            load(arguments.config, arguments.set)
            from . import commands

            commands.train(arguments)
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'A file'} cannot be read or written: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from the last checkpoint.", file=sys.stderr)
        return 130
    return 0


def at_least(least: int):
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return value

    return number


def refuse(arguments, options: tuple[str, ...], where: str) -> None:
    given = [f"--{option.replace('_', '-')}" for option in options if getattr(arguments, option) not in (None, False)]
    if given:
        raise RecipeError(f"{', '.join(given)} belongs to {where}, and {arguments.config.name} is none. Leave it out, or name another recipe.")


if __name__ == "__main__":
    sys.exit(main())
