import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dashboard } from "@grafana/schema";
import { parse } from "yaml";
import { dashboards } from "../../monitoring/grafana/dashboards.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { root } from "../support/data.ts";

export const folder = join(root, "monitoring");

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  annotations: Record<string, string>;
}

export const rules: Rule[] = parse(readFileSync(join(folder, "rules.yml"), "utf8")).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);

export const panels = Object.values(dashboards).flatMap((dashboard) => panelsOf(dashboard));

/** Every query of every panel, by the panel's name. */
export const panelQueries = panels.flatMap(({ name, targets }) =>
  targets.map(({ expr }): [string, string] => [name, expr]),
);

/** What Prometheus adds to every series (prometheus.yml). */
const labelsOfTargets = ["job", "instance", "service"];

/** A dashboard's panels with their queries; rows have none. */
export function panelsOf({ title: board = "", panels: all = [] }: Dashboard) {
  return all.flatMap((panel) => {
    if (panel.type === "row" || !("targets" in panel)) return [];
    const targets = (panel.targets ?? []) as unknown as { expr: string; legendFormat: string }[];
    return [{ name: `${board}: ${panel.title}`, description: panel.description, targets }];
  });
}

/** The metrics of LogGuardian with their labels, by their names. */
export function labelsOfMetrics(): Map<string, string[]> {
  return new Map(
    Object.values(createMetrics()).flatMap((metric): [string, string[]][] => {
      if (typeof metric === "function") return [];
      // Not in prom-client's types.
      const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
      return [[name, labelNames]];
    }),
  );
}

/** Every series that Prometheus has of LogGuardian, with its labels. */
export async function labelsOfSeries(): Promise<Map<string, string[]>> {
  const known = new Map([
    ["up", labelsOfTargets],
    ["ALERTS", ["alertname", "alertstate"]],
    ...rules.flatMap(({ record }): [string, string[]][] =>
      record === undefined ? [] : [[record, (record.split(":")[0] ?? "").split("_")]],
    ),
  ]);
  // What metrics without a value show is their type.
  const types = new Map(
    [...(await createMetrics().text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type]) => [
      name,
      type,
    ]),
  );
  const labels = labelsOfMetrics();
  for (const [name, type] of types) {
    const own = [...(labels.get(name) ?? ownLabels[name] ?? []), ...labelsOfTargets];
    if (type !== "histogram") known.set(name, own);
    for (const suffix of ["_bucket", "_count", "_sum"])
      if (type === "histogram") known.set(name + suffix, suffix === "_bucket" ? [...own, "le"] : own);
  }
  return known;
}

/** Of what is no metric of the pipeline. */
const ownLabels: Readonly<Record<string, readonly string[]>> = {
  logguardian_build_info: ["version", "node"],
};

/** Metrics and labels in an expression that nobody has. */
export function unknownIn(expr: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const unknown: string[] = [];
  const used = new Set<string>();
  const metrics = /(?<![\w:"])([a-z][\w:]*_[\w:]+|up|ALERTS)\b(?!\s*\()(?:\{([^}]*)\})?/g;
  for (const [, name = "", matchers = ""] of expr
    .replaceAll(/\b(by|on|ignoring) \([^)]*\)/g, "")
    .matchAll(metrics)) {
    if (name === "group_left") continue;
    const labels = known.get(name);
    if (labels === undefined) unknown.push(name);
    for (const label of labels ?? []) used.add(label);
    for (const [, label = ""] of matchers.matchAll(/(\w+)\s*[=!]~?"/g))
      if (labels?.includes(label) === false) unknown.push(`${name}{${label}}`);
  }
  if (used.size === 0) unknown.push("no metric");
  for (const [, list = ""] of expr.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of list.split(",").map((one) => one.trim()))
      if (!used.has(label)) unknown.push(`by (${label})`);
  return unknown;
}
