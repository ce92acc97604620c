import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../support/data.ts";
import { labelsOfMetrics } from "./queries.ts";

it("docs/operating.md names every metric, with its labels, and no other", () => {
  const page = readFileSync(join(root, "docs/operating.md"), "utf8");
  const [, section = ""] = /\n## Metrics\n(.*?)\n## /s.exec(page) ?? [];
  const named = [...section.matchAll(/^\| (`[^|]*`)\s*\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)(?:\{([\w,]*)\})?`/g)].map(([, name, labels = ""]) => `${name}{${labels}}`),
  );
  // The page says once that almost all have the label `pipeline`.
  const metrics = [...labelsOfMetrics()].map(
    ([name, labels]) =>
      `${name.replace("logguardian_", "")}{${labels.filter((one) => one !== "pipeline").join()}}`,
  );
  expect(named.sort()).toEqual([...metrics, "build_info{version,node}"].sort());
});
