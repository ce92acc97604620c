import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "../support/data.ts";
import { folder, labelsOfSeries, panelQueries, rules, unknownIn } from "./queries.ts";

const alerts = rules.filter(({ alert }) => alert !== undefined);
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface RuleTests {
  tests: {
    alert_rule_test?: { alertname: string; exp_alerts?: unknown[] }[];
    promql_expr_test?: { expr: string; exp_samples?: unknown[] }[];
  }[];
}

function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
  return status === 0 ? "good" : `${stdout}${stderr}`;
}

describe("Prometheus' rules", () => {
  it("are, with the configurations, what Prometheus and Alertmanager understand", () => {
    expect(promtool("check", "config", "prometheus.yml")).toBe("good");
    execFileSync("amtool", ["check-config", "alertmanager.yml"], { cwd: folder });
  });

  it("fire when they are to, and do not when they are not", () => {
    expect(promtool("test", "rules", "rules.test.yml", "drift.test.yml")).toBe("good");
  });

  it("are each tested both where they fire and where they do not", () => {
    const tests = ["rules.test.yml", "drift.test.yml"].flatMap(
      (file) => (parse(read(`monitoring/${file}`)) as RuleTests).tests,
    );
    const outcomes = tests.flatMap(({ alert_rule_test = [], promql_expr_test = [] }) => [
      ...alert_rule_test.map(({ alertname, exp_alerts = [] }) => [alertname, exp_alerts.length > 0] as const),
      ...promql_expr_test.flatMap(({ expr, exp_samples = [] }) =>
        alerts.flatMap(({ alert = "" }) => {
          const [, pattern] = /alertname=~?"([^"]*)", alertstate="firing"/.exec(expr) ?? [];
          const isOf = pattern !== undefined && new RegExp(`^(?:${pattern})$`).test(alert);
          return isOf ? [[alert, exp_samples.length > 0] as const] : [];
        }),
      ),
    ]);
    for (const { alert } of alerts)
      for (const fires of [true, false])
        expect(outcomes, `${alert} ${fires ? "fires" : "does not fire"} in a test`).toContainEqual([
          alert,
          fires,
        ]);
  });

  it("say what happened, what to do, and which heading of docs/operating.md has more", () => {
    const [, page = ""] = read("docs/operating.md").split("\n## Runbooks\n");
    const headings = [...page.matchAll(/^### (.+)\n\n(`\w+`)/gm)];
    const runbooks = new Map(headings.map(([, title = "", alert]) => [anchorOf(title), alert]));
    for (const { alert, annotations } of alerts) {
      expect(Object.keys(annotations), alert).toEqual(["summary", "description", "runbook_url"]);
      const [file, anchor = ""] = (annotations.runbook_url ?? "").split("#");
      expect(file, alert).toBe("docs/operating.md");
      expect(runbooks.get(anchor), `#${anchor}`).toBe(`\`${alert}\``);
    }
    expect([...runbooks.values()].sort()).toEqual(alerts.map(({ alert }) => `\`${alert}\``).sort());
  });
});

describe("the queries of rules and dashboards", () => {
  it("are what Prometheus understands", () => {
    const file = join(mkdtempSync(join(tmpdir(), "logguardian-dashboard-")), "rules.yml");
    const asRules = panelQueries.map(([title, expr], place) => ({
      record: `panel:${place}`,
      expr: expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*"),
      labels: { title },
    }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules: asRules }] }));
    expect(promtool("check", "rules", file)).toBe("good");
  });

  it("ask only for metrics and labels that LogGuardian has", async () => {
    const known = await labelsOfSeries();
    const queries = [
      ...rules.map(({ alert, record, expr }): [string, string] => [alert ?? record ?? "", expr]),
      ...panelQueries,
    ];
    expect(
      queries.flatMap(([where, expr]) => unknownIn(expr, known).map((what) => `${where}: ${what}`)),
    ).toEqual([]);
  });
});

/** As GitHub makes it of a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
