import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { root } from "../support/data.ts";

const folder = join(root, "monitoring");

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}
interface Panel {
  title: string;
  targets: { expr: string }[];
}

const rules: Rule[] = parse(readFileSync(join(folder, "rules.yml"), "utf8")).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);
const dashboard: { panels: Panel[] } = JSON.parse(
  readFileSync(join(folder, "grafana/dashboards/logguardian.json"), "utf8"),
);
const panelQueries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }): [string, string] => [title, expr]),
);

function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
  return status === 0 ? "good" : `${stdout}${stderr}`;
}

describe("monitoring", () => {
  it("is configured in what Prometheus and Alertmanager understand", () => {
    expect(promtool("check", "config", "prometheus.yml")).toBe("good");
    expect(promtool("test", "rules", "rules.test.yml")).toBe("good");
    execFileSync("amtool", ["check-config", "alertmanager.yml"], { cwd: folder });
  });

  it("has alerts that say what happened and what to do", () => {
    for (const { alert, annotations } of rules)
      expect(Object.keys(annotations), alert).toEqual(["summary", "action"]);
  });

  it("asks in the dashboard what Prometheus understands", () => {
    const file = join(mkdtempSync(join(tmpdir(), "logguardian-dashboard-")), "rules.yml");
    const asRules = panelQueries.map(([title, expr], place) => ({
      record: `panel:${place}`,
      expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$pipeline", ".*"),
      labels: { title },
    }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules: asRules }] }));
    expect(promtool("check", "rules", file)).toBe("good");
  });

  it("asks only for metrics and labels that LogGuardian has", () => {
    const known = labelsOfSeries();
    const queries = [...rules.map(({ alert, expr }): [string, string] => [alert, expr]), ...panelQueries];
    expect(
      queries.flatMap(([where, expr]) => unknownIn(expr, known).map((what) => `${where}: ${what}`)),
    ).toEqual([]);
  });
});

/** What Prometheus adds to every series (prometheus.yml). */
const labelsOfTargets = ["job", "instance", "service"];

/** The series of every metric with their labels. */
function labelsOfSeries(): Map<string, string[]> {
  const known = new Map([["up", labelsOfTargets]]);
  for (const metric of Object.values(createMetrics())) {
    if (typeof metric === "function") continue;
    // Not in prom-client's types.
    const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
    const labels = [...labelNames, ...labelsOfTargets];
    if ("observe" in metric)
      for (const suffix of ["_bucket", "_count", "_sum"]) known.set(name + suffix, [...labels, "le"]);
    else known.set(name, labels);
  }
  return known;
}

function unknownIn(expr: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const unknown: string[] = [];
  const used = new Set<string>();
  for (const [, name = "", matchers = ""] of expr.matchAll(/\b(logguardian_\w+|up)\b(?:\{([^}]*)\})?/g)) {
    const labels = known.get(name);
    if (labels === undefined) unknown.push(name);
    for (const label of labels ?? []) used.add(label);
    for (const [, label = ""] of matchers.matchAll(/(\w+)\s*[=!]~?/g))
      if (labels?.includes(label) === false) unknown.push(`${name}{${label}}`);
  }
  if (used.size === 0) unknown.push("no metric");
  for (const [, list = ""] of expr.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of list.split(",").map((one) => one.trim()))
      if (!used.has(label)) unknown.push(`by (${label})`);
  return unknown;
}
