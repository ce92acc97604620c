"""LogLLM's stages on tiny models: what each changes, kills, early stopping, and what is refused."""

import gzip
import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from logguardian_training import __main__ as program
from logguardian_training.data import Sequence
from logguardian_training.errors import TrainingError
from logguardian_training.pretrained import data as labelled_data
from logguardian_training.pretrained import recipe as recipes
from logguardian_training.pretrained.projector import Projector
from logguardian_training.pretrained.sources import find, fingerprint
from logguardian_training.pretrained.stages import Stages, weights
from logguardian_training.pretrained.train import Run, train
from tests import tiny
from tests.conftest import RECIPES, arguments, shrink


def prepared(recipe, rows, out) -> Run:
    """A run up to its first step."""
    run = Run(recipe, arguments(rows, out))
    run.say = lambda what: None
    run.train()
    return run


@pytest.mark.parametrize("place", range(4))
def test_a_stage_changes_what_it_trains_and_nothing_else(tiny_recipe, rows, tmp_path, place):
    stage = tiny_recipe.stages[place]
    before = prepared(replace(tiny_recipe, stages=[replace(stage, learning_rate=1e-30)]), rows, tmp_path / "before")
    after = prepared(replace(tiny_recipe, stages=[stage]), rows, tmp_path / "after")
    first, last = weights(before.model), weights(after.model)
    changed = {name.split(".")[0] for name in first if (first[name] - last[name]).abs().max() > 1e-9}
    assert changed == set(stage.trains)


def test_the_stages_are_the_papers(models):
    for name in ("small", "llama-3-8b", "llama-3-8b-system-prompt"):
        stages = recipes.load(RECIPES / f"{name}.yaml").stages
        assert [(stage.trains, stage.learning_rate, stage.epochs, stage.samples) for stage in stages] == [
            (["llama"], 5e-4, 1, 1000),
            (["projector"], 5e-4, 1, 0),
            (["projector", "encoder"], 5e-5, 1, 0),
            (["encoder", "projector", "llama"], 5e-5, 2, 0),
        ]


@pytest.mark.parametrize("stage", [0, 2])
def test_a_run_that_was_killed_ends_with_the_same_weights(tiny_recipe, rows, tmp_path, stage):
    undisturbed = prepared(tiny_recipe, rows, tmp_path / "undisturbed")
    script = (
        "import os, pickle, signal, sys\nfrom logguardian_training.pretrained.stages import Stages\n"
        "from logguardian_training.pretrained.train import Run\n"
        "recipe, arguments, stage = pickle.load(open(sys.argv[1], 'rb'))\nstep = Stages._step\n"
        "def dying(self, one, samples, progress, optimizer):\n"
        "    if (progress.stage, progress.step) == (stage, 2):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return step(self, one, samples, progress, optimizer)\n"
        "Stages._step = dying\nRun(recipe, arguments).train()"
    )
    given = arguments(rows, tmp_path / "killed")
    (tmp_path / "asked.pkl").write_bytes(pickle.dumps((tiny_recipe, given, stage)))
    killed = subprocess.run([sys.executable, "-c", script, tmp_path / "asked.pkl"], cwd=RECIPES.parent, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    run = Run(tiny_recipe, given)
    run.train()
    mine, theirs = weights(undisturbed.model), weights(run.model)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert undisturbed.progress.history == run.progress.history


def test_a_stage_ends_early_where_the_validation_loss_no_longer_falls(tiny_recipe, rows, tmp_path):
    # So small a rate changes nothing.
    stage = replace(tiny_recipe.stages[3], learning_rate=1e-30)
    hasty = replace(tiny_recipe, stages=[stage], validation=replace(tiny_recipe.validation, evaluations=8, patience=2))
    run = prepared(hasty, rows, tmp_path / "out")
    [row] = run.progress.history
    assert row["steps"] < Stages(hasty, run.model, run.lines, run.fit, run.validation, None, run.accelerator).samples[0].steps
    assert row["validationLoss"] is not None


def test_two_processes_train_as_one(tiny_recipe, rows, tmp_path):
    # Each process would draw dropout for itself.
    encoder, llama = (replace(part, dropout=0.0) for part in (tiny_recipe.lora.encoder, tiny_recipe.lora.llama))
    tiny_recipe = replace(tiny_recipe, lora=replace(tiny_recipe.lora, encoder=encoder, llama=llama))
    alone = prepared(tiny_recipe, rows, tmp_path / "alone")
    script = tmp_path / "together.py"
    script.write_text(
        "import pickle, sys\nfrom logguardian_training.pretrained.train import Run\n"
        "run = Run(*pickle.load(open(sys.argv[1], 'rb')))\nassert run.accelerator.num_processes == 2\nrun.train()"
    )
    (tmp_path / "asked.pkl").write_bytes(pickle.dumps((tiny_recipe, arguments(rows, tmp_path / "together"))))
    launched = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script, tmp_path / "asked.pkl"],
        env={**os.environ, "PYTHONPATH": str(RECIPES.parent)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert launched.returncode == 0, launched.stderr
    together = torch.load(tmp_path / "together.work/checkpoint.pt", weights_only=True)
    for row, mine in zip(together["history"], alone.progress.history, strict=True):
        assert row["steps"] == mine["steps"]
    start = weights(prepared(replace(tiny_recipe, stages=[replace(tiny_recipe.stages[0], learning_rate=1e-30)]), rows, tmp_path / "start").model)
    mine, theirs = weights(alone.model), together["weights"]
    moved, apart = (torch.cat([(one[name] - mine[name]).flatten() for name in mine]).norm() for one in (start, theirs))
    # A tenth: AdamW's first steps make much of a gradient's last bits. Without shared gradients it is half.
    assert apart / moved < 0.25


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_a_folded_projector_is_the_same_function(batch_norm, activation):
    torch.manual_seed(1)
    projector = Projector(8, 6, recipes.ProjectorRecipe(batch_norm, activation, 0.3, "random"))
    vectors = torch.randn(50, 8) * 3 + 1
    projector.begin(vectors, 2.0, False)
    projector.train()
    for _ in range(5):
        projector(vectors)
    projector.eval()
    with torch.no_grad():
        assert torch.allclose(projector(vectors), projector.folded()(vectors), atol=1e-5)
        # Dropout and the batch's own statistics are of training.
        assert not torch.allclose(projector.train()(vectors), projector.folded()(vectors), atol=1e-2)


def test_lines_past_a_windows_limit_are_not_learnt_from(tiny_recipe, tmp_path):
    """Nobody trained on them, so novelty must not call them known."""
    rows = [{"lines": [f"first {number % 9}", f"second {number % 7}", f"beyond {number}"], "label": number % 2} for number in range(300)]
    short = replace(tiny_recipe, stages=tiny_recipe.stages[:1], window=replace(tiny_recipe.window, max_lines=2))
    run = prepared(short, Path(write_rows(tmp_path / "rows.jsonl", rows)), tmp_path / "out")
    texts = {run.texts.rows[line] for line in run.learnt_lines()}
    assert texts and not any(text.startswith("beyond") for text in texts)


def write_rows(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


NORMAL = [{"lines": [f"step {number % 7} went on"], "label": 0, "id": str(number)} for number in range(40)]


def refused(monkeypatch, capfd, *options: str) -> str:
    """What the command line says, which is one line, and ends with 1."""
    monkeypatch.setattr(sys, "argv", ["logguardian_training", "train", "--config", str(RECIPES / "small.yaml"), *options])
    assert program.main() == 1
    said = [line for line in capfd.readouterr().err.splitlines() if line and not line.startswith(("Reading", "Loading"))]
    assert len(said) == 1, said
    return said[0]


def test_a_checkpoint_goes_on_with_the_same_labels_and_models_alone(tiny_recipe, models, rows, tmp_path):
    short = replace(tiny_recipe, stages=tiny_recipe.stages[:1])
    prepared(short, rows, tmp_path / "out")
    changed = [json.loads(row) for row in rows.read_text().splitlines()]
    for row in changed:
        row["label"] = 1 - row["label"]
    (tmp_path / "changed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed))
    with pytest.raises(TrainingError, match="another recipe, model or data"):
        prepared(short, tmp_path / "changed.jsonl", tmp_path / "out")
    # Another model in a folder of the same name.
    other = tiny.tiny_llama(tmp_path / Path(models.llama).name, seed=9)
    with pytest.raises(TrainingError, match="another recipe, model or data"):
        prepared(recipes.with_choices(short, None, None, str(other)), rows, tmp_path / "out")


@pytest.mark.parametrize("place", [0, 220])
def test_a_checkpoint_knows_counts_and_the_windows_that_end_stages(tiny_recipe, rows, tmp_path, place):
    """`place`: of a window to learn from, and of one in validation (68 to 80 % of 300)."""
    every = replace(tiny_recipe, stages=tiny_recipe.stages[:1], data=replace(tiny_recipe.data, windows=0))
    every = replace(every, validation=replace(every.validation, windows=1000))
    prepared(every, rows, tmp_path / "out")
    changed = [json.loads(row) for row in rows.read_text().splitlines()]
    for row in changed[place : place + 2]:
        row["count"] = 2
    write_rows(tmp_path / "changed.jsonl", changed)
    with pytest.raises(TrainingError, match="another recipe, model or data"):
        prepared(every, tmp_path / "changed.jsonl", tmp_path / "out")


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_model_is_known_by_all_of_its_weights(tmp_path, name):
    """Merged LoRA leaves the size and both ends of a file, embeddings and norms, as they were."""
    (tmp_path / "config.json").write_text("{}")
    content = bytearray(5 * 2**20)
    found = []
    for value in (0, 1):
        content[len(content) // 2] = value
        (tmp_path / name).write_bytes(content)
        found.append(fingerprint(find(str(tmp_path), "--llama")))
    assert found[0] != found[1]


def test_data_that_nothing_can_be_learnt_from_are_refused(monkeypatch, capfd, models, tmp_path):
    def says(*options):
        return refused(
            monkeypatch, capfd, "--encoder", models.encoder, "--llama", models.llama, "--out", str(tmp_path / "out"), *options
        )

    labels = tmp_path / "labels.csv"
    labels.write_text("BlockId,Label\n" + "".join(f"blk_{number},Normal\n" for number in range(40)))
    unlabelled = write_rows(tmp_path / "unlabelled.jsonl", [{"lines": row["lines"], "id": row["id"]} for row in NORMAL])
    assert "labels.csv does not match unlabelled.jsonl" in says("--data", unlabelled, "--labels", str(labels))
    labels.write_bytes(b"\xff\xfe0")
    assert "labels.csv cannot be read" in says("--data", unlabelled, "--labels", str(labels))
    assert "only normal windows to learn from" in says("--data", write_rows(tmp_path / "normal.jsonl", NORMAL))
    empty = write_rows(tmp_path / "empty.jsonl", [*NORMAL, {"lines": [], "label": 1}])
    assert "line 41 is a window of zero lines" in says("--data", empty)
    assert "is missing" in says("--data", str(tmp_path / "nowhere"))
    # A row that occurs no time has no weight in calibration.
    never = write_rows(tmp_path / "never.jsonl", [*NORMAL, {"lines": ["x"], "label": 1, "count": 0}])
    assert "line 41 has the count 0" in says("--data", never)
    for count in ("1.7", '"2"', "1e400", "true", "9007199254740992"):
        (tmp_path / "count.jsonl").write_text(json.dumps(NORMAL[0])[:-1] + f', "count": {count}}}\n')
        assert "line 1 has the count" in says("--data", str(tmp_path / "count.jsonl"))
    texts = write_rows(tmp_path / "texts.jsonl", [{"lines": ["a", None, 3], "label": 0}])
    assert "line 1 has lines that are no texts" in says("--data", texts)
    # All anomalous windows come early: nothing could be calibrated.
    early = [{"lines": [f"fault {number}"], "label": 1} for number in range(40)]
    assert "too few windows to stop training by" in says("--data", write_rows(tmp_path / "early.jsonl", [*early, *NORMAL, *NORMAL]))


def test_a_whole_count_may_be_written_with_a_fraction(tmp_path):
    """As the product reads it: JSON has one kind of number."""
    rows = [{"lines": [f"step {number}"], "label": number % 2, "count": 2.0} for number in range(60)]
    _, [part] = labelled_data.load(Path(write_rows(tmp_path / "rows.jsonl", rows)), None)
    assert [type(sequence.count) for sequence in part.early] == [int] * 40 and part.early[0].count == 2


def test_the_halves_of_validation_share_no_window():
    """Nor one that occurs with either label."""
    # An odd number of normal ones: dealt out label by label, the pairs would part.
    sequences = [Sequence((line,), label) for line in range(10) for label in (0, 1)]
    sequences += [Sequence((100 + number,), int(number >= 11)) for number in range(21)]
    first, second = labelled_data.halves(sequences)
    assert {sequence.lines for sequence in first}.isdisjoint(sequence.lines for sequence in second)
    assert sorted(first + second, key=sequences.index) == sequences
    assert [sum(sequence.label for sequence in half) for half in (first, second)] == [10, 10]


def test_the_product_is_compared_on_distinct_windows(tiny_recipe, tmp_path):
    """All there are, where they are fewer than the recipe wants, and none of them twice."""
    # The same 30 windows before and in validation.
    rows = [{"lines": [f"step {number % 30}"], "label": number % 2} for number in range(300)]
    wanted = replace(tiny_recipe, stages=tiny_recipe.stages[:1], export=replace(tiny_recipe.export, parity_windows=500))
    run = prepared(wanted, Path(write_rows(tmp_path / "rows.jsonl", rows)), tmp_path / "out")
    assert sorted(sequence.lines for sequence in run.compared["rows"]) == [(line,) for line in range(30)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.jsonl.gz", gzip.compress(b"x" * 99, mtime=0)[:-9]),
        ("other.jsonl.gz", b"no gzip"),
        ("latin.jsonl", b'{"lines": ["caf\xe9"], "label": 0}'),
    ],
)
def test_a_data_file_that_cannot_be_read_is_refused(monkeypatch, capfd, models, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    given = ["--encoder", models.encoder, "--llama", models.llama, "--out", str(tmp_path / "out")]
    assert f"{name} cannot be read" in refused(monkeypatch, capfd, "--data", str(tmp_path / name), *given)


def test_a_line_separator_within_a_text_ends_no_row(tmp_path):
    rows = [{"lines": [f"one\u2028two {number}"], "label": number % 2} for number in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    texts, _ = labelled_data.load(tmp_path / "rows.jsonl", None)
    assert texts.rows[0] == "one\u2028two 0" and len(texts.rows) == 60


def test_models_that_are_missing_or_do_not_fit_are_refused(monkeypatch, capfd, models, rows, tmp_path):
    def says(*options):
        return refused(monkeypatch, capfd, "--data", str(rows), "--out", str(tmp_path / "out"), *options)

    assert "no model in /nowhere" in says("--encoder", models.encoder, "--llama", "/nowhere")
    assert "only Llama architectures" in says("--encoder", models.encoder, "--llama", models.encoder)
    # The encoder's tokenizer in place of the Llama's own.
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for file in Path(models.llama).iterdir():
        os.symlink(file, wrong / file.name)
    (wrong / "tokenizer.json").unlink()
    os.symlink(Path(models.encoder) / "tokenizer.json", wrong / "tokenizer.json")
    assert "wrong tokenizer" in says("--encoder", models.encoder, "--llama", str(wrong))
    (wrong / "tokenizer.json").unlink()
    (wrong / "tokenizer.json").write_text('{"model"')
    assert "is no tokenizer" in says("--encoder", models.encoder, "--llama", str(wrong))
    # Downloads that broke off.
    (wrong / "model.safetensors").unlink()
    (wrong / "model.safetensors").write_bytes((Path(models.llama) / "model.safetensors").read_bytes()[:9000])
    assert "cannot be loaded" in says("--encoder", models.encoder, "--llama", str(wrong))
    (tmp_path / "cut.gguf").write_bytes(b"GGUF")
    assert "cannot be loaded" in says("--encoder", models.encoder, "--llama", str(tmp_path / "cut.gguf"))
    something = tmp_path / "something"
    something.mkdir()
    (something / "thesis.txt").write_text("years of work")
    assert "would be replaced" in refused(monkeypatch, capfd, "--data", str(rows), "--out", str(something))


def test_an_adapter_without_a_gguf_base_is_refused_before_anything_is_trained(tiny_recipe, rows, tmp_path):
    with pytest.raises(TrainingError, match="An adapter belongs to a base in GGUF"):
        train(replace(tiny_recipe, export=replace(tiny_recipe.export, llama="adapter")), arguments(rows, tmp_path / "out"))
    assert not (tmp_path / "out.work").exists()


@pytest.mark.parametrize("option", [("--jobs", "0"), ("--windows", "-1"), ("--teacher-windows", "0")])
def test_numbers_that_make_no_sense_are_refused(monkeypatch, capfd, tmp_path, option):
    monkeypatch.setattr(sys, "argv", ["logguardian_training", "train", "--out", str(tmp_path / "out"), *option])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 2
    assert f"{option[0]}: {option[1]} is less than" in capfd.readouterr().err


def test_a_loss_that_is_no_number_ends_training_and_the_checkpoint_survives(tiny_recipe, rows, tmp_path):
    stages = [tiny_recipe.stages[0], replace(tiny_recipe.stages[3], learning_rate=1e30)]
    with pytest.raises(TrainingError, match="loss is nan .* the last checkpoint stands"):
        train(replace(tiny_recipe, stages=stages), arguments(rows, tmp_path / "out"))
    saved = torch.load(tmp_path / "out.work/checkpoint.pt", weights_only=True)
    assert saved["stage"] == 1 and all(torch.isfinite(tensor).all() for tensor in saved["weights"].values())


def test_too_little_memory_is_said_with_what_to_lower_and_the_checkpoint_survives(tiny_recipe, rows, tmp_path, monkeypatch):
    step = Stages._step

    def heavy(self, stage, samples, progress, optimizer):
        if progress.stage == 1:
            torch.empty(2**60)
        return step(self, stage, samples, progress, optimizer)

    monkeypatch.setattr(Stages, "_step", heavy)
    with pytest.raises(TrainingError, match="not enough memory.*micro_batch"):
        train(tiny_recipe, arguments(rows, tmp_path / "out"))
    assert torch.load(tmp_path / "out.work/checkpoint.pt", weights_only=True)["stage"] == 1
