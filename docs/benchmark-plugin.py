"""A plug-in for `logguardian benchmark`: windows longer than all normal windows of training are anomalous."""

import json
import sys

train, test, scores = sys.argv[1:]
with open(train, encoding="utf-8") as rows:
    windows = [json.loads(row) for row in rows]
longest = max((len(window["lines"]) for window in windows if window["label"] == 0), default=0)
with open(test, encoding="utf-8") as rows, open(scores, "w", encoding="utf-8") as out:
    for row in rows:
        length = len(json.loads(row)["lines"])
        out.write(json.dumps({"score": length, "anomalous": length > longest}) + "\n")
