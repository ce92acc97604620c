"""Labelled sequences of masked lines, read from the LogHub extracts (see the data folder's README).

A data set is lists of sequences of indices into one table of distinct masked texts. Splits are deterministic: HDFS by
hash of the sequence's row, BGL in time order, texts held out by their hash.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from . import product
from .errors import TrainingError


class DataError(TrainingError):
    """The data are missing or do not fit; the message says what to do."""


@dataclass
class Texts:
    """Distinct masked texts; the index is what sequences hold."""

    rows: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)

    def add(self, text: str) -> int:
        if text not in self.index:
            self.index[text] = len(self.rows)
            self.rows.append(text)
        return self.index[text]


@dataclass(frozen=True)
class Sequence:
    """One distinct sequence of text indices with its label and how often it occurs."""

    lines: tuple[int, ...]
    #: 1 is anomalous, 0 normal; where a teacher judged it, its score.
    label: float
    count: int = 1

    @property
    def is_anomalous(self) -> bool:
        return self.label >= 0.5


@dataclass(frozen=True)
class DataSet:
    """In time, BGL's three parts follow one another: what is chosen on `validation` precedes `dev`."""

    name: str
    early: list[Sequence]
    validation: list[Sequence]
    dev: list[Sequence]
    alert_texts: frozenset[int] = frozenset()


def load(folder: Path, template: str = "{content}") -> tuple[Texts, DataSet, DataSet]:
    """Texts, HDFS and BGL; of each line, what `template` makes of its component, level and masked content."""
    texts = Texts()
    return texts, load_hdfs(folder, texts, template), load_bgl(folder, texts, template)


def load_hdfs(folder: Path, texts: Texts, template: str = "{content}") -> DataSet:
    known, _ = _templates(folder / "hdfs/templates.json", template)
    parts: dict[str, Counter] = {"early": Counter(), "validation": Counter(), "dev": Counter()}
    for number, (label, ids) in enumerate(_rows(folder / "hdfs/train.tsv.gz")):
        # id 1 occurs once and is missing in the templates.
        lines = tuple(texts.add(known.get(id, "<*>")) for id in ids)
        parts[_hdfs_part(number)][(lines, label)] += 1
    return DataSet("hdfs", *(_sequences(part) for part in parts.values()))


def load_bgl(folder: Path, texts: Texts, template: str = "{content}") -> DataSet:
    known, alert_ids = _templates(folder / "bgl/templates.json.gz", template)
    masked = {id: texts.add(text) for id, text in known.items()}
    alerts = frozenset(masked[id] for id in alert_ids)
    unknown = texts.add("<*>")
    windows = [(tuple(masked.get(id, unknown) for id in ids), label) for label, ids in _rows(folder / "bgl/train.tsv.gz")]
    dev_from, validation_from = int(len(windows) * 0.80), int(len(windows) * 0.68)
    parts = windows[:validation_from], windows[validation_from:dev_from], windows[dev_from:]
    return DataSet("bgl", *(_sequences(Counter(part)) for part in parts), alerts)


def merged(*parts: list[Sequence]) -> list[Sequence]:
    """Several parts as one: counts of equal sequences add up."""
    counted: Counter = Counter()
    for part in parts:
        for sequence in part:
            counted[(sequence.lines, sequence.label)] += sequence.count
    return _sequences(counted)


def hold_out_texts(
    sequences: list[Sequence], texts: Texts, fold: int, folds: int, rare: float
) -> tuple[list[Sequence], list[Sequence]]:
    """Those without and those with a text of this fold. Folds share out the texts that at most `rare` of all hold."""
    holding = Counter(line for sequence in sequences for line in set(sequence.lines))
    most = rare * len(sequences)
    chosen = {line for line, count in holding.items() if count <= most and _fold(texts.rows[line], folds) == fold}
    kept = [sequence for sequence in sequences if chosen.isdisjoint(sequence.lines)]
    return kept, [sequence for sequence in sequences if not chosen.isdisjoint(sequence.lines)]


def unseen(evaluated: list[Sequence], trained: list[Sequence]) -> list[Sequence]:
    """Those sequences whose lines never occur, in this order, in training."""
    known = {sequence.lines for sequence in trained}
    return [sequence for sequence in evaluated if sequence.lines not in known]


def with_new_lines(evaluated: list[Sequence], trained: list[Sequence]) -> list[Sequence]:
    """Those that hold a line of no training sequence."""
    known = {line for sequence in trained for line in sequence.lines}
    return [sequence for sequence in evaluated if not known.issuperset(sequence.lines)]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _templates(path: Path, template: str) -> tuple[dict[int, str], list[int]]:
    """Text of each template id, and the ids that make a window anomalous."""
    try:
        rows = json.loads(read_text(path))
        # Layouts of the product end a component before its colon.
        fields = [{"component": row.get("component", "").rstrip(":"), "level": row.get("level", ""), "content": row["masked"]} for row in rows]
        ids, alerts = [int(row["id"]) for row in rows], [row["id"] for row in rows if row.get("alert_rule")]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no list of templates with id and masked ({error}). Fetch the file again.") from error
    texts = [re.sub(r"\{(\w+)\}", lambda named: row[named[1]], template).strip() for row in fields]
    # What is masked stays as it is; header fields are not masked yet.
    return dict(zip(ids, texts if template == "{content}" else product.mask(texts, "logllm"), strict=True)), alerts


def _fold(text: str, folds: int) -> int:
    return int.from_bytes(hashlib.sha256(f"fold {text}".encode()).digest()[:4]) % folds


def _hdfs_part(number: int) -> str:
    bucket = hashlib.sha256(f"hdfs-row-{number}".encode()).digest()[0] / 256
    return "dev" if bucket < 0.2 else "validation" if bucket < 0.3 else "early"


def _sequences(counted: Counter) -> list[Sequence]:
    return [Sequence(lines, label, count) for (lines, label), count in sorted(counted.items())]


def _rows(path: Path):
    for number, row in enumerate(read_text(path).splitlines()):
        try:
            label, ids = row.split("\t")
            yield int(label), [int(template) for template in ids.split()]
        except ValueError as error:
            raise DataError(f"{path.name}, line {number + 1} is not `label<TAB>template ids`. Fetch the file again.") from error


def read_text(path: Path) -> str:
    """UTF-8, plain or .gz. Raises DataError for what is missing or cannot be read."""
    if not path.exists():
        raise DataError(f"{path} is missing. Point --data at the folder with the labelled logs (LOGGUARDIAN_DATA).")
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error}). Fetch the file again, or convert it.") from error
