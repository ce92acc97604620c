"""What is chosen and reported: recipes, the parts of the data, figures, calibration and thresholds."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from logguardian_training import candidates, data, product, recipe
from logguardian_training.calibration import Calibration, calibrate, expected_calibration_error, figures
from logguardian_training.errors import TrainingError
from logguardian_training.data import Sequence, Texts
from logguardian_training.metrics import Labelled, average_precision, scores_at
from tests.conftest import STARTER


def test_a_recipe_with_unknown_or_missing_keys_is_refused(tmp_path):
    changed = STARTER.read_text().replace("steps:", "stepps:")
    (tmp_path / "bad.yaml").write_text(changed)
    with pytest.raises(recipe.RecipeError, match="missing key .*steps.*unknown key .*stepps"):
        recipe.load(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("selection.folds=0", "selection.folds must lie from 2"),
        ("selection.seeds=[]", "some different numbers"),
        ("selection.seeds=[1, 1]", "some different numbers"),
        ("training.checkpoint_every=0", "checkpoint_every must lie from 1"),
        ("training.learning_rate=.nan", "learning_rate must lie from"),
        ("model.heads=5", "5 does not divide 192"),
        ("text_template=content", "must hold {content}"),
        ("text_template='{content} {pid}'", "may hold {component} and {level}"),
        ("mask_profile=typed", "must be logllm"),
        ("training.stepps=3", "must be KEY=VALUE with a key of the recipe"),
        ("training.steps", "must be KEY=VALUE"),
    ],
)
def test_impossible_values_are_refused(change, says):
    with pytest.raises(recipe.RecipeError, match=says):
        recipe.load(STARTER, [change])


def test_values_of_a_recipe_are_set(tmp_path):
    wanted = recipe.load(STARTER, ["training.steps=300", "prompt.after=' It is'"])
    assert (wanted.training.steps, wanted.prompt.after) == (300, " It is")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(recipe.RecipeError, match="cannot be read as YAML"):
        recipe.load(tmp_path / "binary.yaml")


def test_header_fields_stand_before_the_content_as_the_template_says(tmp_path):
    (tmp_path / "bgl").mkdir()
    rows = [
        {"id": 2, "masked": "fan <*> failed", "component": "KERNEL", "level": "FATAL", "alert_rule": True},
        {"id": 3, "masked": "ok", "component": "APP:", "level": "INFO", "alert_rule": False},
    ]
    (tmp_path / "bgl/templates.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    (tmp_path / "bgl/train.tsv.gz").write_bytes(gzip.compress(b"1\t3 2\n"))
    texts = Texts()
    [window] = data.load_bgl(tmp_path, texts, "{component} {level} {content}").dev
    assert [texts.rows[line] for line in window.lines] == ["APP INFO ok", "KERNEL FATAL fan <*> failed"]
    (tmp_path / "bgl/templates.json.gz").write_bytes(gzip.compress(b"{"))
    with pytest.raises(data.DataError, match="no list of templates"):
        data.load_bgl(tmp_path, Texts())


def test_no_model_learns_from_what_it_is_judged_by():
    """A part's windows hold texts of their own, so what is learnt from can be told by them."""

    def data_set(name: str, first: int) -> data.DataSet:
        parts = [[Sequence((first, first + part * 10 + row), row % 2) for row in range(1, 10)] for part in range(3)]
        return data.DataSet(name, *parts, frozenset())

    texts = Texts([f"text {number}" for number in range(100)])
    corpus = candidates.Corpus(texts, torch.zeros(100, 4), data_set("hdfs", 0), data_set("bgl", 50), torch.zeros(1, 4))
    wanted = recipe.load(STARTER, ["selection.rare=0.5"])
    workshop = candidates.Workshop(wanted, corpus, Path("unused"), 1)
    dev, validation = ({s.lines for one in (corpus.hdfs, corpus.bgl) for s in getattr(one, part)} for part in ("dev", "validation"))
    folds = []
    for job in workshop.selection_jobs + workshop.held_out_jobs + [candidates.Job("shipped", 1)]:
        material = workshop.material(job)
        learnt, judged = ({s.lines for part in parts for s in part} for parts in ((material.hdfs, material.bgl), workshop.parts(job)))
        assert learnt.isdisjoint(judged)
        assert learnt.isdisjoint(dev) == (job.purpose != "shipped")
        assert learnt.isdisjoint(validation) == (job.purpose == "selection")
        if job.purpose == "selection":
            assert judged.isdisjoint(dev)
            held = {s.lines[1] for s in workshop.parts(job)[-1]}
            assert held and held.isdisjoint(line for s in material.bgl for line in s.lines)
            folds.append(held)
    # Each seed holds out a fold of its own; together they are all of early.
    assert set.union(*folds) == {s.lines[1] for s in corpus.bgl.early} and len(folds) == 3


def test_texts_are_held_out_by_folds_that_share_them_out():
    texts = Texts()
    for number in range(40):
        texts.add(f"text {number}")
    # Text 0 is in every window, so no fold holds it out.
    sequences = [Sequence((0, number), number % 2) for number in range(1, 40)]
    folds = [data.hold_out_texts(sequences, texts, fold, 3, 0.05) for fold in range(3)]
    assert sorted(sequence.lines[1] for _, held in folds for sequence in held) == list(range(1, 40))
    for kept, held in folds:
        assert kept and held and not {s.lines[1] for s in kept} & {s.lines[1] for s in held}


def test_equal_sequences_of_several_parts_are_counted_together():
    one = [Sequence((1, 2), 0, 3)]
    assert data.merged(one, [Sequence((1, 2), 0, 4), Sequence((1, 2), 1)]) == [Sequence((1, 2), 0, 7), Sequence((1, 2), 1)]


def test_sequences_and_lines_never_seen_are_told_apart():
    trained, evaluated = [Sequence((1, 2), 0)], [Sequence((1, 2), 0), Sequence((2, 1), 0), Sequence((1, 3), 1)]
    assert data.unseen(evaluated, trained) == evaluated[1:]
    assert data.with_new_lines(evaluated, trained) == evaluated[2:]


def test_the_product_masks_lines_for_the_trainer():
    assert product.mask(["Received 12 bytes from 10.0.0.1", "", "x"], "logllm") == ["Received <*> bytes from <*>", "", "x"]


def test_figures_on_a_known_case():
    part = Labelled(np.array([3.0, 2.0, 1.0, 0.0]), np.array([1, 0, 1, 0]), np.ones(4))
    assert scores_at(part, 0.5) == {"precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8)}
    assert average_precision(part) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("label", [0, 1])
def test_what_needs_both_labels_has_no_figure_and_no_calibration_without(label):
    part = Labelled(np.array([1.0, 0.0]), np.array([label, label]), np.ones(2))
    found = figures(part, Calibration(1.0, 0.0, 0.5))
    assert {key for key, value in found.items() if value is None} == {"precision", "recall", "f1", "averagePrecision"}
    with pytest.raises(TrainingError, match="all normal or all anomalous"):
        calibrate([part], recipe.load(STARTER).objective)


def test_a_ranking_error_counts_half_the_error_the_same_everywhere():
    easy, hard, perfect = (
        Labelled(np.array([3.0, 2.0, 1.0, 0.0]), np.array(labels), np.ones(4)) for labels in ([1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0])
    )
    assert candidates.ranking_error([easy, hard]) == pytest.approx((1 / 6 * 1 / 2) ** 0.5)
    assert candidates.ranking_error([perfect]) == pytest.approx(1e-4)


def test_a_calibrated_score_is_the_share_of_anomalous_windows():
    random = np.random.default_rng(5)
    margins = random.normal(size=20_000) * 3
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(0.7 * margins - 1)))).astype(int)
    part = Labelled(margins, labels, np.ones(20_000))
    found = calibrate([part], recipe.load(STARTER).objective)
    assert (found.scale, found.shift) == (pytest.approx(0.7, abs=0.05), pytest.approx(-1, abs=0.1))
    assert expected_calibration_error(part, found) < 0.02
    assert expected_calibration_error(part, Calibration(0.7, 2.0, 0.5)) > 0.1


def test_a_threshold_for_false_alarms_allows_as_many_as_stated():
    part = Labelled(np.arange(1000.0), np.repeat([0, 1], [900, 100]), np.ones(1000))
    objective = recipe.ObjectiveRecipe("false-alarms", alarms_per_day=10, windows_per_day=1000)
    # A hundredth of 900 normal windows: nine, those from 891 on.
    assert (part.margins[part.labels == 0] >= calibrate([part], objective).margin_threshold).sum() == 9


def test_a_threshold_for_f1_is_about_as_good_as_any_and_leans_on_no_single_window():
    random = np.random.default_rng(6)
    labels = (random.random(20_000) < 0.1).astype(int)
    part = Labelled(random.normal(size=20_000) + 3 * labels, labels, np.ones(20_000))
    found = calibrate([part], recipe.load(STARTER).objective)
    best = max(scores_at(part, threshold)["f1"] for threshold in np.arange(0, 4, 0.02))
    assert scores_at(part, found.margin_threshold)["f1"] == pytest.approx(best, abs=0.003)
    fewer = Labelled(part.margins[1:], part.labels[1:], part.weights[1:])
    assert calibrate([fewer], recipe.load(STARTER).objective).margin_threshold == pytest.approx(found.margin_threshold, abs=0.01)
