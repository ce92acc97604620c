"""Lines of systems without labels, masked by the product itself: what unknown lines look like."""

from __future__ import annotations

import lzma
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
    try:
        with tarfile.open(path) as archive:
            for member in sorted(archive.getmembers(), key=lambda member: member.name):
                file = archive.extractfile(member)
                if file is not None and not Path(member.name).name.startswith(SCORED_SYSTEMS):
                    raw += file.read().decode("latin-1").splitlines()
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise DataError(f"{path} is no archive that can be read ({error}). Fetch the file again.") from error
    return sorted({line for line in product.mask(raw, mask_profile) if line.strip()})
