"""Lines of systems without labels, masked by the product itself: what unknown lines look like."""

from __future__ import annotations

import tarfile
from pathlib import Path

from . import product
from .data import DataError

#: Their lines lie in the parts that models are scored on.
SCORED_SYSTEMS = ("BGL", "HDFS")


def load(folder: Path, mask_profile: str) -> list[str]:
    """Distinct masked lines of LogHub's 2,000-line extracts, sorted."""
    path = folder / "loghub_2k.tar.xz"
    if not path.exists():
        raise DataError(f"{path} is missing. Point --data at the folder with the labelled logs (LOGGUARDIAN_DATA).")
    raw = []
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            file = archive.extractfile(member)
            if file is not None and not Path(member.name).name.startswith(SCORED_SYSTEMS):
                raw += file.read().decode("latin-1").splitlines()
    return sorted({line for line in mask(raw, mask_profile) if line.strip()})


def mask(lines: list[str], profile: str) -> list[str]:
    return product.run(["mask", "--profile", profile], "\n".join(lines)).splitlines()
