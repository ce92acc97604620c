import type { Dashboard, Panel, RowPanel } from "@grafana/schema";
import { datasource } from "./panels.ts";

/** A heading, and the panels below it from left to right. */
export interface Row {
  title: string;
  panels: readonly Panel[];
}

const columns = 24;

type Variable = NonNullable<NonNullable<Dashboard["templating"]>["list"]>[number];

/** Asked of Prometheus for a label's values; several may be chosen, all are at first. */
export function variable(name: string, metric: string): Variable {
  return {
    name,
    type: "query",
    datasource,
    query: `label_values(${metric}, ${name})`,
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

/** A dashboard as Grafana's provisioning reads it: its panels placed, the others of LogGuardian one click away. */
export function dashboardOf(
  { uid, title, description }: { uid: string; title: string; description: string },
  variables: readonly Variable[],
  rows: readonly Row[],
): Dashboard {
  return {
    uid,
    title,
    description,
    tags: ["logguardian"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    graphTooltip: 1,
    links: [
      {
        type: "dashboards",
        title: "LogGuardian",
        tags: ["logguardian"],
        asDropdown: true,
        icon: "external link",
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        tooltip: "",
        url: "",
      },
    ],
    templating: {
      list: [
        {
          name: "datasource",
          type: "datasource",
          query: "prometheus",
          current: { text: "default", value: "default" },
        },
        ...variables,
      ],
    },
    panels: placed(rows),
  };
}

/** Rows below each other; a panel that does not fit into its line begins the next. */
function placed(rows: readonly Row[]): (Panel | RowPanel)[] {
  const all: (Panel | RowPanel)[] = [];
  let y = 0;
  const id = () => all.length + 1;
  for (const { title, panels } of rows) {
    all.push({
      id: id(),
      type: "row",
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let [x, height] = [0, 0];
    for (const panel of panels) {
      const { w = columns, h = 8 } = panel.gridPos ?? {};
      if (x + w > columns) {
        y += height;
        x = 0;
        height = 0;
      }
      all.push({ id: id(), ...panel, gridPos: { x, y, w, h } });
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return all;
}
