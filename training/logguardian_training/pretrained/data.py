"""Labelled windows to learn from: LogHub extracts, or JSON lines of one's own."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np

from .. import data as extracts
from ..data import DataError, DataSet, Sequence, Texts
from ..errors import TrainingError


def load(path: Path, labels: Path | None, template: str = "{content}") -> tuple[Texts, list[DataSet]]:
    """`path`: the folder of the extracts, or a file of rows {"lines": [masked lines], "label": 0 or 1, "count"?, "id"?}
    in time order. `labels`: CSV of id,label for rows that have none. Of a file the last fifth is dev, the part before it
    (68 to 80 %) validation."""
    if path.is_file():
        if template != "{content}":
            raise DataError(f"The recipe's text_template is {template!r}, and {path.name} has no header fields. Set it to '{{content}}'.")
        texts, sets = _load_rows(path, labels)
    else:
        if labels is not None:
            raise DataError(f"--labels belongs to a file of JSON lines, and {path} is none. Leave it out, or name a file with --data.")
        texts, *sets = extracts.load(path, template)
    for part in sets:
        _check(part)
    return texts, list(sets)


def _check(part: DataSet) -> None:
    for sequence in part.early + part.validation + part.dev:
        if not sequence.lines:
            raise DataError(f"{part.name} has a window of zero lines. Remove it: nothing can be said of no line.")
    found = {sequence.label for sequence in part.early}
    if found != {0, 1}:
        what = "no windows" if not found else "only normal windows" if found == {0} else "only anomalous windows"
        raise TrainingError(f"{part.name} has {what} to learn from. Provide normal and anomalous ones.")
    for use, half in zip(("stop training", "calibrate"), halves(part.validation), strict=True):
        if {sequence.label for sequence in half} != {0, 1}:
            raise TrainingError(
                f"{part.name} has too few windows to {use} by: of its validation part (68 to 80 % in time) half serves that, and it must "
                "hold normal and anomalous ones, two distinct of each in all. Provide more windows."
            )


def halves(sequences: list[Sequence]) -> tuple[list[Sequence], list[Sequence]]:
    """Two halves without a window in common, not even one that occurs with either label, with their share of each label."""
    same: dict[tuple[int, ...], list[Sequence]] = {}
    for sequence in sequences:
        same.setdefault(sequence.lines, []).append(sequence)
    ordered = sorted(same.values(), key=lambda group: (len(group), group[0].label))
    first, second = ([sequence for group in part for sequence in group] for part in (ordered[::2], ordered[1::2]))
    return first, second


def _load_rows(path: Path, labels: Path | None) -> tuple[Texts, list[DataSet]]:
    by_id = _read_labels(labels) if labels else None
    texts, windows, used = Texts(), [], set()
    # Not splitlines: JSON leaves Unicode's own line separators in texts as they are.
    for number, text in enumerate(extracts.read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            row = json.loads(text)
            lines, label, count = row["lines"], row.get("label"), row.get("count", 1)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f'{where} is no window {{"lines": [...], "label": 0 or 1}}. Correct or remove it.') from error
        if not isinstance(lines, list) or not lines:
            raise DataError(f"{where} is a window of zero lines. Remove it: nothing can be said of no line.")
        if not all(isinstance(line, str) for line in lines):
            raise DataError(f"{where} has lines that are no texts. Correct or remove it.")
        # As the product reads it: 2.0 is a whole number, and from 2^53 on none is told from the next.
        if type(count) not in (int, float) or not 1 <= count < 2**53 or count % 1:
            raise DataError(f"{where} has the count {count!r}, which is no whole number from 1. Correct or remove it.")
        if by_id is not None:
            label = by_id.get(str(row.get("id")))
            used.add(str(row.get("id")))
            if label is None:
                raise DataError(f"{labels.name} does not match {path.name}: it has no label for the id {row.get('id')!r} of line {number}.")
        if label not in (0, 1) or isinstance(label, bool):
            raise DataError(f"{where} has the label {label!r}, which is neither 0 nor 1. Correct it, or give --labels.")
        windows.append(Sequence(tuple(texts.add(line) for line in lines), label, int(count)))
    if by_id is not None and len(used) < 0.5 * len(by_id):
        raise DataError(f"{labels.name} does not match {path.name}: of its {len(by_id)} labels only {len(used)} belong to a window.")
    name = path.name.split(".")[0]
    first, second = int(len(windows) * 0.68), int(len(windows) * 0.80)
    return texts, [DataSet(name, *(extracts.merged(part) for part in (windows[:first], windows[first:second], windows[second:])))]


def _read_labels(path: Path) -> dict[str, int]:
    """Rows id,label as LogHub writes them: Normal and Anomaly, or 0 and 1."""
    known = {"normal": 0, "0": 0, "anomaly": 1, "1": 1}
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[1:]
        return {row[0]: known[row[1].strip().lower()] for row in rows if row}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"The label file {path} cannot be read as CSV ({error}). Name another with --labels.") from error
    except (IndexError, KeyError) as error:
        raise DataError(f"The label file {path} is not BlockId,Label with Normal or Anomaly in each row: {error} is neither.") from error


def choose(sequences: list[Sequence], count: int, random: np.random.Generator) -> list[Sequence]:
    """At most `count` (0: all) distinct sequences, frequent ones rather: drawn by log2(1 + count), both labels among them."""
    if count == 0 or count >= len(sequences):
        return list(sequences)
    weights = np.array([math.log2(1 + sequence.count) for sequence in sequences])
    # Weighted drawing without replacement: the largest of u^(1/weight).
    keys = np.log(random.random(len(sequences))) / weights
    order = np.argsort(-keys, kind="stable")
    places = list(order[:count])
    if len(labels := {sequences[place].label for place in places}) == 1:
        other = next((place for place in order if sequences[place].label not in labels), None)
        if other is not None:
            places[-1] = other
    return [sequences[place] for place in sorted(places)]


def oversample(sequences: list[Sequence], share: float, at_least: int, random: np.random.Generator) -> list[Sequence]:
    """The paper's epoch: the rarer label repeated until it makes up `share`, then everything until `at_least` samples."""
    by_label = [[sequence for sequence in sequences if sequence.label == label] for label in (0, 1)]
    rarer, other = sorted(by_label, key=len)
    wanted = math.ceil(share / (1 - share) * len(other))
    missing = max(0, wanted - len(rarer))
    epoch = other + rarer + [rarer[place] for place in random.integers(len(rarer), size=missing)]
    repeats = math.ceil(at_least / len(epoch)) if at_least > len(epoch) else 1
    return epoch * repeats
