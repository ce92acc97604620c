"""The error that every trainer shares."""

from __future__ import annotations


class TrainingError(Exception):
    """Training cannot go on; the message says why and what to do."""


def is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    """PyTorch's CPU allocator has no error of its own."""
    import torch

    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(error)
