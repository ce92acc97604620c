"""The product's own command line, for what the trainer must not do in a second way: masking, and margins of bundles."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .errors import TrainingError

PACKAGE = Path(__file__).resolve().parents[2]


class ProductError(TrainingError):
    """The product could not be run, or refused; the message says why."""


def mask(lines: list[str], profile: str) -> list[str]:
    return run(["mask", "--profile", profile], "\n".join(lines)).splitlines()


def run(arguments: list[str], given: str) -> str:
    """What `logguardian <arguments>` answers to `given` on its standard input."""
    node = shutil.which("node", path=os.pathsep.join((str(PACKAGE / "node_modules/.bin"), os.environ.get("PATH", ""))))
    if node is None:
        raise ProductError("Node is missing: the trainer asks the product itself. Run `npm ci` first.")
    done = subprocess.run(
        [node, str(PACKAGE / "bin/logguardian.js"), *arguments], input=given, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ProductError(f"`logguardian {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout
