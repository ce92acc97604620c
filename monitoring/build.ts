// npm run dashboards: writes what Grafana (grafana/dashboards/*.json) and Kibana (kibana/logguardian.ndjson) read.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboards } from "./grafana/dashboards.ts";
import { savedObjects } from "./kibana/objects.ts";

/** By the path below this folder. */
export const written: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(dashboards).map(([name, dashboard]) => [
      `grafana/dashboards/${name}.json`,
      `${JSON.stringify(dashboard, null, 2)}\n`,
    ]),
  ),
  "kibana/logguardian.ndjson": savedObjects.map((object) => `${JSON.stringify(object)}\n`).join(""),
};

if (import.meta.main)
  for (const [path, text] of Object.entries(written)) writeFileSync(join(import.meta.dirname, path), text);
