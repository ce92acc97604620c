"""Labelled sequences of masked lines, read from the LogHub extracts (see the data folder's README).

A data set is a table of distinct masked texts and a list of sequences of indices into it. Splits are deterministic:
HDFS by hash of the sequence's row, BGL in time order.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


class DataError(Exception):
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
    label: int
    count: int = 1


@dataclass
class DataSet:
    name: str
    fit: list[Sequence]
    validation: list[Sequence]
    dev: list[Sequence]
    alert_texts: frozenset[int] = frozenset()

    def training(self) -> list[Sequence]:
        return self.fit


def load(folder: Path, hold_out: bool) -> tuple[Texts, DataSet, DataSet]:
    """Texts, HDFS and BGL. `hold_out` keeps validation and dev out of `fit`; without it `fit` is everything."""
    texts = Texts()
    return texts, load_hdfs(folder, texts, hold_out), load_bgl(folder, texts, hold_out)


def load_hdfs(folder: Path, texts: Texts, hold_out: bool) -> DataSet:
    templates = {row["id"]: row["masked"] for row in json.loads(_open(folder / "hdfs/templates.json"))}
    parts: dict[str, Counter] = {"fit": Counter(), "validation": Counter(), "dev": Counter()}
    for number, (label, ids) in enumerate(_rows(folder / "hdfs/train.tsv.gz")):
        # id 1 occurs once and is missing in the templates.
        lines = tuple(texts.add(templates.get(template, "<*>")) for template in ids)
        parts[_hdfs_part(number)][(lines, label)] += 1
    if not hold_out:
        return DataSet("hdfs", _sequences(parts["fit"] + parts["validation"] + parts["dev"]), [], [])
    return DataSet("hdfs", *(_sequences(parts[name]) for name in ("fit", "validation", "dev")))


def load_bgl(folder: Path, texts: Texts, hold_out: bool) -> DataSet:
    rows = json.loads(_open(folder / "bgl/templates.json.gz"))
    masked = {row["id"]: texts.add(row["masked"]) for row in rows}
    alerts = frozenset(masked[row["id"]] for row in rows if row["alert_rule"])
    unknown = texts.add("<*>")
    windows = [
        (tuple(masked.get(template, unknown) for template in ids), label)
        for label, ids in _rows(folder / "bgl/train.tsv.gz")
    ]
    if not hold_out:
        return DataSet("bgl", _sequences(Counter(windows)), [], [], alerts)
    dev_from, validation_from = int(len(windows) * 0.80), int(len(windows) * 0.68)
    parts = windows[:validation_from], windows[validation_from:dev_from], windows[dev_from:]
    return DataSet("bgl", *(_sequences(Counter(part)) for part in parts), alerts)


def unseen(evaluated: list[Sequence], trained: list[Sequence]) -> list[Sequence]:
    """Those sequences whose lines never occur, in this order, in training."""
    known = {sequence.lines for sequence in trained}
    return [sequence for sequence in evaluated if sequence.lines not in known]


def _hdfs_part(number: int) -> str:
    bucket = hashlib.sha256(f"hdfs-row-{number}".encode()).digest()[0] / 256
    return "dev" if bucket < 0.2 else "validation" if bucket < 0.3 else "fit"


def _sequences(counted: Counter) -> list[Sequence]:
    return [Sequence(lines, label, count) for (lines, label), count in sorted(counted.items())]


def _rows(path: Path):
    for number, row in enumerate(_open(path).splitlines()):
        try:
            label, ids = row.split("\t")
            yield int(label), [int(template) for template in ids.split()]
        except ValueError as error:
            raise DataError(f"{path.name}, line {number + 1} is not `label<TAB>template ids`. Fetch the file again.") from error


def _open(path: Path) -> str:
    if not path.exists():
        raise DataError(f"{path} is missing. Point --data at the folder with the labelled logs (LOGGUARDIAN_DATA).")
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
