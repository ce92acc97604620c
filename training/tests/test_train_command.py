"""`train` for the starter's recipe, whole, on a made-up data folder: choice, both bundles, and the way on after a kill."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from logguardian_training import product

TRAINING = Path(__file__).parent.parent
NORMAL = [f"worker finished step {word}" for word in "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()]
FAULTS = ["kernel panic on core", "disk failed with an error", "lost contact with node", "memory parity fault"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """In the layout of the LogHub extracts."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(1)
    texts = NORMAL + FAULTS
    templates = [{"id": place + 2, "masked": text, "alert_rule": "x" if text in FAULTS else None} for place, text in enumerate(texts)]

    def rows(count: int) -> bytes:
        made = []
        for _ in range(count):
            ids = (random.integers(0, 12, random.integers(3, 12)) + 2).tolist()
            label = int(random.random() < 0.3)
            if label:
                ids[1] = int(random.integers(12, 16)) + 2
            made.append(f"{label}\t{' '.join(map(str, ids))}\n")
        return gzip.compress("".join(made).encode())

    for system, name, pack in (("hdfs", "templates.json", bytes), ("bgl", "templates.json.gz", gzip.compress)):
        (folder / system).mkdir()
        (folder / system / name).write_bytes(pack(json.dumps(templates).encode()))
        (folder / system / "train.tsv.gz").write_bytes(rows(400))
    with tarfile.open(folder / "loghub_2k.tar.xz", "w:xz") as archive:
        content = "".join(f"service number {number} of the proxy is up\n" for number in range(30)).encode()
        entry = tarfile.TarInfo("loghub_2k/Proxifier/Proxifier_2k.log")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return folder


@pytest.fixture(scope="module")
def recipe(folder) -> Path:
    content = yaml.safe_load((TRAINING / "recipes/starter.yaml").read_text())
    content["model"].update(layers=1, width=64, heads=2, feed_forward=64)
    content["training"].update(steps=40, checkpoint_every=20, hdfs_batch=8, bgl_batch=8)
    content["selection"].update(seeds=[1, 2], folds=2, rare=0.4)
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def start(recipe: Path, folder: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "logguardian_training", "train", "--config", recipe, "--data", folder, "--out", out, "--jobs", "2"]
    return subprocess.Popen(command, cwd=TRAINING, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.mark.parametrize("name", ["starter.yaml", "llama-3-8b.yaml"])
def test_a_wrong_recipe_is_refused_before_torch_is_imported(name, tmp_path):
    (tmp_path / "torch.py").write_text("raise SystemExit('torch is imported')")
    command = [sys.executable, "-m", "logguardian_training", "train", "--config", TRAINING / "recipes" / name, "--out", tmp_path / "out"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run([*command, "--set", "training.stepz=3"], cwd=TRAINING, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.split(":")[0]) == (1, "--set training.stepz=3")


def test_a_recipe_becomes_two_bundles_though_the_trainer_is_killed(recipe, folder, tmp_path):
    killed = start(recipe, folder, tmp_path / "out")
    for line in killed.stderr:
        if "step 40/40" in line:
            break
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert list((tmp_path / "out.work").rglob("*.pt")) and not (tmp_path / "out").exists()
    again = start(recipe, folder, tmp_path / "out")
    _, said = again.communicate()
    assert again.returncode == 0, said
    # What was finished is not trained again.
    assert sum("step 40/40" in line for line in said.splitlines()) <= 5 - 1
    assert "Chosen on validation" in said
    for name, meaning in (("out", "all of train"), ("out.held-out", "without the dev parts")):
        manifest = json.loads((tmp_path / name / "manifest.json").read_text())
        assert manifest["metrics"]["training"]["data"].startswith(meaning)
        assert [row["chosen"] for row in manifest["metrics"]["candidates"]].count(True) == 1
        assert len(manifest["metrics"]["candidates"]) == 4
        assert set(manifest["metrics"]["parity"]) == {"hdfs", "bgl"}
        assert "margins within" in product.run(["model", "verify", str(tmp_path / name)], "")
