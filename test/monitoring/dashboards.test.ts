import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Panel } from "@grafana/schema";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { written } from "../../monitoring/build.ts";
import { dashboards } from "../../monitoring/grafana/dashboards.ts";
import { root } from "../support/data.ts";
import { folder, labelsOfMetrics, panelQueries, panels } from "./queries.ts";

const provisioning = join(folder, "grafana/provisioning");
const read = (path: string) => readFileSync(path, "utf8");

/** That their fields are Grafana's is checked by tsc: they are built of the types of @grafana/schema. */
describe("Grafana's dashboards", () => {
  it("are, with Kibana's objects, what `npm run dashboards` writes", () => {
    const files = readdirSync(join(folder, "grafana/dashboards")).map((name) => `grafana/dashboards/${name}`);
    expect([...files, "kibana/logguardian.ndjson"].sort()).toEqual(Object.keys(written).sort());
    for (const [path, text] of Object.entries(written)) expect(read(join(folder, path)), path).toBe(text);
  });

  it("have ids, places and descriptions of their own", () => {
    const uids = Object.values(dashboards).map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    for (const { title, panels = [] } of Object.values(dashboards)) {
      const ids = panels.map(({ id }) => id);
      expect(new Set(ids).size, title).toBe(ids.length);
      const cells = panels.flatMap((panel) => cellsOf(panel as Panel));
      expect(new Set(cells).size, `${title}: no panel lies on another`).toBe(cells.length);
      expect(
        cells.filter((cell) => Number(cell.split(",")[0]) >= 24),
        title,
      ).toEqual([]);
    }
    expect(panels.filter(({ description }) => !description).map(({ name }) => name)).toEqual([]);
  });

  it("use only the variables that they have", () => {
    for (const dashboard of Object.values(dashboards)) {
      const list = dashboard.templating?.list ?? [];
      const names = [...list.map(({ name }) => name), "__rate_interval", "__all"];
      const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name);
      expect(used.filter((name) => !names.includes(name))).toEqual([]);
      expect(used).toContain("datasource");
    }
  });

  it("show every metric", () => {
    const all = panelQueries.map(([, expr]) => expr).join("\n");
    const missing = [...labelsOfMetrics().keys()].filter(
      (name) => !new RegExp(`\\b${name}(_|\\b)`).test(all),
    );
    expect(missing).toEqual([]);
  });

  it("are mounted where Grafana's provisioning looks, with the data source that the compose file has", () => {
    const { services } = parse(read(join(root, "docker-compose.yml")), { merge: true });
    const { providers } = parse(read(join(provisioning, "dashboards/logguardian.yml")));
    const mounts = services.grafana.volumes.map((one: string) => one.split(":").slice(0, 2).join(":"));
    expect(mounts).toContain(`./monitoring/grafana/dashboards:${providers[0].options.path}`);
    expect(mounts).toContain("./monitoring/grafana/provisioning:/etc/grafana/provisioning");
    const { datasources } = parse(read(join(provisioning, "datasources/prometheus.yml")));
    const { hostname, port } = new URL(datasources[0].url);
    expect(services[hostname].ports[0]).toContain(`:${port}`);
  });
});

function cellsOf({ gridPos = { x: 0, y: 0, w: 0, h: 0 } }: Panel): string[] {
  const { x, y, w, h } = gridPos;
  return Array.from({ length: w * h }, (_, place) => `${x + (place % w)},${y + Math.floor(place / w)}`);
}
