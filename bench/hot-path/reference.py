"""Judges windows by LogLLM's loop in PyTorch: margins, and the seconds spent when the weights are loaded, as JSON."""

import json
import sys
import time
from pathlib import Path

from logguardian_baselines.reference import open_reference
from logguardian_baselines.windows import read_test

bundle, windows, threads = sys.argv[1:]
reference, tested = open_reference(Path(bundle), int(threads)), read_test(Path(windows))
started, started_cpu = time.perf_counter(), time.process_time()
margins = [score.score for score in reference.score(tested)]
spent = {"seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - started_cpu}
print(json.dumps({"margins": margins, **spent}))
