// npm run dashboards: writes dashboards/*.json, which Grafana reads, from boards/*.ts.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Dashboard } from "@grafana/schema";
import { api } from "./boards/api.ts";
import { overview } from "./boards/overview.ts";
import { pipeline } from "./boards/pipeline.ts";
import { resources } from "./boards/resources.ts";
import { verdicts } from "./boards/verdicts.ts";

/** By the name of the file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  logguardian: overview,
  "logguardian-pipeline": pipeline,
  "logguardian-verdicts": verdicts,
  "logguardian-api": api,
  "logguardian-resources": resources,
};

export const textOf = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`;

if (import.meta.main)
  for (const [name, dashboard] of Object.entries(dashboards))
    writeFileSync(join(import.meta.dirname, "dashboards", `${name}.json`), textOf(dashboard));
