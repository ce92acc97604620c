"""Masks lines with Drain3's own masker and a rule that is given: CPU-seconds, and a hash of the masked lines, as JSON."""

import hashlib
import json
import sys
import time

from drain3.masking import LogMasker, MaskingInstruction

rule, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    lines = file.read().split("\n")
masker = LogMasker([MaskingInstruction(rule, "*")], "<", ">")
started = time.process_time()
masked = [masker.mask(line) for line in lines]
seconds = time.process_time() - started
print(json.dumps({"cpuSeconds": seconds, "sha256": hashlib.sha256("\n".join(masked).encode()).hexdigest()}))
