"""Lines of systems without labels, masked by the product itself: what unknown lines look like."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from .data import DataError

PROGRAM = Path(__file__).resolve().parents[2] / "bin" / "logguardian.js"
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
    node = shutil.which("node", path=os.pathsep.join((str(PROGRAM.parents[1] / "node_modules/.bin"), os.environ.get("PATH", ""))))
    if node is None:
        raise DataError("Node is missing: the trainer masks lines with the product itself. Run `npm ci` first.")
    done = subprocess.run(
        [node, str(PROGRAM), "mask", "--profile", profile], input="\n".join(lines), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise DataError(f"Lines could not be masked: {done.stderr.strip()}")
    return done.stdout.splitlines()
