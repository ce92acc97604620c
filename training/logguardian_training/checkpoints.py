"""Checkpoint files that a kill at any moment leaves whole: the last one, or the one before it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch

from .errors import TrainingError


def write(path: Path, content: dict, weights: dict[str, torch.Tensor], step: int) -> None:
    """Raises TrainingError rather than replace a good checkpoint by one whose `weights` are not finite."""
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise TrainingError(
                f"The weights {name} are not finite after step {step}, so no checkpoint was written. "
                "Lower the learning rate; the last checkpoint stands."
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial")
    with aside.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read(path: Path, fingerprint: str) -> dict | None:
    """None where there is none. Raises TrainingError for one that is cut off, or of another recipe, model or data."""
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        same = content["fingerprint"] == fingerprint
    # The library has no narrower kind.
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(f"The checkpoint {path} cannot be read ({reason}). Remove it to begin anew.") from error
    if not same:
        raise TrainingError(f"The checkpoint {path} belongs to another recipe, model or data. Remove it, or choose another --out.")
    return content


def fingerprint(*parts: object) -> str:
    """Of what must be the same for training to go on: by value, so the parts' text must say everything."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()
