"""Windows for the parity test: block life cycles in HDFS' manner and invented lines. None of them is a LogHub line."""

from __future__ import annotations

import numpy as np

RECEIVING = "Receiving block <*> src: <*> dest: <*>"
ALLOCATE = "BLOCK* NameSystem.allocateBlock: <*> <*>"
STORED = "BLOCK* NameSystem.addStoredBlock: blockMap updated: <*> is added to <*> size <*>"
RESPONDER = "PacketResponder <*> for block <*> terminating"
RECEIVED = "Received block <*> of size <*> from <*>"
DELETE = "BLOCK* NameSystem.delete: <*> is added to invalidSet of <*>"
DELETING = "Deleting block <*> file <*>"
SERVED = "<*> Served block <*> to <*>"
FAULTS = (
    "writeBlock <*> received exception java.io.IOException: Could not read from stream",
    "Unexpected error trying to delete block <*> BlockInfo not found in volumeMap.",
    "Exception in receiveBlock for block <*> java.io.EOFException",
)
SUBJECTS = ("worker", "scheduler", "cache", "replica", "mount", "fan", "link card", "kernel thread")
EVENTS = ("started", "stopped", "timed out after <*> ms", "lost its lease", "reported <*> errors", "panicked at <*>", "ok")


def windows(seed: int, count: int = 200) -> list[list[str]]:
    """Half life cycles, half invented lines in windows of 1 to 128 lines; the same for the same seed."""
    random = np.random.default_rng(seed)
    cycles = [_life_cycle(random) for _ in range(count // 2)]
    invented = [
        [
            f"{SUBJECTS[random.integers(len(SUBJECTS))]} {EVENTS[random.integers(len(EVENTS))]}"
            for _ in range(int(random.integers(1, 129)))
        ]
        for _ in range(count - count // 2)
    ]
    return cycles + invented


def _life_cycle(random: np.random.Generator) -> list[str]:
    lines = [RECEIVING, ALLOCATE, RECEIVING, RECEIVING]
    for _ in range(3):
        lines += [RESPONDER, RECEIVED] if random.random() < 0.9 else [RESPONDER]
    lines += [STORED] * (3 if random.random() < 0.8 else 2)
    lines += [SERVED] * int(random.integers(0, 6))
    if random.random() < 0.6:
        lines += [DELETE] * 3 + [DELETING] * 3
    if random.random() < 0.3:
        lines.insert(int(random.integers(4, len(lines) + 1)), FAULTS[random.integers(len(FAULTS))])
    return lines
