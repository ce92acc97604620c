"""The error that every trainer shares."""

from __future__ import annotations


class TrainingError(Exception):
    """Training cannot go on; the message says why and what to do."""
